#pragma once
#include "core/distil/plan.h"
#include "core/kernels/train_divergence.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace retort {

/// One position: log-probabilities over the pieces, already tempered and normalised. a: teacher, b: student.
struct PositionPair {
    std::span<const float> teacher;
    std::span<const float> student;
};

/// How far the student is from the teacher at one position [plugin point].
///
/// An objective is one formula and its derivative. Masks, averages, temperature and mixing with cross-entropy are the step's work, once for all.
/// evaluate() writes to `gradient` the derivative with respect to b, up to a multiple of q per position (the softmax removes it): the step turns it
/// into the gradient of the raw logits, dL/dz_i = (g_i - q_i sum_j g_j) / T, times its factors. Called from several threads at once; holds no mutable
/// state.
class Objective {
public:
    virtual ~Objective() = default;
    [[nodiscard]] virtual std::string_view name() const = 0;
    [[nodiscard]] virtual std::string_view formula() const = 0; ///< "KL(teacher ‖ student)", for the window
    [[nodiscard]] virtual double evaluate(PositionPair pair, std::span<float> gradient) const = 0;

    /// What keeps the gradient's size as T grows: T-squared where the divergence is quadratic in small differences, T where it is linear.
    [[nodiscard]] virtual double factor(double temperature) const { return temperature * temperature; }
    /// The kernel that gives the same several rows at a time; none: evaluate() row by row.
    [[nodiscard]] virtual std::optional<DivergenceForm> fused() const { return std::nullopt; }
};

/// An objective that a plan can name.
struct ObjectiveKind {
    std::string name;
    std::string summary;                ///< the formula on one line
    std::string when, trap, source;     ///< what it is good for, what to beware of, who proposed it: a sentence or two each
    std::vector<std::string> options{}; ///< fields of the plan's objective that it reads, besides temperature and alpha_cross_entropy
    std::function<std::shared_ptr<const Objective>(const DistilPlan::Objective&)> make;
};

} // namespace retort
