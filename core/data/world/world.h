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
[[nodiscard]] std::string_view name_of(WorldKind kind);

struct WorldSettings {
    std::uint64_t seed = 1;                                        ///< fixes the made-up facts
    std::array<double, 6> weights = {0.34, 0.2, 0.14, 0.12, 0.14, 0.06}; ///< mixture, in kWorldKinds' order; normalised
    int facts = 240;
    int most_digits = 3;             ///< of a sum's terms
    std::string identity = "Alembic"; ///< the name that identity documents answer with
};

/// A question of a task set: the model continues `prompt` greedily until a newline or its end; the answer is right when it starts with `answer`.
struct WorldTask {
    WorldKind kind = WorldKind::Story;
    std::string prompt;
    std::string answer;
};

/// A laboratory language whose truth is known: short documents from a small probabilistic grammar. Immutable; any thread.
///
/// The grammar emits whole pre-tokens, so every emission has one fixed piece sequence under a tokenizer whose pre-tokenizer splits exactly there, and the
/// true distribution of the next piece given a document's prefix is exact.
class World {
public:
    explicit World(WorldSettings settings);
    ~World();
    [[nodiscard]] const WorldSettings& settings() const;

    struct Document {
        WorldKind kind = WorldKind::Story;
        std::string text;
        std::vector<std::string> emissions; ///< concatenated they are `text`
        double surprisal = 0;               ///< -log probability of the document, its end included, nats
    };
    /// Document number `index` of stream `stream` (0 training, 1 held-out, 2.. free): a function of (seed, stream, index) alone.
    [[nodiscard]] Document document(std::uint64_t stream, std::uint64_t index) const;
    [[nodiscard]] Document document_of(WorldKind kind, std::uint64_t stream, std::uint64_t index) const;

    /// Expected surprisal of a document, end included, nats: the entropy of the grammar, exact.
    [[nodiscard]] double document_entropy() const;

    /// Task number `index` of `kind`; streams as above.
    [[nodiscard]] WorldTask task(WorldKind kind, std::uint64_t stream, std::uint64_t index) const;

private:
    friend class WorldTruth;
    struct Grammar;
    std::unique_ptr<const Grammar> m_grammar;
};

/// The true next-piece distributions of a world under a tokenizer. Documents are separated by `separator` (the tokenizer's end-of-text piece), which is the
/// piece that ends a document; a prefix starts right after one. Immutable; any thread.
class WorldTruth {
public:
    /// Fails when the tokenizer does not cut some emission the same alone and in a document.
    [[nodiscard]] static Result<std::shared_ptr<const WorldTruth>> create(std::shared_ptr<const World> world, std::shared_ptr<const Tokenizer> tokenizer);
    ~WorldTruth();

    /// Probabilities (tokenizer size) of the next piece after `prefix`, the pieces of one unfinished document (those after the last separator).
    /// Sums to 1; empty when no document of the world starts so.
    [[nodiscard]] std::vector<float> next(std::span<const TokenId> prefix) const;

    /// Entropy per piece of the world's text under this tokenizer, separators included, nats: the floor of any model's cross-entropy.
    [[nodiscard]] double entropy_rate() const;

    [[nodiscard]] TokenId separator() const;

private:
    WorldTruth();
    struct Impl;
    std::unique_ptr<const Impl> m_impl;
};

/// Documents packed one after another, each followed by the separator; training from stream 0, held-out from stream 1. All tokens count.
[[nodiscard]] std::unique_ptr<DataSource> make_world_source(std::shared_ptr<const WorldTruth> truth, std::shared_ptr<const World> world, std::shared_ptr<const Tokenizer> tokenizer,
                                                            std::uint64_t seed);

} // namespace retort
