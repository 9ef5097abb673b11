#pragma once
#include <nlohmann/json_fwd.hpp>

namespace retort {

/// The `model` of a tokenizer.json that is BPE, byte-level unless changed (format: huggingface/tokenizers). `vocabulary`: spelling to id; `merges`:
/// pairs of spellings, best first.
[[nodiscard]] nlohmann::ordered_json bpe_model_json(nlohmann::ordered_json vocabulary, nlohmann::ordered_json merges, bool ignore_merges);

} // namespace retort
