#pragma once
#include "core/data/world/bpe_trainer.h"
#include "core/data/world/world.h"

#include <memory>
#include <string>

namespace retort::test {

/// A tokenizer of `pieces` pieces trained on `world`, as the demo's is.
inline std::string trained_json(const World& world, std::size_t pieces)
{
    WordCounts words;
    for (std::uint64_t i = 0; i < 4000; ++i) {
        for (const std::string& emission : world.document(0, i).emissions) {
            ++words[emission];
        }
    }
    return train_bpe(words, pieces).value();
}

inline std::shared_ptr<const Tokenizer> trained_tokenizer(const World& world, std::size_t pieces = 512)
{
    return Tokenizer::from_json(trained_json(world, pieces), "trained").value();
}

} // namespace retort::test
