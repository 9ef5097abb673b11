#pragma once
#include "core/model/model.h"

#include <nlohmann/json.hpp>

namespace retort::test {

inline constexpr TokenId kStart = 256; ///< <|im_start|>
inline constexpr TokenId kEnd = 257;   ///< <|im_end|>
inline constexpr TokenId kBos = 258;   ///< <s>

inline constexpr const char* kChatTemplate =
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] | trim + '<|im_end|>\\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

/// A tokenizer.json whose pieces 0 ... 255 are the single bytes in order, so that every id can be read off the text, with three special pieces after
/// them.
inline std::string byte_tokenizer_json()
{
    nlohmann::json vocabulary = nlohmann::json::object();
    int others = 0;
    for (int byte = 0; byte < 256; ++byte) {
        const bool itself = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
        const int code = itself ? byte : 256 + others++;
        const std::string spelling = code < 0x80 ? std::string(1, static_cast<char>(code))
                                                 : std::string{static_cast<char>(0xC0 | code >> 6), static_cast<char>(0x80 | (code & 0x3F))};
        vocabulary[spelling] = byte;
    }
    const auto special = [](const char* content, TokenId id) {
        return nlohmann::json{{"id", id},        {"content", content},  {"single_word", false}, {"lstrip", false},
                              {"rstrip", false}, {"normalized", false}, {"special", true}};
    };
    const nlohmann::json byte_level = {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", true}};
    const nlohmann::json json = {{"version", "1.0"},
                                 {"added_tokens", {special("<|im_start|>", kStart), special("<|im_end|>", kEnd), special("<s>", kBos)}},
                                 {"normalizer", nullptr},
                                 {"pre_tokenizer", byte_level},
                                 {"post_processor", nullptr},
                                 {"decoder", byte_level},
                                 {"model", {{"type", "BPE"}, {"vocab", vocabulary}, {"merges", nlohmann::json::array()}}}};
    return json.dump();
}

/// A model of that tokenizer and chat template, without weights: for what looks only at text.
inline Model byte_model(const char* chat_template = kChatTemplate)
{
    ModelInfo info;
    info.name = "bytes";
    info.spec.vocabulary = 320; // padded
    info.spec.context = 64;
    info.stop_tokens = {kEnd};
    info.bos_text = "<s>";
    auto tokenizer = Tokenizer::from_json(byte_tokenizer_json(), "tokenizer.json");
    std::shared_ptr<const ChatTemplate> parsed;
    if (chat_template != nullptr) {
        parsed = ChatTemplate::parse(chat_template).value();
    }
    return {std::move(info), std::make_shared<const WeightSet>(), tokenizer.value(), std::move(parsed)};
}

} // namespace retort::test
