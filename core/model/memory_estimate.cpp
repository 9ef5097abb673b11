#include "core/model/memory_estimate.h"

#include "core/base/memory.h"

#include <algorithm>

namespace retort {

namespace {

constexpr std::uint64_t kFloat = sizeof(float);
constexpr std::uint64_t kLibraries = std::uint64_t{160} << 20; ///< code and buffers of LibTorch, MKL and oneDNN, as measured

std::uint64_t unsigned_of(std::int64_t value)
{
    return static_cast<std::uint64_t>(std::max<std::int64_t>(value, 0));
}

/// Numbers that a layer's forward pass leaves for each position, by how they are kept (trainable_activations.h).
struct PerPosition {
    std::uint64_t floats;
    std::uint64_t activations;
};

PerPosition layer_values(const DecoderShape& spec)
{
    return {unsigned_of(2 * spec.width + 2 + spec.heads), unsigned_of(2 * spec.width + 2 * spec.query_width() + 2 * spec.kv_width() + 3 * spec.ffn)};
}

/// The same for what stands at the end of all layers, and is picked from there.
PerPosition end_values(const DecoderShape& spec)
{
    return {unsigned_of(spec.width + 1), unsigned_of(4 * spec.width)};
}

/// One gradient on its way back.
PerPosition backward_values(const DecoderShape& spec)
{
    return {unsigned_of(spec.width), unsigned_of(2 * spec.width + 2 * spec.query_width() + 2 * spec.kv_width() + 3 * spec.ffn)};
}

std::uint64_t bytes_of(const PerPosition& values, std::uint64_t rows, std::uint64_t each)
{
    return rows * (values.floats * kFloat + values.activations * each);
}

std::uint64_t largest_weight(const DecoderShape& spec)
{
    const std::int64_t widest = std::max({spec.query_width() + 2 * spec.kv_width(), 2 * spec.ffn, spec.width});
    return unsigned_of(std::max(spec.vocabulary * spec.width, widest * std::max(spec.width, spec.query_width())));
}

} // namespace

MemoryEstimate estimate_memory(const ModelInfo& info, std::int64_t positions)
{
    MemoryEstimate estimate;
    estimate.weights = info.weight_bytes > 0 ? info.weight_bytes : info.parameters * kFloat;
    estimate.kv_cache = unsigned_of(positions) * info.spec.kv_bytes_per_position(kFloat);
    estimate.training = training_memory(info.spec, nullptr, {.sequences = 1, .length = positions});
    estimate.available = available_memory();
    return estimate;
}

std::uint64_t training_memory(const DecoderShape& student, const DecoderShape* teacher, const TrainingSizes& sizes)
{
    const std::uint64_t each = sizes.rounds ? 2 : kFloat;
    const std::uint64_t rows = unsigned_of(sizes.sequences * sizes.length);
    const std::uint64_t logits = unsigned_of(sizes.head_rows * student.vocabulary) * each;
    constexpr std::uint64_t kOfParameter = 4 * kFloat; // the value, its gradient, two moments
    const std::uint64_t copies = unsigned_of(sizes.copies) * kFloat;
    std::uint64_t bytes = kLibraries + student.parameters() * (kOfParameter + copies + (sizes.rounds ? each : 0));
    bytes += bytes_of(layer_values(student), rows, each) * unsigned_of(student.layers);
    bytes += bytes_of(end_values(student), rows, each) + bytes_of(backward_values(student), rows, each);
    bytes += logits + (sizes.rounds ? largest_weight(student) * each : 0);
    if (teacher != nullptr) {
        bytes += teacher->parameters() * each + logits;
        bytes += bytes_of(layer_values(*teacher), rows, each) + bytes_of(end_values(*teacher), rows, each);
    }
    return bytes;
}

} // namespace retort
