#pragma once
#include "core/base/error.h"
#include "core/text/tokenizer.h"

#include <string>

namespace retort {

/// The tokenizer.json (format: huggingface/tokenizers) that cuts texts as these fields say: the tokenizer of a GGUF file, or of a tokenizer.model,
/// for a student that is saved as a Hugging Face folder. The one that the file embeds, where it does. SentencePiece's BPE has scores where
/// tokenizer.json has an order, in which pieces of equal score take turns; no vocabulary in use has such pieces besides unused ones.
[[nodiscard]] Result<std::string> tokenizer_json_of(const GgufTokenizer& fields);

} // namespace retort
