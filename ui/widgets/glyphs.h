#pragma once

namespace retort {

/// Whether some font of this machine can draw the character; without one it would be an empty box, the same for every such character. GUI thread.
[[nodiscard]] bool can_be_drawn(char32_t character);

} // namespace retort
