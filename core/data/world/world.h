#pragma once
#include "core/base/error.h"
#include "core/data/batch.h"
#include "core/text/tokenizer.h"

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace retort {

/// The six kinds of documents of the built-in world, each an ability that a student may lose.
enum class WorldKind { Story, Sum, Logic, Code, Fact, Identity };
inline constexpr std::array kWorldKinds = {WorldKind::Story, WorldKind::Sum, WorldKind::Logic, WorldKind::Code, WorldKind::Fact, WorldKind::Identity};
[[nodiscard]] std::string_view name_of(WorldKind kind); ///< "story", ...

struct WorldSettings {
    std::uint64_t seed = 1;                                              ///< fixes the made-up facts, and with them what documents say
    std::array<double, 6> weights = {0.34, 0.2, 0.14, 0.12, 0.14, 0.06}; ///< mixture, in kWorldKinds' order; normalised
    int facts = 240;                                                     ///< 4 to 4000, rounded up to a multiple of four
    int most_digits = 3;                                                 ///< of a sum's terms, 1 to 4
    std::string identity = "Alembic";                                    ///< the name that identity documents answer with
};

/// A question of a task set, cut from a document: `answer` is all that may follow `prompt` until the document ends.
struct WorldTask {
    WorldKind kind = WorldKind::Story;
    std::string prompt;
    std::string answer;
};

/// Whether `continuation`, what a model wrote greedily after the prompt until it ended or began a new line, is the answer: equal to it, but for space
/// at the end. Nothing less counts, so that 42 is no answer where 421 is right, nor the reverse.
[[nodiscard]] bool answers(const WorldTask& task, std::string_view continuation);

/// A laboratory language whose truth is known: short documents from a small probabilistic grammar. Immutable; any thread.
///
/// The grammar emits whole pre-tokens, so every emission has one fixed piece sequence under a tokenizer whose pre-tokenizer splits exactly there, and
/// the true distribution of the next piece given a document's prefix is exact.
class World {
public:
    explicit World(WorldSettings settings);
    ~World();
    [[nodiscard]] const WorldSettings& settings() const; ///< as used: weights normalised, sizes within their bounds

    struct Document {
        WorldKind kind = WorldKind::Story;
        std::string text{};
        std::vector<std::string> emissions{}; ///< concatenated they are `text`
        std::size_t answer_at = 0;            ///< where in `text` the answer begins
        double surprisal = 0;                 ///< -log probability of the document, its end included, nats
    };
    /// Document number `index` of stream `stream`: a function of (settings, stream, index) alone. Odd streams are for measuring (1: held-out data),
    /// even ones for training.
    [[nodiscard]] Document document(std::uint64_t stream, std::uint64_t index) const;
    [[nodiscard]] Document document_of(WorldKind kind, std::uint64_t stream, std::uint64_t index) const;

    /// Expected surprisal of a document, end included, nats: the entropy of the grammar, exact.
    [[nodiscard]] double document_entropy() const;

    /// Task number `index` of `kind`; streams as above.
    [[nodiscard]] WorldTask task(WorldKind kind, std::uint64_t stream, std::uint64_t index) const;

    struct Grammar;

private:
    friend class WorldTruth;
    std::unique_ptr<const Grammar> m_grammar;
};

/// The true next-piece distributions of a world under a tokenizer. Documents are separated by separator(), which is the piece that ends a document; a
/// prefix starts right after one. Immutable; any thread.
class WorldTruth {
public:
    /// Fails when the tokenizer has no piece to separate documents with, or does not cut a document at the grammar's emissions (tried on every
    /// emission and on some hundred documents of every kind).
    [[nodiscard]] static Result<std::shared_ptr<const WorldTruth>> create(std::shared_ptr<const World> world,
                                                                          std::shared_ptr<const Tokenizer> tokenizer);
    ~WorldTruth();

    /// Probabilities (tokenizer size) of the next piece after `prefix`, the pieces of one unfinished document (those after the last separator).
    /// Sums to 1; empty when no document of the world starts so. Takes some microseconds per piece of the prefix.
    [[nodiscard]] std::vector<float> next(std::span<const TokenId> prefix) const;

    /// -log probability of every piece of one document (separator last, if it is there), nats. Shorter than `pieces` where the document
    /// stops being one of the world's.
    [[nodiscard]] std::vector<double> surprisals(std::span<const TokenId> pieces) const;

    /// Entropy per piece of the world's text under this tokenizer, separators included, nats: the floor of any model's cross-entropy. Exact.
    [[nodiscard]] double entropy_rate() const;

    /// Pieces of a document on average, its separator included. Exact.
    [[nodiscard]] double pieces_per_document() const;

    [[nodiscard]] TokenId separator() const;

    /// The document's pieces, its separator last: the emissions' one after another.
    [[nodiscard]] std::vector<TokenId> pieces(const World::Document& document) const;

private:
    WorldTruth();
    struct Impl;
    std::unique_ptr<const Impl> m_impl;
};

/// The piece that stands between documents: <|endoftext|> where there is one, else the first that ends an answer, else the one that begins a text.
[[nodiscard]] Result<TokenId> separator_of(const Tokenizer& tokenizer);

/// Whole documents packed into sequences: each sequence begins with the separator and every document ends with one; what is left over is filled with
/// separators that do not count. No document is cut unless it is longer than a sequence, so the data's floor is the entropy rate itself. Training
/// data depend on `seed`; the held-out data do not, so that runs can be compared.
///
/// `truth` may be null, for a tokenizer that cuts otherwise than the grammar: the floor is then unknown.
[[nodiscard]] Result<std::shared_ptr<const DataSource>> make_world_source(std::shared_ptr<const World> world,
                                                                          std::shared_ptr<const Tokenizer> tokenizer,
                                                                          std::shared_ptr<const WorldTruth> truth, std::uint64_t seed);

} // namespace retort
