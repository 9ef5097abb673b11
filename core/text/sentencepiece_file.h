#pragma once
#include "core/text/tokenizer.h"

namespace retort {

/// Reads a tokenizer.model (SentencePiece's ModelProto in protobuf's wire format, sentencepiece_model.proto), BPE or Unigram. Every length is
/// compared with the bytes that are left before anything is taken. What the file asks for and Retort does not do is refused by name. `origin` names
/// the file.
[[nodiscard]] Result<GgufTokenizer> read_sentencepiece(std::string_view bytes, std::string_view origin);

} // namespace retort
