#pragma once
#include "core/data/world/grammar.h"

#include <cstdint>
#include <memory>
#include <string_view>

namespace retort {

// One maker per kind; each adds its words to the lexicon.

[[nodiscard]] std::unique_ptr<const KindGrammar> make_story(Lexicon& lexicon);
[[nodiscard]] std::unique_ptr<const KindGrammar> make_logic(Lexicon& lexicon);
/// Both terms have the same number of digits, 1 to `most_digits` (at most 4), the middle lengths twice as likely.
[[nodiscard]] std::unique_ptr<const KindGrammar> make_sum(Lexicon& lexicon, int most_digits);
[[nodiscard]] std::unique_ptr<const KindGrammar> make_code(Lexicon& lexicon);
/// `facts` is rounded up to a multiple of four: every land has a river, a lake, a mountain and a capital.
[[nodiscard]] std::unique_ptr<const KindGrammar> make_fact(Lexicon& lexicon, std::uint64_t seed, int facts);
[[nodiscard]] std::unique_ptr<const KindGrammar> make_identity(Lexicon& lexicon, std::string_view name);

} // namespace retort
