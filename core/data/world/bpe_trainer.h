#pragma once
#include "core/base/error.h"

#include <cstdint>
#include <map>
#include <string>

namespace retort {

/// How often each pre-token occurs in the text to be trained on.
using WordCounts = std::map<std::string, std::uint64_t>;

/// The spelling of the one special piece, number 0, which separates documents and begins a prompt.
inline constexpr const char* kDocumentSeparator = "<|endoftext|>";

/// Trains byte-pair encoding (Sennrich, Haddow, Birch 2016) over bytes (Radford et al. 2019) and gives back a Hugging Face tokenizer.json of `pieces`
/// pieces: the separator, the 256 bytes, then merges, the most frequent pair first, the smaller pair of numbers among equals. Digits stand alone.
/// The same counts give the same file on every machine. Fails when `pieces` is below 257 or the words cannot fill it.
[[nodiscard]] Result<std::string> train_bpe(const WordCounts& words, std::size_t pieces);

} // namespace retort
