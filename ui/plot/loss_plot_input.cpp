// What keys and mouse do on the plot: the reading at the cursor, the scale, the points as a table and as a picture.
#include "ui/plot/loss_plot.h"
#include "ui/plot/plot_cursor.h"
#include "ui/plot/plot_style.h"
#include "ui/plot/qcp.h"
#include "ui/widgets/export_picture.h"
#include "ui/widgets/table_text.h"

#include <QApplication>
#include <QClipboard>
#include <QEvent>
#include <QMenu>
#include <algorithm>
#include <cmath>
#include <map>

namespace retort {

void LossPlot::pointAt(double x)
{
    const double step = m_plot->xAxis->pixelToCoord(x);
    if (m_metrics.empty() || !m_plot->xAxis->range().contains(step)) {
        m_cursor->hide();
        return;
    }
    const auto after = std::ranges::lower_bound(m_metrics, static_cast<std::int64_t>(std::llround(step)) - 1, {}, &MetricPoint::step);
    const MetricPoint& point = after == m_metrics.end() ? m_metrics.back() : *after;
    m_cursor->show(static_cast<double>(point.step + 1), tr("step %1\nloss %2\ncross-entropy %3\nT² · divergence %4")
                                                            .arg(point.step + 1)
                                                            .arg(figure(point.loss), figure(point.cross_entropy), figure(point.divergence)));
}

bool LossPlot::eventFilter(QObject* watched, QEvent* event)
{
    if (watched == m_plot) {
        if (event->type() == QEvent::MouseMove) {
            pointAt(static_cast<QMouseEvent*>(event)->position().x());
        } else if (event->type() == QEvent::Leave) {
            m_cursor->hide();
        } else if (event->type() == QEvent::KeyPress) {
            auto* key = static_cast<QKeyEvent*>(event);
            if (key->key() == Qt::Key_L && key->modifiers() == Qt::NoModifier) {
                setLogarithmic(!m_logarithmic);
                return true;
            }
            if (key->key() == Qt::Key_C && key->modifiers() == (Qt::ControlModifier | Qt::ShiftModifier)) {
                QApplication::clipboard()->setText(table_text(table(), QLatin1Char('\t')));
                return true;
            }
        }
    }
    return QWidget::eventFilter(watched, event);
}

void LossPlot::setAbout(const QString& title, const QStringList& facts)
{
    m_about = title;
    m_facts = facts;
}

QList<QStringList> LossPlot::table() const
{
    QList<QStringList> lines = {{QStringLiteral("step"), QStringLiteral("loss_nats"), QStringLiteral("cross_entropy_nats"),
                                 QStringLiteral("t_squared_times_divergence_nats"), QStringLiteral("learning_rate"), QStringLiteral("gradient_norm"),
                                 QStringLiteral("tokens_per_s"), QStringLiteral("held_out_cross_entropy_nats"), QStringLiteral("held_out_kl_nats"),
                                 QStringLiteral("held_out_same_top_share"), QStringLiteral("held_out_targets"),
                                 QStringLiteral("entropy_floor_nats")}};
    constexpr int kOfMetrics = 6, kOfEvaluation = 5;
    std::map<std::int64_t, std::pair<QStringList, QStringList>> steps; // steps done: what was measured in training, and on held-out text
    for (const MetricPoint& p : m_metrics) {
        steps[p.step + 1].first = {exact(p.loss), exact(p.cross_entropy), exact(p.divergence),
                                   exact(p.lr),   exact(p.grad_norm),     exact(p.tokens_per_s)};
    }
    for (const EvaluationPoint& p : m_evaluations) {
        steps[p.step].second = {exact(p.cross_entropy), exact(p.kl), exact(p.same_top), QString::number(p.targets),
                                p.entropy_floor >= 0 ? exact(p.entropy_floor) : QString()};
    }
    for (auto& [step, measured] : steps) {
        measured.first.resize(kOfMetrics);
        measured.second.resize(kOfEvaluation);
        lines.push_back(QStringList{QString::number(step)} + measured.first + measured.second);
    }
    return lines;
}

Export LossPlot::whole()
{
    constexpr QSize kPicture(900, 480);
    Export out{.name = QStringLiteral("loss"), .title = m_about.isEmpty() ? tr("Loss while distilling") : m_about};
    out.facts = m_facts;
    out.table = table();
    out.make_drawing = [this]() -> QWidget* {
        m_cursor->hide(); // the reading under the mouse is no part of the curve
        return new PaintedWidget(kPicture, [this](QPainter& painter, QSize size) { paint_plot(*m_plot, painter, size); });
    };
    out.explanation =
        tr("The loss is a·cross-entropy + (1−a)·T²·divergence: faint points as measured, the line their moving average. Diamonds are the "
           "cross-entropy on text that is never trained on.");
    return out;
}

void LossPlot::contextMenu(const QPoint& place)
{
    auto* menu = new QMenu(this);
    menu->setAttribute(Qt::WA_DeleteOnClose);
    QAction* log = menu->addAction(tr("&Logarithmic (L)"));
    log->setCheckable(true);
    log->setChecked(m_logarithmic);
    connect(log, &QAction::triggered, this, &LossPlot::setLogarithmic);
    menu->addSeparator();
    add_export_actions(*menu, *this, [this] { return whole(); });
    menu->popup(m_plot->mapToGlobal(place));
}

} // namespace retort
