#pragma once
#include <QStringList>
#include <QWidget>
#include <optional>
#include <vector>

class QCustomPlot;
class QCPGraph;

namespace retort {

/// A distribution by rank: the most probable token first.
struct RankPoints {
    std::vector<double> ranks; ///< from 1
    std::vector<double> probabilities;
};

/// Probability over rank, both axes logarithmic: how much a model knows beyond its first choice. The teacher's probability outside its first choice,
/// the "dark knowledge" of Hinton, Vinyals, Dean 2015, is shaded. GUI thread.
class RankCurve : public QWidget {
    Q_OBJECT

public:
    explicit RankCurve(QWidget* parent = nullptr);

    struct Curves {
        RankPoints teacher, student, truth;   ///< each may be empty
        std::optional<double> dark_knowledge; ///< the teacher's probability outside its first choice
    };
    void showCurves(const Curves& curves);
    /// The curves alone, as lines, for a picture.
    void paint(QPainter& painter, QSize size);
    /// The points of all curves; the first line names the columns.
    [[nodiscard]] static QList<QStringList> table(const Curves& curves);
    [[nodiscard]] QSize sizeHint() const override { return {360, 260}; }

protected:
    void changeEvent(QEvent* event) override;

private:
    void buildPlot();
    void restyle();
    void fitAxes(const Curves& curves);

    QCustomPlot* m_plot;
    QCPGraph* m_shade = nullptr;
    QCPGraph* m_teacher = nullptr;
    QCPGraph* m_student = nullptr;
    QCPGraph* m_truth = nullptr;
};

} // namespace retort
