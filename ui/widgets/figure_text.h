#pragma once
#include <QString>

namespace retort {

/// The number with so many decimals; what rounds to zero has no sign, what is no number is a dash.
[[nodiscard]] QString figure(double value, int decimals);

/// "41.2 %", "0.083 %", "< 0.001 %": two or three digits that matter.
[[nodiscard]] QString percent(double probability);

/// What is said of a probability that is only known to be below another: "< 7.6 %".
[[nodiscard]] QString below_percent(double probability);

} // namespace retort
