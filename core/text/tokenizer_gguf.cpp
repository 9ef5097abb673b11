#include "core/text/byte_alphabet.h"
#include "core/text/message.h"
#include "core/text/vocabulary.h"

#include <algorithm>
#include <cmath>

namespace retort {

namespace {

constexpr std::size_t kLongestScoredPiece = 512;

enum TokenType : std::int32_t { kNormal = 1, kUnknown = 2, kControl = 3, kUserDefined = 4, kUnused = 5, kByte = 6 };

/// A pre-tokenizer that GGUF files know by name only. The expressions are those of the models' own tokenizer.json, where one is published;
/// which name means which, and the two flags, is llama.cpp's convention.
struct NamedCut {
    std::vector<std::string_view> names;
    std::vector<std::string_view> expressions;
    bool ignore_merges = false;
    bool add_bos = false;
};

constexpr std::string_view kLlama3 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kQwen2 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kQwen35 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kGpt4o = R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?)"
                                    R"(|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?)"
                                    R"(|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kTekken = R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+)"
                                     R"(|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*)"
                                     R"(|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kHan = R"([\x{4E00}-\x{9FA5}\x{3040}-\x{309F}\x{30A0}-\x{30FF}]+)";
constexpr std::string_view kDeepseek3 =
    R"([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

/// The cased letters of the Unicode that DeepSeek LLM's authors had.
constexpr std::string_view kDeepseekLetters =
    R"(\s?[A-Za-z\x{00B5}\x{00C0}-\x{00D6}\x{00D8}-\x{00F6}\x{00F8}-\x{01BA}\x{01BC}-\x{01BF}\x{01C4}-\x{0293})"
    R"(\x{0295}-\x{02AF}\x{0370}-\x{0373}\x{0376}\x{0377}\x{037B}-\x{037D}\x{037F}\x{0386}\x{0388}-\x{038A}\x{038C})"
    R"(\x{038E}-\x{03A1}\x{03A3}-\x{03F5}\x{03F7}-\x{0481}\x{048A}-\x{052F}\x{0531}-\x{0556}\x{10A0}-\x{10C5})"
    R"(\x{13A0}-\x{13F5}\x{13F8}-\x{13FD}\x{1C90}-\x{1CBA}\x{1CBD}-\x{1CBF}\x{1D00}-\x{1D2B}\x{1D6B}-\x{1D77})"
    R"(\x{1D79}-\x{1D9A}\x{1E00}-\x{1F15}\x{1F18}-\x{1F1D}\x{1F20}-\x{1F45}\x{1F48}-\x{1F4D}\x{1F50}-\x{1F57}\x{1F59}\x{1F5B})"
    R"(\x{1F5D}\x{1F5F}-\x{1F7D}\x{1F80}-\x{1FB4}\x{1FB6}-\x{1FBC}\x{1FBE}\x{1FC2}-\x{1FC4}\x{1FC6}-\x{1FCC}\x{1FD0}-\x{1FD3})"
    R"(\x{1FD6}-\x{1FDB}\x{1FE0}-\x{1FEC}\x{1FF2}-\x{1FF4}\x{1FF6}-\x{1FFC}\x{2102}\x{2107}\x{210A}-\x{2113}\x{2115})"
    R"(\x{2119}-\x{211D}\x{2124}\x{2126}\x{2128}\x{212A}-\x{212D}\x{212F}-\x{2134}\x{2139}\x{213C}-\x{213F}\x{2145}-\x{2149})"
    R"(\x{214E}\x{2183}\x{2184}\x{2C00}-\x{2C7B}\x{2C7E}-\x{2CE4}\x{2CEB}-\x{2CEE}\x{2CF2}\x{2CF3}\x{A640}-\x{A66D})"
    R"(\x{A680}-\x{A69B}\x{A722}-\x{A76F}\x{A771}-\x{A787}\x{A78B}-\x{A78E}\x{AB70}-\x{ABBF}\x{FB00}-\x{FB06})"
    R"(\x{FB13}-\x{FB17}\x{FF21}-\x{FF3A}\x{FF41}-\x{FF5A}\x{10400}-\x{1044F}\x{104B0}-\x{104D3}\x{104D8}-\x{104FB})"
    R"(\x{10C80}-\x{10CB2}\x{10CC0}-\x{10CF2}\x{118A0}-\x{118DF}\x{1E900}-\x{1E943}]+)";
constexpr std::string_view kDeepseekSigns = R"(\s?[!-/:-~\x{FF01}-\x{FF0F}\x{FF1A}-\x{FF5E}\x{2018}-\x{201F}\x{3000}-\x{3002}]+)";
/// Says \s+$, without looking for the end of the same run from each of its places.
constexpr std::string_view kDeepseekEnd = R"((?<!\s)\s+$)";

const std::vector<NamedCut>& named_cuts()
{
    static const std::vector<NamedCut> cuts = {
        {{"llama3", "llama-v3", "llama-bpe", "falcon3", "falcon-h1", "pixtral", "lfm2", "midm-2.0"}, {kLlama3}, true, true},
        {{"qwen2", "deepseek-r1-qwen", "kormo", "megrez", "stablelm2", "hunyuan", "solar-open", "grok-2"}, {kQwen2}},
        {{"qwen35"}, {kQwen35}},
        {{"dbrx", "smaug-bpe", "chatglm-bpe"}, {kLlama3}},
        {{"glm4"}, {kLlama3}, true},
        {{"smollm", "starcoder", "refact", "command-r", "codeshell", "exaone", "minerva-7b", "mellum2"}, {R"(\p{N})", kGpt2Words}},
        {{"gpt-2", "phi-2", "olmo", "mpt", "jais", "trillion", "exaone4", "granite-docling", "gigachat", "a.x-4.0", "mellum"}, {kGpt2Words}},
        {{"gpt-4o", "llama4", "kanana2"}, {kGpt4o}},
        {{"tekken"}, {kTekken}, true, true},
        {{"deepseek-coder"}, {R"([\r\n])", R"(\s?\p{L}+)", R"(\s?\p{P}+)", R"([\x{4E00}-\x{9FA5}\x{0800}-\x{4E00}\x{AC00}-\x{D7FF}]+)", R"(\p{N})"}},
        {{"deepseek-llm"},
         {R"([\r\n])", kDeepseekLetters, kDeepseekSigns, kDeepseekEnd, R"([\x{4E00}-\x{9FA5}\x{0800}-\x{4E00}\x{AC00}-\x{D7FF}]+)", R"(\p{N}+)"}},
        {{"deepseek-v3", "hunyuan-dense", "joyai-llm"}, {R"(\p{N}{1,3})", kHan, kDeepseek3}},
        {{"falcon"}, {R"([\p{P}\$\+<=>\^~\|`]+)", kGpt2Words, R"([0-9][0-9][0-9])"}},
        {{"", "default"}, {R"([\p{P}\$\+<=>\^~\|]+)", kGpt2Words, R"(\p{N}+)", R"([0-9][0-9][0-9])"}},
    };
    return cuts;
}

const NamedCut* cut_named(std::string_view name)
{
    for (const NamedCut& cut : named_cuts()) {
        if (std::find(cut.names.begin(), cut.names.end(), name) != cut.names.end()) {
            return &cut;
        }
    }
    return nullptr;
}

/// Reads the `tokenizer.ggml.*` fields of a GGUF file.
class Reader {
public:
    explicit Reader(const GgufTokenizer& fields) : m_fields(fields) {}

