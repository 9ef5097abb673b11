#include "core/measure/share.h"

#include <algorithm>
#include <cmath>

namespace retort {

namespace {

double wilson(const Share& share, double sign)
{
    constexpr double kZ = 1.959964;
    const auto n = static_cast<double>(share.of);
    if (share.of == 0) {
        return sign < 0 ? 0.0 : 1.0;
    }
    const double p = share.value();
    const double centre = p + kZ * kZ / (2.0 * n);
    const double spread = kZ * std::sqrt(p * (1.0 - p) / n + kZ * kZ / (4.0 * n * n));
    return std::clamp((centre + sign * spread) / (1.0 + kZ * kZ / n), 0.0, 1.0);
}

} // namespace

double Share::low() const
{
    return right == 0 ? 0.0 : wilson(*this, -1.0); // exactly, where rounding would miss the end
}

double Share::high() const
{
    return right == of ? 1.0 : wilson(*this, 1.0);
}

} // namespace retort
