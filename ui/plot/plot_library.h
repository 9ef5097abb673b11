#pragma once
#include <QString>

namespace retort {

/// The version of the library that draws curves and bars.
[[nodiscard]] QString plot_library_version();

} // namespace retort
