#pragma once
#include "core/text/piece_tokenizer.h"
#include "core/text/vocabulary.h"

namespace retort {

/// Reads the `model` of a tokenizer.json, BPE, Unigram or WordLevel: its pieces and merges into `vocabulary`, which has the added tokens already, its
/// settings as the answer. `byte_level`: texts come as bytes and pieces spell bytes; the answer tells whether a BPE model goes by that. The error is
/// a part of a sentence without the file's name.
[[nodiscard]] Result<decltype(PieceTokenizer::Parts::model)> read_piece_model(const JsonValue& model, bool byte_level, Vocabulary& vocabulary);

} // namespace retort
