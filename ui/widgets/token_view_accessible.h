#pragma once
#include <cstddef>

namespace retort {

class TokenView;

/// Makes token views readable by screen readers: the whole text, the token at the cursor as the caret's place, its facts as the value.
void install_token_view_accessibility();

/// Tells assistive technology that the cursor came to `token`.
void announce_token(TokenView& view, std::size_t token);

} // namespace retort
