#pragma once
#include "ui/theme/theme.h"

namespace retort {

/// The style sheet of the whole program. Widgets ask for a look with a property: a frame with card=true, a button with kind=primary, quiet or danger,
/// a label with tone=muted, faint, teacher, student, warning or danger.
[[nodiscard]] QString style_sheet(const Theme& theme);

} // namespace retort
