#include "core/text/bpe_json.h"

#include <nlohmann/json.hpp>
#include <utility>

namespace retort {

nlohmann::ordered_json bpe_model_json(nlohmann::ordered_json vocabulary, nlohmann::ordered_json merges, bool ignore_merges)
{
    return {{"type", "BPE"},
            {"dropout", nullptr},
            {"unk_token", nullptr},
            {"continuing_subword_prefix", nullptr},
            {"end_of_word_suffix", nullptr},
            {"fuse_unk", false},
            {"byte_fallback", false},
            {"ignore_merges", ignore_merges},
            {"vocab", std::move(vocabulary)},
            {"merges", std::move(merges)}};
}

} // namespace retort
