#include "core/distil/objective.h"

#include "core/distil/formulas.h"

namespace retort {

double ForwardKl::evaluate(PositionPair pair, std::span<float> gradient) const
{
    return forward_kl<float>(pair.teacher, pair.student, gradient);
}

} // namespace retort
