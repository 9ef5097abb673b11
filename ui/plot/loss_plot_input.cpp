// What keys and mouse do on the plot: the reading at the cursor, the scale, the points as a table and as a picture.
#include "ui/plot/loss_plot.h"
#include "ui/plot/plot_cursor.h"
#include "ui/plot/qcp.h"
#include "ui/widgets/save_picture.h"

#include <QApplication>
#include <QClipboard>
#include <QEvent>
#include <QFileDialog>
#include <QMenu>
#include <algorithm>
#include <cmath>

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
                QApplication::clipboard()->setText(table());
                return true;
            }
        }
    }
    return QWidget::eventFilter(watched, event);
}

QString LossPlot::table() const
{
    QString text = QStringLiteral("step\tloss_nats\tcross_entropy_nats\tdivergence_nats\tlearning_rate\tgradient_norm\ttokens_per_s\n");
    const auto plain = [](double value) { return QString::number(value, 'g', 7); };
    for (const MetricPoint& p : m_metrics) {
        text += QStringLiteral("%1\t%2\t%3\t%4\t%5\t%6\t%7\n")
                    .arg(p.step + 1)
                    .arg(plain(p.loss), plain(p.cross_entropy), plain(p.divergence), plain(p.lr), plain(p.grad_norm), plain(p.tokens_per_s));
    }
    return text;
}

Result<void> LossPlot::savePicture(const QString& path)
{
    const bool saved = path.endsWith(QStringLiteral(".pdf"), Qt::CaseInsensitive) ? m_plot->savePdf(path) : m_plot->savePng(path, 0, 0, 2.0);
    return saved ? Result<void>() : failure(unwritable_picture(path));
}

void LossPlot::contextMenu(const QPoint& place)
{
    QMenu menu(this);
    QAction* log = menu.addAction(tr("Logarithmic (L)"));
    log->setCheckable(true);
    log->setChecked(m_logarithmic);
    QAction* copy = menu.addAction(tr("Copy as table (Ctrl+Shift+C)"));
    QAction* save = menu.addAction(tr("Save picture…"));
    QAction* chosen = menu.exec(m_plot->mapToGlobal(place));
    if (chosen == log) {
        setLogarithmic(log->isChecked());
    } else if (chosen == copy) {
        QApplication::clipboard()->setText(table());
    } else if (chosen == save) {
        const QString path = QFileDialog::getSaveFileName(this, tr("Save picture"), QStringLiteral("loss.pdf"), tr("Pictures (*.pdf *.png)"));
        if (path.isEmpty()) {
            return;
        }
        if (const auto saved = savePicture(path); !saved) {
            Q_EMIT saveFailed(saved.error());
        }
    }
}

} // namespace retort
