#pragma once
#include "ui/workbench_state.h"

namespace retort {

/// What the database gave back, as the pages show it.
[[nodiscard]] Exchange exchange_from(const StoredPrompt& stored, std::uint64_t number);

/// The same the other way, for the list of this session's earlier exchanges; rows that are not known yet stay 0.
[[nodiscard]] StoredPrompt stored_from(const Exchange& exchange);

/// The answer's tokens before `place`, then `alternative`, with what `viewer` thought of each as far as it is known.
[[nodiscard]] std::vector<GeneratedToken> beginning_with(const Exchange& exchange, TokenPlace place, TokenId alternative, Role viewer,
                                                         const Tokenizer& tokenizer);

} // namespace retort
