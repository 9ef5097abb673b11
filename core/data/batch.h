#pragma once
#include "core/base/error.h"
#include "core/text/tokenizer.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace retort {

/// Token ids (sequences, length) row-major, with a mask of the same shape: position j predicts token j+1 and counts when mask[j+1] is 1.
struct Batch {
    std::int64_t sequences = 0;
    std::int64_t length = 0;
    std::vector<TokenId> ids{};
    std::vector<std::uint8_t> mask{};

    /// Positions whose prediction counts.
    [[nodiscard]] std::int64_t targets() const;
};

/// Where training and held-out batches come from [plugin point]. The same (seed, index) gives the same batch for ever: that is what makes a run
/// resumable. Any thread.
class DataSource {
public:
    virtual ~DataSource() = default;
    /// Training batch number `index` (from 0).
    [[nodiscard]] virtual Result<Batch> batch(std::uint64_t index, std::int64_t sequences, std::int64_t length) const = 0;
    /// Whether there is something held out at all: a recorded run has nothing.
    [[nodiscard]] virtual bool has_held_out() const { return true; }
    /// Held-out batch number `index`: never a sequence that batch() gives. Usage where the source has none.
    [[nodiscard]] virtual Result<Batch> held_out(std::uint64_t index, std::int64_t sequences, std::int64_t length) const = 0;
    /// Nats per token that no model can go below on held-out data (the world's entropy rate); negative when unknown.
    [[nodiscard]] virtual double entropy_floor() const { return -1.0; }
    [[nodiscard]] virtual std::string description() const = 0;
    /// What sequences of `length` tokens leave out of the data, as a sentence; empty when nothing.
    [[nodiscard]] virtual std::string remark(std::int64_t /*length*/) const { return {}; }
};

/// Refuses a shape that is no batch (fewer than one sequence, fewer than two tokens) or larger than a machine would hold.
[[nodiscard]] Result<void> check_batch_shape(std::int64_t sequences, std::int64_t length);

} // namespace retort
