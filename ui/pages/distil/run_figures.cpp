#include "ui/pages/distil/run_figures.h"

#include "core/store/session.h"
#include "ui/widgets/card.h"

#include <QLocale>

namespace retort {

RunFigures::RunFigures(QWidget* parent)
    : TileGrid(parent), m_kl(addFigure(tr("KL(teacher ‖ student), held out"))), m_same_top(addFigure(tr("same top choice"))),
      m_speed(addFigure(tr("tokens/s"))), m_rate(addFigure(tr("learning rate"))), m_gradient(addFigure(tr("gradient norm")))
{
}

FigureLabel* RunFigures::addFigure(const QString& caption)
{
    auto* figure = new FigureLabel({}, caption);
    add(figure);
    return figure;
}

void RunFigures::show(const StoredRun& record)
{
    const QString none = QStringLiteral("–");
    const QLocale locale;
    m_kl->setFigure(record.evaluations.empty() ? none : locale.toString(record.evaluations.back().kl, 'f', 3));
    m_same_top->setFigure(record.evaluations.empty() ? none : tr("%1 %").arg(locale.toString(record.evaluations.back().same_top * 100, 'f', 1)));
    m_speed->setFigure(record.metrics.empty() ? none : locale.toString(record.metrics.back().tokens_per_s, 'f', 0));
    m_rate->setFigure(record.metrics.empty() ? none : locale.toString(record.metrics.back().lr, 'g', 2));
    m_gradient->setFigure(record.metrics.empty() ? none : locale.toString(record.metrics.back().grad_norm, 'f', 2));
}

} // namespace retort
