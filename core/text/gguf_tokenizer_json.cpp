#include "core/text/gguf_tokenizer_json.h"

#include "core/text/bpe_json.h"
#include "core/text/gguf_tokenizer_fields.h"
#include "core/text/vocabulary.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <unordered_set>

namespace retort {

namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kBlank = "\xE2\x96\x81"; // SentencePiece's mark of one

std::string base64_of(std::string_view bytes)
{
    constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    for (std::size_t at = 0; at < bytes.size(); at += 3) {
        std::uint32_t bits = 0;
        const std::size_t count = std::min<std::size_t>(3, bytes.size() - at);
        for (std::size_t i = 0; i < 3; ++i) {
            bits = bits << 8 | (i < count ? static_cast<unsigned char>(bytes[at + i]) : 0U);
        }
        for (std::size_t i = 0; i < 4; ++i) {
            out += i <= count ? kDigits[bits >> (18 - 6 * i) & 63U] : '=';
        }
    }
    return out;
}

bool is_special(const GgufTokenizer& fields, std::size_t id)
{
    return !fields.types.empty() && (fields.types[id] == kControl || fields.types[id] == kUnknown);
}

/// Placeholders stay holes, as they are to the teacher.
bool is_unused(const GgufTokenizer& fields, std::size_t id)
{
    return !fields.types.empty() && fields.types[id] == kUnused;
}

Json pretokenizer_json(const NamedCut& cut)
{
    Json steps = Json::array();
    for (const std::string_view expression : cut.expressions) {
        steps.push_back({{"type", "Split"}, {"pattern", {{"Regex", expression}}}, {"behavior", "Isolated"}, {"invert", false}});
    }
    steps.push_back({{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", false}});
    return {{"type", "Sequence"}, {"pretokenizers", std::move(steps)}};
}

Json replacement_json(const char* kind, const char* from, const char* to)
{
    return {{"type", "Replace"}, {"pattern", {{kind, from}}}, {"content", to}};
}

/// What Normalizer::of_sentencepiece() does.
Json sentencepiece_normalizer_json(const GgufTokenizer& fields)
{
    Json steps = Json::array();
    if (!fields.character_map.empty()) {
        steps.push_back({{"type", "Precompiled"}, {"precompiled_charsmap", base64_of(fields.character_map)}});
    }
    if (fields.remove_extra_blanks.value_or(false)) {
        steps.push_back(replacement_json("Regex", "\\A +| +\\z", ""));
        steps.push_back(replacement_json("Regex", " {2,}", " "));
    }
    if (fields.add_space_prefix.value_or(true)) {
        steps.push_back({{"type", "Prepend"}, {"prepend", kBlank}});
    }
    steps.push_back(replacement_json("String", " ", kBlank));
    return {{"type", "Sequence"}, {"normalizers", std::move(steps)}};
}

Json sentencepiece_decoder_json(const GgufTokenizer& fields)
{
    Json steps = Json::array({replacement_json("String", kBlank, " "), {{"type", "ByteFallback"}}, {{"type", "Fuse"}}});
    if (fields.add_space_prefix.value_or(true)) {
        steps.push_back({{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}});
    }
    return {{"type", "Sequence"}, {"decoders", std::move(steps)}};
}

/// What goes before and after a single text, as TemplateProcessing; null where nothing does.
Json additions_json(const GgufTokenizer& fields, const PieceTokenizer::Parts& parts)
{
    Json single = Json::array();
    Json tokens = Json::object();
    const auto add = [&](TokenId id) {
        const std::string& spelling = fields.tokens[static_cast<std::size_t>(id)];
        single.push_back({{"SpecialToken", {{"id", spelling}, {"type_id", 0}}}});
        tokens[spelling] = {{"id", spelling}, {"ids", {id}}, {"tokens", {spelling}}};
    };
    std::for_each(parts.before.begin(), parts.before.end(), add);
    single.push_back({{"Sequence", {{"id", "A"}, {"type_id", 0}}}});
    std::for_each(parts.after.begin(), parts.after.end(), add);
    if (tokens.empty()) {
        return nullptr;
    }
    Json pair = single;
    pair.push_back({{"Sequence", {{"id", "B"}, {"type_id", 1}}}});
    return {{"type", "TemplateProcessing"}, {"single", std::move(single)}, {"pair", std::move(pair)}, {"special_tokens", std::move(tokens)}};
}

Json vocabulary_json(const GgufTokenizer& fields, const PieceTokenizer::Parts& parts)
{
    std::vector<bool> merged(fields.tokens.size(), false);
    for (const Merge& merge : parts.merges) {
        for (const TokenId id : {merge.left, merge.right, merge.result}) {
            merged[static_cast<std::size_t>(id)] = true;
        }
    }
    Json vocabulary = Json::object();
    std::unordered_set<std::string_view> known;
    auto& pieces = vocabulary.get_ref<Json::object_t&>();
    pieces.reserve(fields.tokens.size());
    for (std::size_t id = 0; id < fields.tokens.size(); ++id) {
        const bool wanted = merged[id] || !is_unused(fields, id);
        if (wanted && known.insert(fields.tokens[id]).second) { // by hand, because an ordered object looks through all its keys
            pieces.emplace_back(fields.tokens[id], id);
        }
    }
    return vocabulary;
}

/// Best first; where several make the same piece, the one with the shorter left part.
Json merges_json(const PieceTokenizer::Parts& parts)
{
    const auto spelling = [&parts](TokenId id) -> const std::string& { return parts.pieces[static_cast<std::size_t>(id)].spelling; };
    std::vector<Merge> merges = parts.merges;
    std::stable_sort(merges.begin(), merges.end(), [&](const Merge& a, const Merge& b) {
        return a.rank != b.rank ? a.rank < b.rank : spelling(a.left).size() < spelling(b.left).size();
    });
    Json json = Json::array();
    for (const Merge& merge : merges) {
        json.push_back({spelling(merge.left), spelling(merge.right)});
    }
    return json;
}

Json bpe_json(const GgufTokenizer& fields, const PieceTokenizer::Parts& parts)
{
    const auto& options = std::get<BpeModel::Options>(parts.model);
    Json model = bpe_model_json(vocabulary_json(fields, parts), merges_json(parts), options.ignore_merges);
    model["byte_fallback"] = options.byte_fallback;
    model["fuse_unk"] = options.fuse_unknown;
    if (options.unknown) {
        model["unk_token"] = fields.tokens[static_cast<std::size_t>(*options.unknown)];
    }
    return model;
}

/// Pieces stand in the order of their ids, so an unused one needs a place, too; it is as unlikely as the least likely one.
Json unigram_json(const GgufTokenizer& fields, const PieceTokenizer::Parts& parts)
{
    const auto& options = std::get<UnigramModel::Options>(parts.model);
    const float least = *std::min_element(fields.scores.begin(), fields.scores.end());
    Json vocabulary = Json::array();
    std::size_t size = fields.tokens.size();
    while (size > 0 && is_unused(fields, size - 1)) { // what fills up the end needs none
        --size;
    }
    for (std::size_t id = 0; id < size; ++id) {
        vocabulary.push_back({fields.tokens[id], static_cast<double>(is_unused(fields, id) ? least : fields.scores[id])});
    }
    return {{"type", "Unigram"},
            {"unk_id", options.unknown ? Json(*options.unknown) : Json(nullptr)},
            {"vocab", std::move(vocabulary)},
            {"byte_fallback", options.byte_fallback && std::find(fields.types.begin(), fields.types.end(), kByte) != fields.types.end()}};
}

Json added_tokens_json(const GgufTokenizer& fields)
{
    Json added = Json::array();
    for (std::size_t id = 0; id < fields.types.size(); ++id) {
        const bool special = is_special(fields, id);
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
    return guard("writing a tokenizer", [&]() -> Result<std::string> {
        const auto parts = parts_of(fields);
        if (!parts) {
            return with_origin("The tokenizer to write", parts.error());
        }
        const bool byte_level = fields.model == "gpt2";
        const Json bytes = {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", false}};
        const Json json = {{"version", "1.0"},
                           {"truncation", nullptr},
                           {"padding", nullptr},
                           {"added_tokens", added_tokens_json(fields)},
                           {"normalizer", byte_level ? Json(nullptr) : sentencepiece_normalizer_json(fields)},
                           {"pre_tokenizer", byte_level ? pretokenizer_json(*cut_named(fields.pre)) : Json(nullptr)},
                           {"post_processor", additions_json(fields, *parts)},
                           {"decoder", byte_level ? bytes : sentencepiece_decoder_json(fields)},
                           {"model", fields.model == "t5" ? unigram_json(fields, *parts) : bpe_json(fields, *parts)}};
        return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
    });
}

} // namespace retort
