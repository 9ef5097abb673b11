#include "core/text/sentencepiece_file.h"

#include "core/text/gguf_tokenizer_fields.h"
#include "core/text/message.h"
#include "core/text/vocabulary.h"

#include <bit>
#include <cmath>
#include <cstring>

namespace retort {

namespace {

constexpr std::size_t kMostPieces = std::size_t{1} << 21;

/// One field of a protobuf message.
struct Field {
    std::uint64_t number = 0;
    std::uint64_t value = 0;  ///< of a number; a float's bits
    std::string_view bytes{}; ///< of a text, of bytes or of a message
    bool is_bytes = false;

    [[nodiscard]] bool flag() const { return value != 0; }
    [[nodiscard]] float real() const { return std::bit_cast<float>(static_cast<std::uint32_t>(value)); }
};

/// Walks the fields of a message in order.
class Fields {
public:
    explicit Fields(std::string_view message) : m_rest(message) {}

    /// False at the end, and where the message is damaged, which is_whole() tells.
    bool next(Field& field)
    {
        std::uint64_t key = 0;
        if (m_rest.empty() || !varint(key)) {
            return false;
        }
        field = {.number = key >> 3};
        switch (key & 7U) {
        case 0:
            return varint(field.value);
        case 1:
            return fixed(field.value, 8);
        case 2: {
            std::uint64_t length = 0;
            if (!varint(length) || length > m_rest.size()) {
                return m_whole = false;
            }
            field.bytes = m_rest.substr(0, length);
            field.is_bytes = true;
            m_rest.remove_prefix(length);
            return true;
        }
        case 5:
            return fixed(field.value, 4);
        default:
            return m_whole = false;
        }
    }
    [[nodiscard]] bool is_whole() const { return m_whole; }

private:
    bool varint(std::uint64_t& value)
    {
        value = 0;
        for (unsigned shift = 0; shift < 64 && !m_rest.empty(); shift += 7) {
            const auto byte = static_cast<unsigned char>(m_rest.front());
            m_rest.remove_prefix(1);
            value |= static_cast<std::uint64_t>(byte & 0x7FU) << shift;
            if (byte < 0x80) {
                return true;
            }
        }
        return m_whole = false;
    }
    bool fixed(std::uint64_t& value, std::size_t size)
    {
        value = 0;
        if (m_rest.size() < size) {
            return m_whole = false;
        }
        std::memcpy(&value, m_rest.data(), size);
        m_rest.remove_prefix(size);
        return true;
    }

    std::string_view m_rest;
    bool m_whole = true;
};

/// Reads one file; errors are parts of a sentence.
class FileReader {
public:
    Result<GgufTokenizer> read(std::string_view bytes)
    {
        Fields fields(bytes);
        for (Field field; fields.next(field);) {
            if (!field.is_bytes) {
                continue;
            }
            auto done = field.number == 1   ? read_piece(field.bytes)
                        : field.number == 2 ? read_trainer(field.bytes)
                        : field.number == 3 ? read_normalizer(field.bytes)
                                            : Result<void>();
            if (!done) {
                return failure(done.error());
            }
        }
        if (!fields.is_whole() || m_fields.tokens.empty()) {
            return refusal("is not a SentencePiece model, or is cut short");
        }
        if (auto named = name_ids(); !named) {
            return failure(named.error());
        }
        return std::move(m_fields);
    }

private:
    Result<void> read_piece(std::string_view bytes)
    {
        std::string spelling;
        float score = 0.0F;
        std::int32_t type = kNormal;
        Fields fields(bytes);
        for (Field field; fields.next(field);) {
            if (field.number == 1) {
                spelling = field.bytes;
            } else if (field.number == 2) {
                score = field.real();
            } else if (field.number == 3) {
                type = field.value >= kNormal && field.value <= kByte ? static_cast<std::int32_t>(field.value) : 0;
            }
        }
        const std::size_t id = m_fields.tokens.size();
        if (!fields.is_whole() || type == 0 || !std::isfinite(score) || id == kMostPieces) {
            return refusal("piece " + std::to_string(id) + " is damaged, of a kind that is not known, or one too many");
        }
        m_fields.tokens.push_back(std::move(spelling));
        m_fields.scores.push_back(score);
        m_fields.types.push_back(type);
        return {};
    }

