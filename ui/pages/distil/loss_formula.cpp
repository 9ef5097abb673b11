#include "ui/pages/distil/loss_formula.h"

#include "core/distil/objective.h"
#include "ui/theme/theme.h"
#include "ui/widgets/plain_label.h"

#include <QLocale>
#include <QPainter>
#include <algorithm>

namespace retort {

namespace {

QString two(double value)
{
    return QLocale().toString(value, 'f', 2);
}

} // namespace

LossFormula::LossFormula(QWidget* parent) : QWidget(parent), m_divergence(QStringLiteral("KL(teacher ‖ student)"))
{
    setObjectName(QStringLiteral("loss_formula"));
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    setToolTip(tr(
        "α weighs the data's own next token against the teacher's whole distribution. T softens both distributions; T² keeps the gradient's size."));
    describe();
}

void LossFormula::setObjective(const DistilPlan::Objective& objective, const Objective* divergence)
{
    m_objective = objective;
    m_divergence = to_qt(divergence != nullptr ? std::string(divergence->formula()) : objective.name);
    m_factor = divergence != nullptr ? divergence->factor(objective.temperature) : 1.0;
    describe();
}

void LossFormula::setPoint(const std::optional<MetricPoint>& point)
{
    m_point = point;
    describe();
}

void LossFormula::describe()
{
    setAccessibleName(tr("Loss formula"));
    setAccessibleDescription(text());
    updateGeometry();
    update();
}

QString LossFormula::text() const
{
    QString all;
    for (const Piece& piece : m_point ? numbers() : names()) {
        all += piece.text;
    }
    return all;
}

std::vector<LossFormula::Piece> LossFormula::names() const
{
    if (m_objective.name == "none") {
        return {{tr("loss"), Ink::Text},
                {QStringLiteral(" = "), Ink::Muted},
                {QStringLiteral("CE"), Ink::CrossEntropy},
                {tr("    without the teacher"), Ink::Muted}};
    }
    return {{tr("loss"), Ink::Text},
            {QStringLiteral(" = α · "), Ink::Muted},
            {QStringLiteral("CE"), Ink::CrossEntropy},
            {m_factor == m_objective.temperature && m_factor != 1.0 ? QStringLiteral("  +  (1 − α) · T · ") : QStringLiteral("  +  (1 − α) · T² · "),
             Ink::Muted},
            {m_divergence, Ink::Divergence}};
}

std::vector<LossFormula::Piece> LossFormula::numbers() const
{
    const double alpha = m_objective.name == "none" ? 1.0 : m_objective.alpha_cross_entropy;
    const double t = m_objective.temperature;
    const QString ce = m_point ? two(m_point->cross_entropy) : QStringLiteral("–");
    const QString divergence = m_point ? two(m_point->divergence / m_factor) : QStringLiteral("–");
    const QString loss = m_point ? two(m_point->loss) : QStringLiteral("–");
    if (m_objective.name == "none") {
        return {{loss, Ink::Text}, {QStringLiteral(" = "), Ink::Muted}, {ce, Ink::CrossEntropy}};
    }
    return {
        {loss, Ink::Text},
        {QStringLiteral(" = %1 · ").arg(two(alpha)), Ink::Muted},
        {ce, Ink::CrossEntropy},
        {QStringLiteral("  +  %1 · %2%3 · ").arg(two(1.0 - alpha), QLocale().toString(t, 'f', 1), m_factor == t ? QString() : QStringLiteral("²")),
         Ink::Muted},
        {divergence, Ink::Divergence}};
}

QSize LossFormula::sizeHint() const
{
    const auto width = [](const std::vector<Piece>& pieces, const QFontMetrics& metrics) {
        int sum = 0;
        for (const Piece& piece : pieces) {
            sum += metrics.horizontalAdvance(piece.text);
        }
        return sum;
    };
    const QFontMetrics small(font_of(Type::Small)), large(font_of(Type::Heading));
    return {std::max(width(names(), small), width(numbers(), large)), small.height() + large.height() + 6};
}

void LossFormula::paintEvent(QPaintEvent* /*event*/)
{
    const Theme& theme = Theme::of(palette());
    QPainter painter(this);
    const auto line = [&](const std::vector<Piece>& pieces, const QFont& font, int top) {
        painter.setFont(font);
        const QFontMetrics metrics(font);
        int x = 0;
        for (const Piece& piece : pieces) {
            const QColor ink = piece.ink == Ink::Text           ? theme.text
                               : piece.ink == Ink::Muted        ? theme.muted
                               : piece.ink == Ink::CrossEntropy ? (theme.dark ? theme.third : theme.third.darker(125))
                                                                : theme.accent;
            painter.setPen(ink);
            painter.drawText(x, top + metrics.ascent(), piece.text);
            x += metrics.horizontalAdvance(piece.text);
        }
    };
    line(names(), font_of(Type::Small), 0);
    line(numbers(), font_of(Type::Heading), QFontMetrics(font_of(Type::Small)).height() + 4);
}

} // namespace retort
