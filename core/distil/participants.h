#pragma once
#include "core/data/batch.h"
#include "core/distil/plan.h"
#include "core/distil/targets.h"
#include "core/kernels/aligned_buffer.h"
#include "core/kernels/train_optimiser.h"
#include "core/model/trainable_net.h"

#include <cstdint>
#include <memory>
#include <span>

namespace retort {

/// The teacher's net: frozen, forward only. The engine thread.
class Teacher {
public:
    explicit Teacher(std::unique_ptr<TrainableNet> net) : m_net(std::move(net)) {}

    /// Reads a batch and keeps its hidden states at the targets.
    void forward(const Batch& batch, const Targets& targets);
    [[nodiscard]] TrainableNet::Logits logits(std::int64_t first, std::int64_t count, std::int64_t vocabulary)
    {
        return m_net->logits(first, count, vocabulary);
    }
    [[nodiscard]] const TrainableNet& net() const { return *m_net; }

private:
    std::unique_ptr<TrainableNet> m_net;
};

/// The student's net with its gradients and AdamW's moments. The engine thread.
class Student {
public:
    /// `by`: the optimiser's, see OptimiserKind.
    Student(std::unique_ptr<TrainableNet> net, const DistilPlan::Optimiser& optimiser, void (*by)(const AdamWUpdate&) = adamw_update);

    void zero_gradients();
    void forward(const Batch& batch, const Targets& targets);
    [[nodiscard]] TrainableNet::Logits logits(std::int64_t first, std::int64_t count, std::int64_t vocabulary)
    {
        return m_net->logits(first, count, vocabulary);
    }
    void head_backward(std::int64_t first, const TrainableNet::Logits& gradient) { m_net->head_backward(first, gradient); }
    void backward() { m_net->backward(); }

    /// The norm over all gradients; the step that follows scales them so that it is at most `limit` (torch.nn.utils.clip_grad_norm_). No limit when
    /// 0.
    double clip_gradients(double limit);
    void optimiser_step(double learning_rate);

    [[nodiscard]] TrainableNet& net() { return *m_net; }
    [[nodiscard]] const TrainableNet& net() const { return *m_net; }
    [[nodiscard]] std::span<float> exp_avg() { return m_exp_avg.span(); }
    [[nodiscard]] std::span<float> exp_avg_sq() { return m_exp_avg_sq.span(); }
    [[nodiscard]] std::int64_t updates() const { return m_updates; } ///< optimiser steps done
    void resume_at(std::int64_t updates) { m_updates = updates; }

private:
    void update(std::int64_t begin, std::int64_t end, double learning_rate, double weight_decay);

    std::unique_ptr<TrainableNet> m_net;
    DistilPlan::Optimiser m_optimiser;
    void (*m_update)(const AdamWUpdate&);
    AlignedBuffer<float> m_exp_avg, m_exp_avg_sq;
    double m_clip_scale = 1;
    std::int64_t m_updates = 0;
};

} // namespace retort
