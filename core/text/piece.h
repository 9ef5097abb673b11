#pragma once
#include "core/text/tokenizer.h"

namespace retort {

/// One entry of a vocabulary.
struct Piece {
    std::string spelling;
    std::string bytes;     ///< what it stands for in text
    double score = 0.0;    ///< log-probability, where the model goes by that (Unigram)
    bool in_model = false; ///< the model may make it out of text; otherwise only added tokens and the program use it
    bool special = false;
    bool added = false;
    bool unused = false;    ///< fills a hole in the ids
    bool ends_word = false; ///< a blank stands between it and a piece that follows
};

/// `left` and `right` side by side become `result`; the lowest rank goes first.
struct Merge {
    TokenId left = 0;
    TokenId right = 0;
    TokenId result = 0;
    std::uint32_t rank = 0;
};

} // namespace retort
