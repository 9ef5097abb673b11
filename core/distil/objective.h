#pragma once
#include <cstdint>
#include <memory>
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

/// How far the student is from the teacher at one position; 0 when they agree [plugin point].
///
/// An objective is one formula and its derivative. Masks, averages, temperature, T-squared and mixing with cross-entropy are the step's work, once
/// for all. evaluate() writes to `gradient` the derivative with respect to b, up to an additive constant per position (the softmax removes it): the
/// step turns it into the gradient of the raw logits, dL/dz_i = (g_i - q_i sum_j g_j) / T, times its factors. Called from several threads at once;
/// holds no mutable state.
class Objective {
public:
    virtual ~Objective() = default;
    [[nodiscard]] virtual std::string_view name() const = 0;
    [[nodiscard]] virtual std::string_view formula() const = 0; ///< "KL(teacher ‖ student)", for the window
    [[nodiscard]] virtual double evaluate(PositionPair pair, std::span<float> gradient) const = 0;
};

/// KL(teacher || student) = sum_i p_i (a_i - b_i); d/db_i = -p_i.
/// Pulls the student up wherever the teacher has mass ("mean-seeking"). Hinton, Vinyals, Dean 2015, with the teacher's entropy kept in, so
/// that the curve reads 0 when the two agree.
class ForwardKl final : public Objective {
public:
    [[nodiscard]] std::string_view name() const override { return "forward_kl"; }
    [[nodiscard]] std::string_view formula() const override { return "KL(teacher \u2016 student)"; }
    [[nodiscard]] double evaluate(PositionPair pair, std::span<float> gradient) const override;
};

} // namespace retort
