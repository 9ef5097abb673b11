#pragma once
#include "core/base/error.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace retort {

using TokenId = std::int32_t;

/// What a GGUF file says of its tokenizer (keys `tokenizer.ggml.*`), as read and bounds-checked by the file reader.
struct GgufTokenizer {
    std::string model;               ///< "gpt2" (byte-level BPE) or "llama" (SentencePiece)
    std::string pre;                 ///< name of the pre-tokenizer's regular expression; empty when absent
    std::vector<std::string> tokens; ///< spelling of each id
    std::vector<std::int32_t> types; ///< 1 normal 2 unknown 3 control 4 user-defined 5 unused 6 byte; empty when absent
    std::vector<float> scores;       ///< empty when absent
    std::vector<std::string> merges;
    std::optional<TokenId> bos, eos, eot, unknown, padding;
    std::optional<bool> add_bos, add_eos, add_space_prefix;
    std::string huggingface_json; ///< a whole tokenizer.json, when the file embeds one
};

/// Text to ids and back. Immutable once made; any thread may use it at once.
///
/// The text of a person never turns into special tokens unless the caller says so: only the program puts them there.
class Tokenizer {
public:
    enum class Special { AsText, AsTokens };

    /// From the content of a Hugging Face tokenizer.json (format: huggingface/tokenizers). `origin` names it in messages.
    [[nodiscard]] static Result<std::shared_ptr<const Tokenizer>> from_json(std::string_view json, std::string_view origin);
    [[nodiscard]] static Result<std::shared_ptr<const Tokenizer>> from_gguf(const GgufTokenizer& fields, std::string_view origin);

    virtual ~Tokenizer() = default;

    /// Ids of `text` (UTF-8; invalid bytes are taken as U+FFFD), without the post-processor's additions.
    [[nodiscard]] virtual std::vector<TokenId> encode(std::string_view text, Special special = Special::AsText) const = 0;

    /// `ids` with what the post-processor (TemplateProcessing, or GGUF's add_bos/add_eos) puts around a single text.
    [[nodiscard]] virtual std::vector<TokenId> with_additions(std::vector<TokenId> ids) const = 0;

    /// Number of ids, 0 ... size()-1. May be smaller than the model's vocabulary, which can be padded.
    [[nodiscard]] virtual std::size_t size() const = 0;

    /// The bytes that `id` stands for in text; a special token's own spelling; empty for an id out of range. Valid as long as the tokenizer.
    [[nodiscard]] virtual std::string_view bytes(TokenId id) const = 0;

    /// The spelling in the vocabulary ("Ġthe"); empty for an id out of range.
    [[nodiscard]] virtual std::string_view spelling(TokenId id) const = 0;

    [[nodiscard]] virtual bool is_special(TokenId id) const = 0;
    /// Whether `id` stands for nothing: out of range, or a hole that the file fills with a placeholder.
    [[nodiscard]] virtual bool is_unused(TokenId id) const = 0;
    [[nodiscard]] virtual std::optional<TokenId> find(std::string_view spelling) const = 0;

    [[nodiscard]] virtual std::optional<TokenId> bos() const = 0;
    /// Ids that end an answer (eos, end of turn), as far as the tokenizer's own file tells; the model's generation_config may add more.
    [[nodiscard]] virtual const std::vector<TokenId>& stop_tokens() const = 0;

    /// "byte-level BPE", ...
    [[nodiscard]] virtual std::string kind() const = 0;

    /// sha256 over kind, every spelling with its id, merges and special flags: equal for two tokenizers that cut every text the same.
    [[nodiscard]] virtual const std::string& fingerprint() const = 0;

    /// Spaces that the decoder takes off the beginning of a text, because encode() puts them there (SentencePiece); 0 or 1 in practice.
    [[nodiscard]] virtual std::size_t leading_spaces_dropped() const = 0;

    /// The text of `ids` as the tokenizer's decoder gives it; bytes that are no UTF-8 become U+FFFD, one for each sequence cut short.
    [[nodiscard]] std::string decode(std::span<const TokenId> ids, bool skip_special = false) const;

protected:
    Tokenizer() = default;
};

/// Turns ids into text as they come: gives back only whole UTF-8 characters, holds at most 3 bytes, and on finish() the rest as U+FFFD.
class StreamDecoder {
public:
    explicit StreamDecoder(std::shared_ptr<const Tokenizer> tokenizer, bool skip_special = true);
    [[nodiscard]] std::string push(TokenId id);
    [[nodiscard]] std::string finish();

private:
    std::shared_ptr<const Tokenizer> m_tokenizer;
    bool m_skip_special;
    std::size_t m_leading_spaces; ///< still to be dropped
    std::string m_pending;
};

/// Whether two models cut text alike, with the reason when they do not.
struct TokenizerMatch {
    bool same = false;
    std::string reason; ///< a sentence for a person: "Both cut text into the same 512 pieces." / "… (50257 and 32000 pieces) …"
};
[[nodiscard]] TokenizerMatch compare_tokenizers(const Tokenizer& teacher, const Tokenizer& student);

} // namespace retort
