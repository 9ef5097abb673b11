#include "ui/pages/distil/probe_strip.h"

#include "core/base/text_format.h"
#include "ui/theme/theme.h"
#include "ui/widgets/plain_label.h"

#include <QPainter>
#include <QScrollBar>

namespace retort {

namespace {
constexpr int kCell = 208;
constexpr int kLines = 3;

/// The answer as it is shown; a student that stops at once has said something too.
QString words_of(const ProbeSample& sample)
{
    return to_qt(with_valid_utf8(sample.text)).trimmed();
}

} // namespace

ProbeStrip::ProbeStrip(QWidget* parent) : QAbstractScrollArea(parent)
{
    setObjectName(QStringLiteral("probe_strip"));
    setAccessibleName(tr("Probe answers through training"));
    setFrameShape(QFrame::NoFrame);
    setVerticalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    viewport()->setAutoFillBackground(false);
}

QSize ProbeStrip::sizeHint() const
{
    const int text = QFontMetrics(fixed_font()).lineSpacing() * kLines;
    return {480, QFontMetrics(font_of(Type::Small)).height() + space::xs + text + 2 * space::s + 12};
}

QSize ProbeStrip::minimumSizeHint() const
{
    return {200, sizeHint().height()};
}

void ProbeStrip::reset(const std::string& prompt)
{
    m_prompt = to_qt(prompt);
    m_samples.clear();
    fitScrollBar();
    viewport()->update();
}

void ProbeStrip::append(const ProbeSample* first, const ProbeSample* last)
{
    const bool at_end = horizontalScrollBar()->value() >= horizontalScrollBar()->maximum() - 4;
    std::copy_if(first, last, std::back_inserter(m_samples), [](const ProbeSample& sample) { return sample.probe == 0; });
    fitScrollBar();
    if (at_end) {
        horizontalScrollBar()->setValue(horizontalScrollBar()->maximum());
    }
    if (!m_samples.empty()) {
        const QString words = words_of(m_samples.back());
        setAccessibleDescription(tr("Step %1: %2").arg(QString::number(m_samples.back().step), words.isEmpty() ? nothing() : words));
    }
    viewport()->update();
}

QString ProbeStrip::nothing()
{
    return tr("an empty answer");
}

void ProbeStrip::fitScrollBar()
{
    constexpr int kStep = kCell + space::s;
    const int hidden = std::max(0, static_cast<int>(m_samples.size()) * kStep - space::s - viewport()->width());
    horizontalScrollBar()->setRange(0, (hidden + kStep - 1) / kStep * kStep); // at the end, too, a whole answer stands first
    horizontalScrollBar()->setPageStep(viewport()->width());
    horizontalScrollBar()->setSingleStep(kStep);
}

void ProbeStrip::resizeEvent(QResizeEvent* event)
{
    QAbstractScrollArea::resizeEvent(event);
    fitScrollBar();
}

void ProbeStrip::paintEvent(QPaintEvent* /*event*/)
{
    const Theme& theme = Theme::of(palette());
    QPainter painter(viewport());
    painter.setRenderHint(QPainter::Antialiasing);
    if (m_samples.empty()) {
        painter.setPen(theme.muted);
        painter.drawText(viewport()->rect(), static_cast<int>(Qt::AlignLeft | Qt::AlignVCenter | Qt::TextWordWrap),
                         tr("While the student learns, its answer to the probe appears here every few steps."));
        return;
    }
    const QFont small = font_of(Type::Small);
    const QFont fixed = fixed_font();
    const int header = QFontMetrics(small).height();
    const int scroll = horizontalScrollBar()->value();
    const int first = scroll / (kCell + space::s);
    for (std::size_t i = static_cast<std::size_t>(first); i < m_samples.size(); ++i) {
        const int left = static_cast<int>(i) * (kCell + space::s) - scroll;
        if (left > viewport()->width()) {
            break;
        }
        const QRect cell(left, 0, kCell, viewport()->height() - 2);
        painter.setPen(Qt::NoPen);
        painter.setBrush(i + 1 == m_samples.size() ? theme.student_wash : theme.sunken);
        painter.drawRoundedRect(cell, 6, 6);
        const QRect inside = cell.adjusted(space::s, space::s, -space::s, -space::s);
        painter.setFont(small);
        painter.setPen(i + 1 == m_samples.size() ? theme.student_text : theme.muted);
        painter.drawText(inside.left(), inside.top() + QFontMetrics(small).ascent(), tr("step %1").arg(m_samples[i].step));
        const QString words = words_of(m_samples[i]);
        painter.setFont(words.isEmpty() ? small : fixed);
        painter.setPen(words.isEmpty() ? theme.muted : theme.text);
        painter.drawText(inside.adjusted(0, header + space::xs, 0, 0), static_cast<int>(Qt::AlignLeft | Qt::AlignTop | Qt::TextWrapAnywhere),
                         words.isEmpty() ? nothing() : words);
    }
}

} // namespace retort
