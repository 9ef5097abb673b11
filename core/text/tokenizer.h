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

/// What a GGUF file says of its tokenizer (keys `tokenizer.ggml.*`), as read and bounds-checked by the file reader; a tokenizer.model of
/// SentencePiece says the same of its own.
struct GgufTokenizer {
    std::string model;               ///< "gpt2" (byte-level BPE), "llama" (SentencePiece's BPE) or "t5" (its Unigram)
    std::string pre;                 ///< name of the pre-tokenizer's regular expression; empty when absent
    std::vector<std::string> tokens; ///< spelling of each id
    std::vector<std::int32_t> types; ///< 1 normal 2 unknown 3 control 4 user-defined 5 unused 6 byte; empty when absent
    std::vector<float> scores;       ///< empty when absent
    std::vector<std::string> merges;
    std::optional<TokenId> bos, eos, eot, unknown, padding;
    std::vector<TokenId> ends; ///< further pieces that end an answer
    std::optional<bool> add_bos, add_eos, add_space_prefix, remove_extra_blanks;
    std::string character_map;    ///< SentencePiece's precompiled_charsmap, raw; empty when absent
    std::string huggingface_json; ///< a whole tokenizer.json, when the file embeds one
};

/// What a tokenizer's decoder takes off the ends of a whole text, because encode() puts it there: up to so many `character`s (UTF-8, one).
struct TextEdges {
    std::string character = " ";
    std::size_t at_begin = 0;
    std::size_t at_end = 0;
};

/// What a tokenizer_config.json says goes around a text; where it says so, that goes before what the tokenizer.json says, as in transformers.
struct TextAdditions {
    std::optional<bool> bos, eos;
    std::string bos_text, eos_text; ///< their spellings
};

/// Text to ids and back. Immutable once made; any thread may use it at once.
///
/// The text of a person never turns into special tokens unless the caller says so: only the program puts them there.
class Tokenizer {
public:
    enum class Special { AsText, AsTokens };

    /// From the content of a Hugging Face tokenizer.json (format: huggingface/tokenizers). `origin` names it in messages.
    [[nodiscard]] static Result<std::shared_ptr<const Tokenizer>> from_json(std::string_view json, std::string_view origin,
                                                                            const TextAdditions& additions = {});
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

    /// sha256 over all that decides how a text is cut: kind, normalizer, pre-tokenizer, every piece with its id, score and flags, merges. Equal
    /// prints mean equal cuts; unequal ones may still cut alike (a tokenizer.json and a GGUF file of one model), so compare_tokenizers() decides.
    [[nodiscard]] virtual const std::string& fingerprint() const = 0;

    [[nodiscard]] virtual const TextEdges& edges() const = 0;
    /// What stands between `id` and a piece that follows it: a space where pieces are whole words, else nothing.
    [[nodiscard]] virtual std::string_view after(TokenId id) const = 0;

    /// The text of `ids` as the tokenizer's decoder gives it; bytes that are no UTF-8 become U+FFFD, one for each sequence cut short.
    [[nodiscard]] std::string decode(std::span<const TokenId> ids, bool skip_special = false) const;

protected:
    Tokenizer() = default;
};

/// Turns ids into text as they come: gives back only whole UTF-8 characters, holds at most 3 bytes, and on finish() the rest as U+FFFD.
class StreamDecoder {
public:
    explicit StreamDecoder(std::shared_ptr<const Tokenizer> tokenizer, bool skip_special = true);
    /// What stands before the ids that are pushed: only the beginning of a text loses the blank that its tokenizer put there.
    void read_before(std::span<const TokenId> ids);
    [[nodiscard]] std::string push(TokenId id);
    [[nodiscard]] std::string finish();

private:
    void drop_beginning();

    std::shared_ptr<const Tokenizer> m_tokenizer;
    bool m_skip_special;
    std::size_t m_to_drop; ///< at the beginning of the text, still
    std::string m_after;   ///< of the last piece, written when another follows
    std::string m_pending;
};

/// Whether two models' pieces mean the same, id by id, so that their probabilities can be compared and learned piece by piece; with the reason. The
/// one answer to that question, for the window, the command line and training.
struct TokenizerMatch {
    bool same = false;
    std::string reason; ///< a sentence for a person: "Both cut text into the same 512 pieces." / "… (50257 and 32000 pieces) …"
};
[[nodiscard]] TokenizerMatch compare_tokenizers(const Tokenizer& teacher, const Tokenizer& student);

} // namespace retort
