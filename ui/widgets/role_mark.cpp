#include "ui/widgets/role_mark.h"

#include "ui/theme/icons.h"
#include "ui/theme/theme.h"

#include <QPainter>

namespace retort {

RoleMark::RoleMark(Role role, int size, QWidget* parent) : QWidget(parent), m_role(role)
{
    setFixedSize(size, size);
    setAccessibleName(role == Role::Teacher ? tr("Teacher") : tr("Student"));
}

void RoleMark::setFilled(bool filled)
{
    m_filled = filled;
    update();
}

void RoleMark::paintEvent(QPaintEvent* /*event*/)
{
    QPainter painter(this);
    paint_role_mark(painter, rect(), m_role, Theme::of(palette()).of(m_role), m_filled);
}

} // namespace retort
