#pragma once
#include "core/base/error.h"
#include "core/text/tokenizer.h"

#include <string>

namespace retort {

/// The tokenizer.json (format: huggingface/tokenizers) that cuts every text as these fields say: a GGUF file's tokenizer for a student that is saved
/// as a Hugging Face folder. The one that the file embeds, where it does. Empty for what is not byte-level BPE.
[[nodiscard]] Result<std::string> tokenizer_json_of(const GgufTokenizer& fields);

} // namespace retort
