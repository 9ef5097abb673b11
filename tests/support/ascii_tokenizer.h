#pragma once
#include <nlohmann/json.hpp>
#include <string>

namespace retort::test {

/// A tokenizer.json of 96 pieces: one for each printable ASCII character in order, and one special piece.
inline std::string ascii_tokenizer_json()
{
    using Json = nlohmann::json;
    Json vocabulary = Json::object();
    for (int c = 32; c < 127; ++c) {
        vocabulary[c == 32 ? "\u0120" : std::string(1, static_cast<char>(c))] = c - 32;
    }
    const Json special = {{"id", 95},        {"content", "<|end|>"}, {"single_word", false}, {"lstrip", false},
                          {"rstrip", false}, {"normalized", false},  {"special", true}};
    const Json byte_level = {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", true}};
    const Json model = {{"type", "BPE"}, {"vocab", vocabulary}, {"merges", Json::array()}};
    return Json{{"version", "1.0"},
                {"added_tokens", Json::array({special})},
                {"normalizer", nullptr},
                {"pre_tokenizer", byte_level},
                {"post_processor", nullptr},
                {"decoder", byte_level},
                {"model", model}}
        .dump();
}

} // namespace retort::test
