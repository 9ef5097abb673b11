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

/// How the student's size stands to the teacher's, in one unit: "9.8x fewer parameters". Empty while one of the two is not known.
[[nodiscard]] QString size_ratio(std::uint64_t teacher, std::uint64_t student, const QString& unit);

/// The strip on every page: teacher left, student right, how much smaller the student is in parameters and in bytes.
class RoleBar : public QWidget {
    Q_OBJECT

public:
    explicit RoleBar(Workbench& workbench, QWidget* parent = nullptr);

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    void showRatio();
    void showSwap();

    Workbench& m_workbench;
    QToolButton* m_swap;
    QLabel* m_parameters;
    QLabel* m_bytes;
};

} // namespace retort
