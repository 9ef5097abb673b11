#pragma once
#include "core/base/error.h"
#include "core/model/model.h"
#include "core/model/net.h"

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace retort {

/// Tokens a second, timed several times after once to warm up.
struct Speed {
    double tokens_per_s = 0; ///< the median
    double low = 0, high = 0;
    int n = 0;
    std::string precision{};             ///< what the products were computed in
    std::string limit{};                 ///< what cannot be exceeded: "read bandwidth", "product speed"; empty where no such thing was measured
    std::optional<double> limit_share{}; ///< of it
};

/// Runs `work`, which says how many tokens it did, once to warm up and `repeat` times for the clock. Stops at the first failure.
[[nodiscard]] Result<Speed> time_tokens(int repeat, const std::function<Result<std::int64_t>()>& work);

/// Generates `tokens` one by one after `depth` tokens that are in the cache already (those are not timed). The limit is reading every weight once for
/// each token, and the cache. `info` is of the model that
/// `net` runs.
[[nodiscard]] Result<Speed> decode_speed(const ModelInfo& info, Net& net, std::int64_t tokens, std::int64_t depth, int repeat);

/// Reads `tokens` at once into an empty cache, logits for the last. The limit is the speed of the products it is made of.
[[nodiscard]] Result<Speed> prefill_speed(const ModelInfo& info, Net& net, Net::Precision precision, std::int64_t tokens, int repeat);

/// How many pieces the documents are cut into, special tokens taken as such.
[[nodiscard]] std::int64_t count_pieces(const Tokenizer& tokenizer, std::span<const std::string> documents);
/// Cuts the documents one after another, one thread.
[[nodiscard]] Result<Speed> tokenize_speed(const Tokenizer& tokenizer, std::span<const std::string> documents, int repeat);

} // namespace retort
