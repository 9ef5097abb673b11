#include "ui/role_bar.h"

#include "core/base/text_format.h"
#include "ui/theme/icons.h"
#include "ui/theme/theme.h"
#include "ui/widgets/plain_label.h"
#include "ui/workbench.h"

#include <QHBoxLayout>
#include <QPainter>
#include <QToolButton>
#include <QVBoxLayout>
#include <algorithm>

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
    connect(&m_workbench, &Workbench::answeringChanged, this, &RoleChip::showRole);
    if (m_role == Role::Student) { // the one in training stands here
        connect(&m_workbench, &Workbench::runAppended, this, &RoleChip::showRole);
        connect(&m_workbench, &Workbench::runStateChanged, this, &RoleChip::showRole);
    }
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
        m_size = m_workbench.exchange().running() && m_fraction <= 0 && !state.info
                     ? tr("opens when the answer ends")
                     : tr("%1 %2 %").arg(to_qt(state.stage)).arg(static_cast<int>(state.fraction * 100));
        break;
    case RoleState::Phase::Failed:
        m_size = tr("could not be opened");
        break;
    case RoleState::Phase::Ready:
        break;
    }
    if (const RunView& run = m_workbench.run(); run.live && m_role == Role::Student) {
        m_name = to_qt(run.record.name);
        m_size = tr("in training, step %1").arg(run.record.last_step);
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

QString size_ratio(std::uint64_t teacher, std::uint64_t student, const QString& unit)
{
    if (teacher == 0 || student == 0) {
        return {};
    }
    const double ratio = static_cast<double>(teacher) / static_cast<double>(student);
    const double shown = std::max(ratio, 1 / ratio);
    if (shown < 1.05) { // as it would be written
        return RoleBar::tr("as many %1").arg(unit);
    }
    const QString figure = QStringLiteral("%1×").arg(shown, 0, 'f', shown < 20 ? 1 : 0);
    return (ratio > 1 ? RoleBar::tr("%1 fewer %2") : RoleBar::tr("%1 more %2")).arg(figure, unit);
}

RoleBar::RoleBar(Workbench& workbench, QWidget* parent)
    : QWidget(parent), m_workbench(workbench), m_swap(new QToolButton), m_parameters(plain_label({}, Type::Small)),
      m_bytes(plain_label({}, Type::Small))
{
    setObjectName(QStringLiteral("role_bar"));
    setFixedHeight(kHeight);
    m_swap->setObjectName(QStringLiteral("swap_roles"));
    m_swap->setIcon(icon_of(Glyph::Swap));
    m_swap->setIconSize({18, 18});
    m_swap->setAccessibleName(tr("Swap teacher and student"));
    connect(m_swap, &QToolButton::clicked, &m_workbench, &Workbench::swapRoles);
    m_parameters->setObjectName(QStringLiteral("ratio_parameters"));
    m_bytes->setObjectName(QStringLiteral("ratio_bytes"));
    auto* ratio = new QVBoxLayout;
    ratio->setSpacing(space::xs / 2);
    ratio->addStretch();
    ratio->addWidget(m_parameters);
    ratio->addWidget(m_bytes);
    ratio->addStretch();

    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(space::l, 0, space::l, 0);
    row->setSpacing(space::s);
    row->addWidget(new RoleChip(workbench, Role::Teacher), 1);
    row->addWidget(m_swap);
    row->addWidget(new RoleChip(workbench, Role::Student), 1);
    row->addSpacing(space::s);
    row->addLayout(ratio);
    connect(&m_workbench, &Workbench::roleChanged, this, &RoleBar::showRatio);
    connect(&m_workbench, &Workbench::roleChanged, this, &RoleBar::showSwap);
    connect(&m_workbench, &Workbench::runStateChanged, this, &RoleBar::showSwap);
    showRatio();
    showSwap();
}

void RoleBar::showRatio()
{
    const RoleState& teacher = m_workbench.role(Role::Teacher);
    const RoleState& student = m_workbench.role(Role::Student);
    m_parameters->setText(size_ratio(teacher.parameters(), student.parameters(), tr("parameters")));
    m_bytes->setText(size_ratio(teacher.bytes(), student.bytes(), tr("bytes")));
    for (QLabel* label : {m_parameters, m_bytes}) {
        label->setVisible(!label->text().isEmpty());
        label->setToolTip(tr("The student beside its teacher. Bytes are those of the weights, as they are stored"));
    }
}

/// What cannot be swapped now says why.
void RoleBar::showSwap()
{
    const RoleState& teacher = m_workbench.role(Role::Teacher);
    const RoleState& student = m_workbench.role(Role::Student);
    const bool loading = teacher.phase == RoleState::Phase::Loading || student.phase == RoleState::Phase::Loading;
    const bool nobody = teacher.phase == RoleState::Phase::Empty && student.phase == RoleState::Phase::Empty;
    m_swap->setEnabled(!m_workbench.run().live && !loading && !nobody);
    m_swap->setToolTip(m_workbench.run().live ? tr("The student is in training. Stop the run before teacher and student change places")
                       : loading              ? tr("A model is being opened. Wait until it is there, or cancel, before the two change places")
                       : nobody               ? tr("There is nobody to swap yet")
                                              : tr("Swap teacher and student"));
}

void RoleBar::paintEvent(QPaintEvent* /*event*/)
{
    const Theme& theme = Theme::of(palette());
    QPainter painter(this);
    painter.fillRect(rect(), theme.surface);
    painter.fillRect(0, height() - 1, width(), 1, theme.line);
}

} // namespace retort
