#pragma once
#include "core/distil/plan.h"
#include "core/distil/run.h"

#include <QWidget>
#include <optional>
#include <vector>

namespace retort {

class Objective;

/// The loss as a formula that shows its own numbers: loss = a CE + (1 - a) T^2 divergence, with the latest step's values under it.
class LossFormula : public QWidget {
    Q_OBJECT

public:
    explicit LossFormula(QWidget* parent = nullptr);
    /// `divergence`: the one that `objective` names; null for none.
    void setObjective(const DistilPlan::Objective& objective, const Objective* divergence);
    void setPoint(const std::optional<MetricPoint>& point);
    [[nodiscard]] QString text() const; ///< the second line, as read aloud
    [[nodiscard]] QSize sizeHint() const override;
    [[nodiscard]] QSize minimumSizeHint() const override { return sizeHint(); }

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    enum class Ink { Text, Muted, CrossEntropy, Divergence };
    struct Piece {
        QString text;
        Ink ink = Ink::Text;
    };
    [[nodiscard]] std::vector<Piece> names() const;
    [[nodiscard]] std::vector<Piece> numbers() const;
    void describe();

    DistilPlan::Objective m_objective;
    QString m_divergence;
    double m_factor = 1; ///< what the divergence is multiplied by: T-squared, or T
    std::optional<MetricPoint> m_point;
};

} // namespace retort
