#include "ui/pages/distributions/readouts.h"

#include "ui/theme/theme.h"
#include "ui/widgets/figure_text.h"
#include "ui/widgets/plain_label.h"

#include <QVBoxLayout>

namespace retort {

namespace {

enum Place : std::size_t { Kl, ReverseKl, Js, Tv, Entropies, Overlap, SameTop, Truth };

QString nats(double value)
{
    return QStringLiteral("%1 nat").arg(figure(value, 3));
}

} // namespace

Readouts::Readouts(QWidget* parent) : TileGrid(parent)
{
    addTile("kl", tr("KL(teacher ‖ student)"),
            tr("Σ p (ln p − ln q): what it costs to expect q where p is true. p: teacher, q: student. 0 where they agree."));
    addTile("reverseKl", tr("KL(student ‖ teacher)"), tr("Σ q (ln q − ln p): large where the student expects what the teacher rules out."));
    addTile("js", tr("Jensen–Shannon"), tr("(KL(p ‖ m) + KL(q ‖ m)) / 2 with m = (p + q) / 2: the same both ways, at most ln 2 = 0.693 nat."));
    addTile("tv", tr("Total variation"), tr("Σ |p − q| / 2: the share of probability that would have to move to make them equal."));
    addTile("entropies", tr("Entropy, teacher · student"), tr("−Σ p ln p: how unsure each model is; 0 when it is certain."));
    addTile("overlap", tr("Overlap of top 10"), tr("How many tokens are among the ten best of both models."));
    addTile("sameTop", tr("Same first choice"), tr("Whether both models' most probable token is the same."));
    addTile("truthKl", tr("KL(truth ‖ teacher · student)"),
            tr("Σ t (ln t − ln q) against the exact probabilities t of the built-in world, softened by the same temperature as the models: t^(1/T), "
               "made to sum to 1."));
}

void Readouts::addTile(const char* object_name, const QString& name, const QString& formula)
{
    Tile tile{new QWidget, plain_label(name, Type::Small, "muted"), plain_label(QStringLiteral("–"), Type::Heading)};
    auto* column = new QVBoxLayout(tile.widget);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(2);
    column->addWidget(tile.name);
    column->addWidget(tile.value);
    tile.value->setObjectName(QLatin1String(object_name));
    tile.value->setAccessibleName(name);
    tile.widget->setToolTip(formula);
    m_tiles.push_back(tile);
    add(tile.widget);
}

void Readouts::showFigures(const SoftenedView& view)
{
    const auto set = [this](Place place, const QString& text) { m_tiles[place].value->setText(text); };
    const QString unknown = QStringLiteral("–");
    const auto& d = view.divergence;
    set(Kl, d ? nats(d->kl) : unknown);
    set(ReverseKl, d ? nats(d->reverse_kl) : unknown);
    set(Js, d ? nats(d->js) : unknown);
    set(Tv, d ? figure(d->tv, 3) : unknown);
    set(Entropies, d ? tr("%1 · %2 nat").arg(figure(d->teacher_entropy, 2), figure(d->student_entropy, 2)) : unknown);
    set(Overlap, d ? tr("%1 of 10").arg(d->overlap) : unknown);
    set(SameTop, d ? (d->same_top ? tr("yes") : tr("no")) : unknown);
    const bool truth = view.truth_teacher_kl || view.truth_student_kl;
    const auto part = [&](std::optional<double> value) { return value ? figure(*value, 3) : unknown; };
    set(Truth, tr("%1 · %2 nat").arg(part(view.truth_teacher_kl), part(view.truth_student_kl)));
    m_tiles[Truth].widget->setVisible(truth);
}

} // namespace retort
