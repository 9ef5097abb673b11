#include "core/distil/participants.h"

#include <algorithm>
#include <cmath>

namespace retort {

void Teacher::forward(const Batch& batch, const Targets& targets)
{
    m_net->forward(batch.ids, batch.sequences, batch.length);
    m_net->pick(targets.rows);
}

Student::Student(std::unique_ptr<TrainableNet> net, const DistilPlan::Optimiser& optimiser, void (*by)(const AdamWUpdate&))
    : m_net(std::move(net)), m_optimiser(optimiser), m_update(by), m_exp_avg(m_net->parameters().size()), m_exp_avg_sq(m_net->parameters().size())
{
}

void Student::zero_gradients()
{
    std::ranges::fill(m_net->gradients(), 0.0f);
}

void Student::forward(const Batch& batch, const Targets& targets)
{
    m_net->forward(batch.ids, batch.sequences, batch.length);
    m_net->pick(targets.rows);
}

double Student::clip_gradients(double limit)
{
    const double norm = std::sqrt(sum_of_squares(m_net->gradients()));
    m_clip_scale = limit > 0 ? std::min(1.0, limit / (norm + 1e-6)) : 1.0;
    return norm;
}

void Student::optimiser_step(double learning_rate)
{
    ++m_updates;
    update(0, m_net->layout().vectors(), learning_rate, 0.0);
    update(m_net->layout().vectors(), m_net->layout().total(), learning_rate, m_optimiser.weight_decay);
}

void Student::update(std::int64_t begin, std::int64_t end, double learning_rate, double weight_decay)
{
    const bool rounds = begin >= m_net->layout().vectors() && !m_net->rounded().empty();
    m_update({.parameters = m_net->parameters().subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin)),
              .exp_avg = m_exp_avg.data() + begin,
              .exp_avg_sq = m_exp_avg_sq.data() + begin,
              .gradients = m_net->gradients().data() + begin,
              .rounded = rounds ? m_net->rounded().data() + (begin - m_net->layout().vectors()) : nullptr,
              .gradient_scale = m_clip_scale,
              .lr = learning_rate,
              .beta1 = m_optimiser.beta1,
              .beta2 = m_optimiser.beta2,
              .eps = m_optimiser.eps,
              .weight_decay = weight_decay,
              .step = m_updates});
}

} // namespace retort
