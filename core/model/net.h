#pragma once
#include "core/base/error.h"
#include "core/base/progress.h"
#include "core/model/model.h"

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace retort {

/// Keys and values of the positions a Net has seen, one sequence. Grows by doubling up to the context. One thread at a time.
class KvCache {
public:
    virtual ~KvCache() = default;
    [[nodiscard]] virtual std::int64_t length() const = 0;
    /// Forgets positions from `length` on (rollback to fork an answer). `length` at most length().
    virtual void truncate(std::int64_t length) = 0;
};

/// A model laid out for running: weights repacked once for the kernels, quantised blocks staying quantised. Immutable; one call at a time (the engine
/// thread), because all calls share the scratch memory and the cores.
class Net {
public:
    /// Fast: rounding of activations as the kernels do (int16 for decoding, bf16 in prefill where the processor has it).
    /// Exact: float32 arithmetic on the decoded weights, for references and `retort-cli logits`.
    enum class Precision { Fast, Exact };

    /// Copies what it needs; `model` keeps its weights.
    [[nodiscard]] static Result<std::unique_ptr<Net>> create(const Model& model, Precision precision = Precision::Fast,
                                                             const Progress& progress = {});
    virtual ~Net() = default;

    [[nodiscard]] virtual const DecoderShape& spec() const = 0;
    [[nodiscard]] virtual std::unique_ptr<KvCache> new_cache() const = 0;

    /// Which rows of logits a call wants.
    enum class Rows { Last, All };

    /// Runs `ids` at positions cache.length() ... and appends them to the cache. Logits (1 or ids.size(), spec().vocabulary) float32 go to `logits`,
    /// resized. Fails when the context is full, an id is out of range, or a logit is not finite (named error; never sampled from); Cancelled between
    /// chunks of 512 positions. For long texts with Rows::All use forward_hidden and head, which need no (T, V) matrix.
    [[nodiscard]] virtual Result<void> forward(KvCache& cache, std::span<const TokenId> ids, Rows rows, std::vector<float>& logits,
                                               std::stop_token stop = {}) = 0;

    /// As forward, but gives the final normalised hidden states (ids.size(), width) that head() turns into logits.
    [[nodiscard]] virtual Result<void> forward_hidden(KvCache& cache, std::span<const TokenId> ids, std::vector<float>& hidden,
                                                      std::stop_token stop = {}) = 0;

    /// Logits (rows, vocabulary) of `hidden` (rows, width).
    virtual void head(std::span<const float> hidden, std::int64_t rows, std::vector<float>& logits) = 0;
};

/// A model and the net that runs it. One that came from a file holds no weights beside the net's: Model::with_weights() reads them again.
struct RunningModel {
    Model model;
    std::unique_ptr<Net> net;
};

/// Lays `model` out for running, each weight going as soon as it is packed, so that memory never holds them twice.
[[nodiscard]] Result<RunningModel> lay_out(Model model, Net::Precision precision = Net::Precision::Fast, const Progress& progress = {});

} // namespace retort
