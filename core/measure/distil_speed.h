#pragma once
#include "core/distil/participants.h"
#include "core/measure/speed.h"
#include "core/model/trainable_net.h"

#include <string>

namespace retort {

/// A teacher, a student and the distillation steps they take on made-up tokens: what a step costs, without reading data.
class PracticeRun {
public:
    /// `teacher` and `student` have the same vocabulary.
    [[nodiscard]] static Result<PracticeRun> create(const Model& teacher, const Model& student, TrainableNet::Precision precision,
                                                    std::int64_t sequences, std::int64_t length);

    /// One step with an objective of the catalogue; gives its tokens. Fails when the loss is not finite.
    [[nodiscard]] Result<std::int64_t> step(const std::string& objective = "forward_kl");

    /// Operations of the products of one step, for each token.
    [[nodiscard]] double operations_per_token() const;

private:
    PracticeRun(Teacher teacher, Student student, std::int64_t sequences, std::int64_t length);

    Teacher m_teacher;
    Student m_student;
    std::int64_t m_sequences, m_length;
    std::uint64_t m_steps = 0;
};

/// Steps of `sequences` x `length` tokens. The limit is the speed of dense products in that precision.
[[nodiscard]] Result<Speed> distil_speed(const Model& teacher, const Model& student, TrainableNet::Precision precision, std::int64_t sequences,
                                         std::int64_t length, int repeat);

/// A student with fresh weights in the demo's shape: 6 layers, width 256, 4,096 pieces.
[[nodiscard]] Result<Model> demo_shaped_model(std::uint64_t seed);

} // namespace retort
