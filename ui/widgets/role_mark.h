#pragma once
#include "core/desk/role.h"

#include <QWidget>

namespace retort {

/// The role's sign, circle or square, beside its name. Hollow until somebody stands in the role.
class RoleMark : public QWidget {
    Q_OBJECT

public:
    explicit RoleMark(Role role, int size = 14, QWidget* parent = nullptr);
    void setFilled(bool filled);

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    Role m_role;
    bool m_filled = true;
};

} // namespace retort
