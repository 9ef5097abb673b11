#include "ui/role_bar.h"

#include "core/base/text_format.h"
#include "ui/theme/icons.h"
#include "ui/theme/theme.h"
#include "ui/widgets/plain_label.h"
#include "ui/workbench.h"

#include <QHBoxLayout>
#include <QPainter>
#include <QToolButton>

namespace retort {

namespace {
constexpr int kMark = 16;
constexpr int kHeight = 56;
} // namespace

RoleChip::RoleChip(Workbench& workbench, Role role, QWidget* parent) : QAbstractButton(parent), m_workbench(workbench), m_role(role)
{
    setObjectName(role == Role::Teacher ? QStringLiteral("teacher_chip") : QStringLiteral("student_chip"));
    setFocusPolicy(Qt::StrongFocus);
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    setToolTip(tr("Open or eject on the Models page (Ctrl+1)"));
    connect(this, &QAbstractButton::clicked, this, [this] { m_workbench.showPage(PageId::Models); });
    connect(&m_workbench, &Workbench::roleChanged, this, [this](Role changed) {
        if (changed == m_role) {
            showRole();
        }
    });
    showRole();
}

QString RoleChip::roleWord() const
{
    return m_role == Role::Teacher ? tr("TEACHER") : tr("STUDENT");
}

void RoleChip::showRole()
{
    const RoleState& state = m_workbench.role(m_role);
    m_name = to_qt(state.name());
    m_size.clear();
    if (state.parameters() > 0) {
        m_size = tr("%1 parameters").arg(to_qt(format_count(state.parameters())));
    }
    m_fraction = -1;
    switch (state.phase) {
    case RoleState::Phase::Empty:
        m_name = m_role == Role::Teacher ? tr("No teacher yet") : tr("No student yet");
        break;
    case RoleState::Phase::Remembered:
        m_size = tr("not loaded");
        break;
    case RoleState::Phase::Loading:
        m_fraction = state.fraction;
        m_size = tr("%1 %2 %").arg(to_qt(state.stage)).arg(static_cast<int>(state.fraction * 100));
        break;
    case RoleState::Phase::Failed:
        m_size = tr("could not be opened");
        break;
    case RoleState::Phase::Ready:
        break;
    }
    setAccessibleName(QStringLiteral("%1: %2 %3").arg(roleWord(), m_name, m_size));
    update();
}

QSize RoleChip::sizeHint() const
{
    return {280, kHeight - space::s};
}

QSize RoleChip::minimumSizeHint() const
{
    return {160, kHeight - space::s};
}

void RoleChip::paintEvent(QPaintEvent* /*event*/)
{
    const Theme& theme = Theme::of(palette());
    const RoleState& state = m_workbench.role(m_role);
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const QRectF ground = QRectF(rect()).adjusted(0.5, 0.5, -0.5, -0.5);
    if (underMouse()) {
        painter.setPen(Qt::NoPen);
        painter.setBrush(theme.sunken);
        painter.drawRoundedRect(ground, 6, 6);
    }
    if (hasFocus()) {
        painter.setPen(QPen(theme.accent, 1));
        painter.setBrush(Qt::NoBrush);
        painter.drawRoundedRect(ground, 6, 6);
    }
    paint_role_mark(painter, QRectF(space::m, (height() - kMark) / 2.0, kMark, kMark), m_role, theme.of(m_role), state.ready());

    const int left = space::m + kMark + space::m;
    const int room = width() - left - space::s;
    const QFont small = font_of(Type::Small);
    const QFont strong = font_of(Type::Strong);
    const QFontMetrics small_metrics(small), strong_metrics(strong);
    const int gap = 3;
    const int top = (height() - small_metrics.height() - strong_metrics.height() - gap) / 2;
    painter.setFont(small);
    painter.setPen(theme.text_of(m_role));
    painter.drawText(left, top + small_metrics.ascent(), roleWord());
    const int after_word = left + small_metrics.horizontalAdvance(roleWord()) + space::s;
    painter.setPen(state.phase == RoleState::Phase::Failed ? theme.danger : theme.muted);
    painter.drawText(after_word, top + small_metrics.ascent(), small_metrics.elidedText(m_size, Qt::ElideRight, width() - space::s - after_word));
    painter.setFont(strong);
    painter.setPen(state.phase == RoleState::Phase::Empty ? theme.faint : theme.text);
    painter.drawText(left, top + small_metrics.height() + gap + strong_metrics.ascent(), strong_metrics.elidedText(m_name, Qt::ElideMiddle, room));
    if (m_fraction >= 0) {
        const QRectF track(left, height() - 3, room, 3);
        painter.fillRect(track, theme.line);
        painter.fillRect(QRectF(track.topLeft(), QSizeF(track.width() * m_fraction, 3)), theme.of(m_role));
    }
}

RoleBar::RoleBar(Workbench& workbench, QWidget* parent)
    : QWidget(parent), m_workbench(workbench), m_swap(new QToolButton), m_ratio(plain_label({}, Type::Title)),
      m_ratio_caption(plain_label({}, Type::Small, "muted"))
{
    setObjectName(QStringLiteral("role_bar"));
    setFixedHeight(kHeight);
    m_swap->setObjectName(QStringLiteral("swap_roles"));
    m_swap->setIcon(icon_of(Glyph::Swap));
    m_swap->setIconSize({18, 18});
    m_swap->setAccessibleName(tr("Swap teacher and student"));
    m_swap->setToolTip(tr("Swap teacher and student"));
    connect(m_swap, &QToolButton::clicked, &m_workbench, &Workbench::swapRoles);
    auto* ratio = new QHBoxLayout;
    ratio->setSpacing(space::s);
    ratio->addWidget(m_ratio);
    ratio->addWidget(m_ratio_caption, 0, Qt::AlignVCenter);

    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(space::l, 0, space::l, 0);
    row->setSpacing(space::s);
    row->addWidget(new RoleChip(workbench, Role::Teacher), 1);
    row->addWidget(m_swap);
    row->addWidget(new RoleChip(workbench, Role::Student), 1);
    row->addSpacing(space::s);
    row->addLayout(ratio);
    connect(&m_workbench, &Workbench::roleChanged, this, &RoleBar::showRatio);
    showRatio();
}

void RoleBar::showRatio()
{
    const auto teacher = static_cast<double>(m_workbench.role(Role::Teacher).parameters());
    const auto student = static_cast<double>(m_workbench.role(Role::Student).parameters());
    const bool known = teacher > 0 && student > 0;
    m_ratio->setVisible(known);
    m_ratio_caption->setVisible(known);
    if (known) {
        const double ratio = std::max(teacher / student, student / teacher);
        const bool same = ratio < 1.05; // as it would be written
        m_ratio->setVisible(!same);
        m_ratio->setText(QStringLiteral("%1×").arg(ratio, 0, 'f', ratio < 20 ? 1 : 0));
        m_ratio_caption->setText(same ? tr("same size") : teacher > student ? tr("smaller") : tr("larger"));
        m_ratio->setToolTip(tr("The student has this many times fewer or more parameters than the teacher"));
    }
}

void RoleBar::paintEvent(QPaintEvent* /*event*/)
{
    const Theme& theme = Theme::of(palette());
    QPainter painter(this);
    painter.fillRect(rect(), theme.surface);
    painter.fillRect(0, height() - 1, width(), 1, theme.line);
}

} // namespace retort
