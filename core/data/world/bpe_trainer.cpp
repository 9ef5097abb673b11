#include "core/data/world/bpe_trainer.h"

#include "core/text/bpe_json.h"
#include "core/text/byte_alphabet.h"

#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

namespace retort {

namespace {

constexpr std::size_t kBytes = 256;
using Pair = std::pair<std::uint32_t, std::uint32_t>;

std::vector<std::string> byte_spellings()
{
    std::vector<std::string> spellings;
    for (std::size_t byte = 0; byte < kBytes; ++byte) {
        spellings.push_back(spell_bytes(std::string(1, static_cast<char>(byte))));
    }
    return spellings;
}

/// A word as the pieces it is cut into so far.
struct Cut {
    std::vector<std::uint32_t> pieces;
    std::uint64_t count = 0;
};

/// The most frequent pair; no pair at all when every word is one piece.
std::pair<Pair, std::uint64_t> best_pair(const std::vector<Cut>& cuts)
{
    std::map<Pair, std::uint64_t> counts;
    for (const Cut& cut : cuts) {
        for (std::size_t i = 0; i + 1 < cut.pieces.size(); ++i) {
            counts[{cut.pieces[i], cut.pieces[i + 1]}] += cut.count;
        }
    }
    std::pair<Pair, std::uint64_t> best;
    for (const auto& [pair, count] : counts) {
        if (count > best.second) {
            best = {pair, count};
        }
    }
    return best;
}

void merge(std::vector<Cut>& cuts, const Pair& pair, std::uint32_t merged)
{
    for (Cut& cut : cuts) {
        std::size_t out = 0;
        for (std::size_t i = 0; i < cut.pieces.size(); ++i, ++out) {
            const bool here = i + 1 < cut.pieces.size() && cut.pieces[i] == pair.first && cut.pieces[i + 1] == pair.second;
            cut.pieces[out] = here ? merged : cut.pieces[i];
            i += here ? 1 : 0;
        }
        cut.pieces.resize(out);
    }
}

nlohmann::ordered_json token_file(const std::vector<std::string>& spellings, const std::vector<std::pair<std::string, std::string>>& merges)
{
    using Json = nlohmann::ordered_json;
    Json vocabulary = Json::object();
    for (std::size_t i = 0; i < spellings.size(); ++i) {
        vocabulary[spellings[i]] = i;
    }
    const Json special = {{"id", 0},         {"content", kDocumentSeparator}, {"single_word", false}, {"lstrip", false},
                          {"rstrip", false}, {"normalized", false},           {"special", true}};
    const Json bytes = {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", true}};
    const Json begin = {{"SpecialToken", {{"id", kDocumentSeparator}, {"type_id", 0}}}};
    const Json text = {{"Sequence", {{"id", "A"}, {"type_id", 0}}}};
    const Json second_text = {{"Sequence", {{"id", "B"}, {"type_id", 1}}}};
    Json file;
    file["version"] = "1.0";
    file["truncation"] = nullptr;
    file["padding"] = nullptr;
    file["added_tokens"] = Json::array({special});
    file["normalizer"] = nullptr;
    file["pre_tokenizer"] = {{"type", "Sequence"}, {"pretokenizers", Json::array({{{"type", "Digits"}, {"individual_digits", true}}, bytes})}};
    file["post_processor"] = {
        {"type", "TemplateProcessing"},
        {"single", Json::array({begin, text})},
        {"pair", Json::array({begin, text, second_text})},
        {"special_tokens",
         {{kDocumentSeparator, {{"id", kDocumentSeparator}, {"ids", Json::array({0})}, {"tokens", Json::array({kDocumentSeparator})}}}}}};
    file["decoder"] = bytes;
    Json pairs = Json::array();
    for (const auto& [left, right] : merges) {
        pairs.push_back(Json::array({left, right}));
    }
    file["model"] = bpe_model_json(std::move(vocabulary), std::move(pairs), false);
    return file;
}

} // namespace

Result<std::string> train_bpe(const WordCounts& words, std::size_t pieces)
{
    if (pieces < kBytes + 1) {
        return failure(Error::Kind::Usage, "A byte-level tokenizer has at least 257 pieces; " + std::to_string(pieces) + " were asked for.");
    }
    std::vector<std::string> spellings = {kDocumentSeparator};
    const std::vector<std::string> bytes = byte_spellings();
    spellings.insert(spellings.end(), bytes.begin(), bytes.end());
    std::vector<Cut> cuts;
    for (const auto& [word, count] : words) {
        cuts.push_back({{}, count});
        for (const char c : word) {
            cuts.back().pieces.push_back(static_cast<unsigned char>(c) + 1U);
        }
    }
    std::vector<std::pair<std::string, std::string>> merges;
    while (spellings.size() < pieces) {
        const auto [pair, count] = best_pair(cuts);
        if (count == 0) {
            return failure(Error::Kind::Usage,
                           "The text gives only " + std::to_string(spellings.size()) + " pieces; " + std::to_string(pieces) + " were asked for.");
        }
        merge(cuts, pair, static_cast<std::uint32_t>(spellings.size()));
        merges.emplace_back(spellings[pair.first], spellings[pair.second]);
        spellings.push_back(spellings[pair.first] + spellings[pair.second]);
    }
    return token_file(spellings, merges).dump(1) + "\n";
}

} // namespace retort
