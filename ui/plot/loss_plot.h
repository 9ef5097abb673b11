#pragma once
#include "core/distil/run.h"
#include "ui/widgets/export.h"

#include <QWidget>
#include <memory>
#include <vector>

class QCPGraph;
class QCPItemStraightLine;
class QCustomPlot;

namespace retort {

class PlotCursor;

/// The curves of a run: total loss, cross-entropy, divergence, the evaluations and, where it is known, the entropy that no model can go below.
/// Raw points stay visible, faint, under their smoothed line. Only shows; everything is appended from outside. GUI thread.
class LossPlot : public QWidget {
    Q_OBJECT

public:
    explicit LossPlot(QWidget* parent = nullptr);
    ~LossPlot() override;

    void reset(std::int64_t total_steps);
    void append(const MetricPoint* first, const MetricPoint* last);
    void append(const EvaluationPoint* first, const EvaluationPoint* last);
    void finishAppending(); ///< one redraw for all that was appended, at the next turn of the event loop

    void setLogarithmic(bool logarithmic);
    [[nodiscard]] bool logarithmic() const { return m_logarithmic; }
    /// Weight of the past in the moving average, 0 (none) to 0.99; debiased, so that it starts at the first point.
    void setSmoothing(double weight);

    /// Which run this is, for whoever sees the curve elsewhere.
    void setAbout(const QString& title, const QStringList& facts);
    [[nodiscard]] QList<QStringList> table() const; ///< all points and all evaluations, a line for each step; the first names the columns
    [[nodiscard]] Export whole();
    [[nodiscard]] int pointCount() const { return static_cast<int>(m_metrics.size()); }

Q_SIGNALS:
    void logarithmicChanged(bool logarithmic); ///< by a key or the menu, too

protected:
    void changeEvent(QEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    struct Curve {
        QCPGraph* raw = nullptr;
        QCPGraph* smooth = nullptr;
        double average = 0;
        double weight = 0; ///< of all points so far, for the debiasing
        void clear();
    };

    void build();
    void putLegendBelow();
    void applyTheme();
    void addTo(Curve& curve, double step, double value);
    void refill();
    void fitAxes();
    void pointAt(double x);
    [[nodiscard]] static QString figure(double value); ///< as it is read beside the curves
    void contextMenu(const QPoint& place);

    QString m_about;
    QStringList m_facts;
    QCustomPlot* m_plot;
    Curve m_total, m_cross_entropy, m_divergence;
    QCPGraph* m_evaluation = nullptr;
    QCPGraph* m_broken = nullptr; ///< steps whose loss was not finite
    QCPItemStraightLine* m_floor = nullptr;
    QCPGraph* m_floor_key = nullptr;
    std::unique_ptr<PlotCursor> m_cursor;
    std::vector<MetricPoint> m_metrics;
    std::vector<EvaluationPoint> m_evaluations;
    std::int64_t m_total_steps = 0;
    double m_entropy_floor = -1;
    double m_least = 0, m_most = 0; ///< of everything finite that is drawn
    double m_smoothing = 0.6;
    bool m_logarithmic = false;
};

} // namespace retort