    Result<BpeTokenizer::Parts> read();

private:
    Result<void> read_byte_level();
    Result<void> read_scored();
    Result<void> read_pieces();
    Result<void> read_merges();
    Result<void> rank_by_scores();
    void add_scored_merges(std::string_view spelling, TokenId result, std::uint32_t rank);
    Result<void> read_ends(bool add_bos);
    [[nodiscard]] std::int32_t type_of_piece(std::size_t id) const { return m_fields.types.empty() ? kNormal : m_fields.types[id]; }

    const GgufTokenizer& m_fields;
    BpeTokenizer::Parts m_parts;
    Vocabulary m_vocabulary;
};

Result<BpeTokenizer::Parts> Reader::read()
{
    const std::size_t count = m_fields.tokens.size();
    if (count == 0 || (!m_fields.types.empty() && m_fields.types.size() != count)) {
        return refusal("tokenizer.ggml.tokens has " + std::to_string(count) + " entries and token_type " + std::to_string(m_fields.types.size()));
    }
    Result<void> done = m_fields.model == "gpt2" ? read_byte_level()
                        : m_fields.model == "llama"
                            ? read_scored()
                            : Result<void>(refusal("the tokenizer model " + quoted(m_fields.model) + " is not supported; gpt2 and llama are"));
    if (!done) {
        return failure(done.error());
    }
    m_parts.pieces = std::move(m_vocabulary.pieces);
    m_parts.merges = std::move(m_vocabulary.merges);
    m_parts.added = std::move(m_vocabulary.added);
    return std::move(m_parts);
}

Result<void> Reader::read_pieces()
{
    for (std::size_t id = 0; id < m_fields.tokens.size(); ++id) {
        const std::string& spelling = m_fields.tokens[id];
        const std::int32_t type = type_of_piece(id);
        const auto number = static_cast<std::int64_t>(id);
        const bool special = type == kControl || type == kUnknown;
        if ((special || type == kUserDefined) && !spelling.empty()) {
            AddedToken token;
            token.content = spelling;
            token.special = special;
            if (auto added = m_vocabulary.add_token(std::move(token), number); !added) {
                return added;
            }
            continue;
        }
        if (auto added = m_vocabulary.add_piece(spelling, number); !added) {
            return added;
        }
        m_vocabulary.pieces[id].unused = type == kUnused;
    }
    return {};
}

Result<void> Reader::read_byte_level()
{
    const NamedCut* cut = cut_named(m_fields.pre);
    if (!cut) {
        return refusal("the pre-tokenizer " + quoted(m_fields.pre) + " is not known");
    }
    auto pretokenizer = PreTokenizer::byte_level(cut->expressions);
    if (!pretokenizer) {
        return failure(pretokenizer.error());
    }
    m_parts.pretokenizer = std::move(*pretokenizer);
    m_parts.model.byte_level = true;
    m_parts.model.ignore_merges = cut->ignore_merges;
    if (auto read = read_pieces(); !read) {
        return read;
    }
    m_vocabulary.complete(Vocabulary::Bytes::ByteLevel);
    if (auto read = read_merges(); !read) {
        return read;
    }
    return read_ends(cut->add_bos);
}

/// A merge of a piece that the vocabulary lacks never comes about, since every merge makes a piece that is there; llama.cpp
/// opens files that have such merges.
Result<void> Reader::read_merges()
{
    for (const std::string& merge : m_fields.merges) {
        const std::size_t space = merge.find(' ', 1);
        if (space == std::string::npos) {
            return refusal("the merge " + quoted(merge) + " is not two pieces with a space between them");
        }
        const std::string_view left = std::string_view(merge).substr(0, space);
        const std::string_view right = std::string_view(merge).substr(space + 1);
        if (m_vocabulary.find(left) < 0 || m_vocabulary.find(right) < 0) {
            continue;
        }
        if (auto added = m_vocabulary.add_merge(left, right); !added) {
            return added;
        }
    }
    return {};
}

Result<void> Reader::read_scored()
{
    const bool prefix = m_fields.add_space_prefix.value_or(true);
    const auto normalizer_json = JsonValue::parse(prefix ? R"({"type":"Sequence","normalizers":[{"type":"Prepend","prepend":"▁"},)"
                                                           R"({"type":"Replace","pattern":{"String":" "},"content":"▁"}]})"
                                                         : R"({"type":"Replace","pattern":{"String":" "},"content":"▁"})",
                                                  "normalizer");
    if (!normalizer_json) {
        return failure(normalizer_json.error());
    }
    auto normalizer = Normalizer::from_json(&*normalizer_json);
    if (!normalizer) {
        return failure(normalizer.error());
    }
    m_parts.normalizer = std::move(*normalizer);
    m_parts.leading_spaces_dropped = prefix ? 1 : 0;
    m_parts.model.byte_level = false;
    m_parts.model.byte_fallback = true;
    if (auto read = read_pieces(); !read) {
        return read;
    }
    m_vocabulary.complete(Vocabulary::Bytes::Spelled);
    for (std::size_t id = 0; id < m_vocabulary.pieces.size(); ++id) {
        Piece& piece = m_vocabulary.pieces[id];
        if (type_of_piece(id) == kByte) {
            const auto byte = byte_of_fallback(piece.spelling);
            if (!byte) {
                return refusal("the byte piece " + quoted(piece.spelling) + " is not spelled like <0x0A>");
            }
            piece.bytes = static_cast<char>(*byte);
        } else if (!piece.special) {
            piece.bytes = with_replaced(piece.spelling, "\xE2\x96\x81", " ");
        }
    }
    if (auto ranked = rank_by_scores(); !ranked) {
        return ranked;
    }
    m_parts.model.unknown = m_fields.unknown;
    return read_ends(true);
}

/// SentencePiece joins the neighbours whose piece has the best score; that is BPE with every way to put a piece together as a merge, ranked by score.
Result<void> Reader::rank_by_scores()
{
    const std::vector<float>& scores = m_fields.scores;
    if (scores.size() != m_fields.tokens.size() || std::any_of(scores.begin(), scores.end(), [](float score) { return std::isnan(score); })) {
        return refusal("tokenizer.ggml.scores has " + std::to_string(scores.size()) + " entries for " + std::to_string(m_fields.tokens.size()) +
                       " tokens, or one that is not a number");
    }
    std::vector<float> order = scores;
    std::sort(order.begin(), order.end(), std::greater<>());
    order.erase(std::unique(order.begin(), order.end()), order.end());
    for (std::size_t id = 0; id < scores.size(); ++id) {
        const Piece& piece = m_vocabulary.pieces[id];
        if (!piece.in_model || piece.unused || type_of_piece(id) == kByte) {
            continue;
        }
        if (piece.spelling.size() > kLongestScoredPiece) {
            return refusal("piece " + std::to_string(id) + " is " + std::to_string(piece.spelling.size()) + " bytes long; " +
                           std::to_string(kLongestScoredPiece) + " are possible");
        }
        const auto rank = std::lower_bound(order.begin(), order.end(), scores[id], std::greater<>()) - order.begin();
        add_scored_merges(piece.spelling, static_cast<TokenId>(id), static_cast<std::uint32_t>(rank));
    }
    return {};
}

void Reader::add_scored_merges(std::string_view spelling, TokenId result, std::uint32_t rank)
{
    const auto usable = [this](TokenId id) { return id >= 0 && m_vocabulary.pieces[static_cast<std::size_t>(id)].in_model; };
    for (std::size_t at = 1; at < spelling.size(); ++at) {
        if ((static_cast<unsigned char>(spelling[at]) & 0xC0U) == 0x80U) {
            continue;
        }
        const TokenId left = m_vocabulary.find(spelling.substr(0, at));
        const TokenId right = m_vocabulary.find(spelling.substr(at));
        if (usable(left) && usable(right)) {
            m_vocabulary.merges.push_back({left, right, result, rank});
        }
    }
}

Result<void> Reader::read_ends(bool add_bos)
{
    const auto size = static_cast<std::int64_t>(m_fields.tokens.size());
    for (const auto& id : {m_fields.bos, m_fields.eos, m_fields.eot, m_fields.unknown, m_fields.padding}) {
        if (id && (*id < 0 || *id >= size)) {
            return refusal("a special token has the id " + std::to_string(*id) + " of " + std::to_string(size));
        }
    }
    m_parts.bos = m_fields.bos;
    if (m_fields.add_bos.value_or(add_bos) && m_fields.bos) {
        m_parts.before.push_back(*m_fields.bos);
    }
    if (m_fields.add_eos.value_or(false) && m_fields.eos) {
        m_parts.after.push_back(*m_fields.eos);
    }
    for (TokenId id = 0; id < size; ++id) {
        const Piece& piece = m_vocabulary.pieces[static_cast<std::size_t>(id)];
        if (id == m_fields.eos || id == m_fields.eot || (piece.special && ends_an_answer(piece.spelling))) {
            m_parts.stop_tokens.push_back(id);
        }
    }
    return {};
}

} // namespace

Result<std::shared_ptr<const Tokenizer>> Tokenizer::from_gguf(const GgufTokenizer& fields, std::string_view origin)
{
    if (!fields.huggingface_json.empty()) {
        return from_json(fields.huggingface_json, origin);
    }
    return guard("reading a tokenizer", [&]() -> Result<std::shared_ptr<const Tokenizer>> {
        auto parts = Reader(fields).read();
        if (!parts) {
            return with_origin(origin, parts.error());
        }
        return std::make_shared<const BpeTokenizer>(std::move(*parts));
    });
}

} // namespace retort
