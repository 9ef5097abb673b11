#pragma once
#include <cstddef>

namespace retort {

/// Bytes a second that the team reads from memory which it has just read once: the best of a few passes over `bytes` (1 to 512 MB of it), several
/// runs of addresses side by side as the decode kernels read. Takes some hundredths of a second.
[[nodiscard]] double measure_read_speed(std::size_t bytes);

} // namespace retort