    Result<void> read_trainer(std::string_view bytes)
    {
        constexpr std::uint64_t kUnigram = 1;
        constexpr std::uint64_t kBpe = 2;
        std::uint64_t model = kUnigram;
        bool suffix = false;
        Fields fields(bytes);
        for (Field field; fields.next(field);) {
            switch (field.number) {
            case 3:
                model = field.value;
                break;
            case 24:
                suffix = field.flag();
                break;
            case 40:
                m_unknown = static_cast<std::int64_t>(field.value);
                break;
            case 41:
                m_bos = static_cast<std::int64_t>(field.value);
                break;
            case 42:
                m_eos = static_cast<std::int64_t>(field.value);
                break;
            case 43:
                m_padding = static_cast<std::int64_t>(field.value);
                break;
            default:
                break;
            }
        }
        if (!fields.is_whole()) {
            return refusal("its trainer_spec is damaged");
        }
        if (model != kUnigram && model != kBpe) {
            return refusal("the model type " +
                           std::string(model == 3   ? "WORD"
                                       : model == 4 ? "CHAR"
                                                    : std::to_string(model)) +
                           " is not supported; BPE and UNIGRAM are");
        }
        if (suffix) {
            return refusal("treat_whitespace_as_suffix is not supported");
        }
        m_fields.model = model == kBpe ? "llama" : "t5";
        return {};
    }

    Result<void> read_normalizer(std::string_view bytes)
    {
        bool escapes = true;
        Fields fields(bytes);
        for (Field field; fields.next(field);) {
            if (field.number == 2) {
                m_fields.character_map = field.bytes;
            } else if (field.number == 3) {
                m_fields.add_space_prefix = field.flag();
            } else if (field.number == 4) {
                m_fields.remove_extra_blanks = field.flag();
            } else if (field.number == 5) {
                escapes = field.flag();
            }
        }
        if (!fields.is_whole()) {
            return refusal("its normalizer_spec is damaged");
        }
        return escapes ? Result<void>() : Result<void>(refusal("a vocabulary in which blanks are not marked (escape_whitespaces) is not supported"));
    }

    /// The ids that the file names, or SentencePiece's own where it names none; -1 means none.
    Result<void> name_ids()
    {
        if (m_fields.model.empty()) {
            m_fields.model = "t5";
        }
        const auto size = static_cast<std::int64_t>(m_fields.tokens.size());
        const auto id = [&](std::int64_t value, std::int32_t type) -> std::optional<TokenId> {
            const auto place = static_cast<std::int32_t>(value); // a negative int32 is written as ten bytes
            const bool fits = place >= 0 && place < size && m_fields.types[static_cast<std::size_t>(place)] == type;
            return fits ? std::optional<TokenId>(place) : std::nullopt;
        };
        m_fields.unknown = id(m_unknown, kUnknown);
        m_fields.bos = id(m_bos, kControl);
        m_fields.eos = id(m_eos, kControl);
        m_fields.padding = id(m_padding, kControl);
        m_fields.add_bos = m_fields.model == "llama"; // the file does not say; tokenizer_config.json does
        m_fields.add_eos = false;
        m_fields.add_space_prefix = m_fields.add_space_prefix.value_or(true);
        m_fields.remove_extra_blanks = m_fields.remove_extra_blanks.value_or(true);
        return m_fields.unknown ? Result<void>() : Result<void>(refusal("it has no unknown piece"));
    }

    GgufTokenizer m_fields;
    std::int64_t m_unknown = 0, m_bos = 1, m_eos = 2, m_padding = -1;
};

} // namespace

Result<GgufTokenizer> read_sentencepiece(std::string_view bytes, std::string_view origin)
{
    return guard("reading a tokenizer", [&]() -> Result<GgufTokenizer> {
        auto fields = FileReader().read(bytes);
        return fields ? std::move(fields) : Result<GgufTokenizer>(with_origin(origin, fields.error()));
    });
}

} // namespace retort
