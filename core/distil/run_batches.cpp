#include "core/distil/run_batches.h"

#include <algorithm>

namespace retort {

namespace {

Result<Batch> checked(Result<Batch> batch, const DataSource& data, std::int64_t vocabulary)
{
    if (!batch) {
        return batch;
    }
    const auto size = static_cast<std::size_t>(batch->sequences * batch->length);
    if (batch->ids.size() != size || batch->mask.size() != size) {
        return failure(Error::Kind::Bug, data.description() + ": a batch does not hold as many tokens as its shape says.");
    }
    const auto outside = std::ranges::find_if(batch->ids, [vocabulary](TokenId id) { return id < 0 || id >= vocabulary; });
    if (outside != batch->ids.end()) {
        return failure(Error::Kind::Mismatch, data.description() + ": token " + std::to_string(*outside) + " is outside the " +
                                                  std::to_string(vocabulary) +
                                                  " pieces that teacher and student share; the data was made for another tokenizer.");
    }
    return batch;
}

} // namespace

Result<std::vector<Batch>> training_batches(const DistilPlan& plan, const DataSource& data, std::int64_t step, std::int64_t vocabulary)
{
    std::vector<Batch> batches;
    const DistilPlan::BatchShape& shape = plan.batch;
    for (std::int64_t part = 0; part < shape.accumulate; ++part) {
        auto batch = checked(data.batch(static_cast<std::uint64_t>(step * shape.accumulate + part), shape.sequences, shape.length), data, vocabulary);
        if (!batch) {
            return failure(std::move(batch.error()));
        }
        batches.push_back(*std::move(batch));
    }
    return batches;
}

Result<std::vector<Batch>> held_out_batches(const DistilPlan& plan, const DataSource& data, std::int64_t vocabulary)
{
    std::vector<Batch> batches;
    for (std::int64_t done = 0; done < plan.evaluate.sequences; done += plan.batch.sequences) {
        const std::int64_t sequences = std::min(plan.batch.sequences, plan.evaluate.sequences - done);
        auto batch = checked(data.held_out(batches.size(), sequences, plan.batch.length), data, vocabulary);
        if (!batch) {
            return failure(std::move(batch.error()));
        }
        batches.push_back(*std::move(batch));
    }
    return batches;
}

} // namespace retort
