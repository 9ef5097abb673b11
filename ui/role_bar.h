#pragma once
#include "core/desk/role.h"

#include <QAbstractButton>
#include <QWidget>
#include <array>

class QLabel;
class QToolButton;

namespace retort {

class Workbench;

/// Who stands in one role, in a line: sign, role, name, size. A click leads to the Models page.
class RoleChip : public QAbstractButton {
    Q_OBJECT

public:
    RoleChip(Workbench& workbench, Role role, QWidget* parent = nullptr);
    [[nodiscard]] QSize sizeHint() const override;
    [[nodiscard]] QSize minimumSizeHint() const override;

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    void showRole();
    [[nodiscard]] QString roleWord() const;

    Workbench& m_workbench;
    Role m_role;
    QString m_name, m_size;
    double m_fraction = -1; ///< of loading; negative when not
};

/// The strip on every page: teacher left, student right, how much smaller the student is.
class RoleBar : public QWidget {
    Q_OBJECT

public:
    explicit RoleBar(Workbench& workbench, QWidget* parent = nullptr);

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    void showRatio();

    Workbench& m_workbench;
    QToolButton* m_swap;
    QLabel* m_ratio;
    QLabel* m_ratio_caption;
};

} // namespace retort
