#include "core/text/gguf_tokenizer_json.h"

#include "core/text/bpe_json.h"
#include "core/text/gguf_tokenizer_fields.h"

#include <nlohmann/json.hpp>
#include <unordered_set>

namespace retort {

namespace {

nlohmann::ordered_json pretokenizer_json(const NamedCut& cut)
{
    nlohmann::ordered_json steps = nlohmann::ordered_json::array();
    for (const std::string_view expression : cut.expressions) {
        steps.push_back({{"type", "Split"}, {"pattern", {{"Regex", expression}}}, {"behavior", "Isolated"}, {"invert", false}});
    }
    steps.push_back({{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", false}});
    return {{"type", "Sequence"}, {"pretokenizers", std::move(steps)}};
}

/// What goes before and after a single text, as TemplateProcessing; null where nothing does.
nlohmann::ordered_json additions_json(const GgufTokenizer& fields, bool add_bos)
{
    nlohmann::ordered_json single = nlohmann::ordered_json::array();
    nlohmann::ordered_json tokens = nlohmann::ordered_json::object();
    const auto add = [&](TokenId id) {
        const std::string& spelling = fields.tokens[static_cast<std::size_t>(id)];
        single.push_back({{"SpecialToken", {{"id", spelling}, {"type_id", 0}}}});
        tokens[spelling] = {{"id", spelling}, {"ids", {id}}, {"tokens", {spelling}}};
    };
    if (fields.bos && fields.add_bos.value_or(add_bos)) {
        add(*fields.bos);
    }
    single.push_back({{"Sequence", {{"id", "A"}, {"type_id", 0}}}});
    if (fields.eos && fields.add_eos.value_or(false)) {
        add(*fields.eos);
    }
    if (tokens.empty()) {
        return nullptr;
    }
    nlohmann::ordered_json pair = single;
    pair.push_back({{"Sequence", {{"id", "B"}, {"type_id", 1}}}});
    return {{"type", "TemplateProcessing"}, {"single", std::move(single)}, {"pair", std::move(pair)}, {"special_tokens", std::move(tokens)}};
}

/// Pieces and merges; a merge of a piece that is not there never comes about, and tokenizers refuses files that have one.
nlohmann::ordered_json model_json(const GgufTokenizer& fields, bool ignore_merges)
{
    nlohmann::ordered_json vocabulary = nlohmann::ordered_json::object();
    std::unordered_set<std::string_view> known;
    auto& pieces = vocabulary.get_ref<nlohmann::ordered_json::object_t&>();
    pieces.reserve(fields.tokens.size());
    for (std::size_t id = 0; id < fields.tokens.size(); ++id) {
        if (known.insert(fields.tokens[id]).second) { // by hand, because an ordered object looks through all its keys before it takes one more
            pieces.emplace_back(fields.tokens[id], id);
        }
    }
    nlohmann::ordered_json merges = nlohmann::ordered_json::array();
    for (const std::string& merge : fields.merges) {
        const std::size_t space = merge.find(' ', 1);
        if (space == std::string::npos) {
            continue;
        }
        const std::string left = merge.substr(0, space);
        const std::string right = merge.substr(space + 1);
        if (known.contains(left) && known.contains(right) && known.contains(left + right)) {
            merges.push_back({left, right});
        }
    }
    return bpe_model_json(std::move(vocabulary), std::move(merges), ignore_merges);
}

nlohmann::ordered_json added_tokens_json(const GgufTokenizer& fields)
{
    nlohmann::ordered_json added = nlohmann::ordered_json::array();
    for (std::size_t id = 0; id < fields.types.size(); ++id) {
        const bool special = fields.types[id] == kControl || fields.types[id] == kUnknown;
        if ((special || fields.types[id] == kUserDefined) && !fields.tokens[id].empty()) {
            added.push_back({{"id", id},
                             {"content", fields.tokens[id]},
                             {"single_word", false},
                             {"lstrip", false},
                             {"rstrip", false},
                             {"normalized", false},
                             {"special", special}});
        }
    }
    return added;
}

} // namespace

Result<std::string> tokenizer_json_of(const GgufTokenizer& fields)
{
    if (!fields.huggingface_json.empty()) {
        return fields.huggingface_json;
    }
    const NamedCut* cut = fields.model == "gpt2" ? cut_named(fields.pre) : nullptr;
    if (cut == nullptr) {
        return std::string(); // SentencePiece's scores have no merges to write
    }
    return guard("writing a tokenizer", [&]() -> Result<std::string> {
        const nlohmann::ordered_json byte_level = {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", false}};
        const nlohmann::ordered_json json = {{"version", "1.0"},
                                             {"truncation", nullptr},
                                             {"padding", nullptr},
                                             {"added_tokens", added_tokens_json(fields)},
                                             {"normalizer", nullptr},
                                             {"pre_tokenizer", pretokenizer_json(*cut)},
                                             {"post_processor", additions_json(fields, cut->add_bos)},
                                             {"decoder", byte_level},
                                             {"model", model_json(fields, cut->ignore_merges)}};
        return json.dump() + "\n";
    });
}

} // namespace retort
