#include "core/kernels/train_attention.h"

#include "core/kernels/team.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <vector>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/train_attention.cpp"
#include "core/kernels/simd_targets.h"
#include <hwy/foreach_target.h>
// After foreach_target.h, which sets the target.
#include "core/kernels/train_tile-inl.h"

#include <hwy/aligned_allocator.h>

HWY_BEFORE_NAMESPACE();
namespace retort {
namespace HWY_NAMESPACE {

// Scores are kept transposed, keys as rows and queries as lanes: maximum, sum and logarithm of a softmax are then vertical operations, and the block
// beyond the diagonal is simply not computed.
inline constexpr std::int64_t kQueries = 2 * kLanes; ///< queries of a block

std::int64_t round_up(std::int64_t value, std::int64_t step)
{
    return (value + step - 1) / step * step;
}

/// What a call's shapes come to, and where head `h` of sequence `s` lies.
template <class Act>
struct Layout {
    explicit Layout(const CausalAttention<Act>& call)
        : qkv_step((call.heads + 2 * call.kv_heads) * call.head_dim), out_step(call.heads * call.head_dim),
          padded_dim(round_up(call.head_dim, kLanes)), padded_length(round_up(call.length, kQueries)), group(call.heads / call.kv_heads),
          scale(1.0f / std::sqrt(static_cast<float>(call.head_dim)))
    {
    }

    std::int64_t qkv_step, out_step, padded_dim, padded_length, group;
    float scale;
};

/// A member's own memory, cut into named parts, zero at first so that padding stays harmless.
class Scratch {
public:
    explicit Scratch(std::int64_t floats) : m_memory(hwy::AllocateAligned<float>(static_cast<std::size_t>(floats))), m_next(m_memory.get())
    {
        std::fill_n(m_memory.get(), floats, 0.0f);
    }

    float* take(std::int64_t floats)
    {
        float* const part = m_next;
        m_next += round_up(floats, kLanes);
        return part;
    }

private:
    hwy::AlignedFreeUniquePtr<float[]> m_memory;
    float* m_next;
};

template <class Act>
void unpack(const Act* from, std::int64_t step, std::int64_t rows, std::int64_t dim, float* to, std::int64_t padded_dim)
{
    for (std::int64_t row = 0; row < rows; ++row) {
        for (std::int64_t i = 0; i < dim; i += kLanes) {
            store(load(from + row * step + i, dim - i), to + row * padded_dim + i, dim - i);
        }
    }
}

/// Rotates rows in place (angle of pair i at position t: cosines[t, i]) and leaves in `to` what was stored, rounding included.
template <class Act>
void rotate(const CausalAttention<Act>& call, Act* rows, std::int64_t step, float* to, std::int64_t padded_dim)
{
    const std::int64_t half = call.head_dim / 2;
    for (std::int64_t t = 0; t < call.length; ++t) {
        Act* row = rows + t * step;
        for (std::int64_t i = 0; i < half; i += kLanes) {
            const std::int64_t left = half - i;
            const FloatVec a = load(row + i, left);
            const FloatVec b = load(row + half + i, left);
            const FloatVec c = load(call.cosines + t * half + i, left);
            const FloatVec s = load(call.sines + t * half + i, left);
            store(hn::NegMulAdd(b, s, hn::Mul(a, c)), row + i, left);
            store(hn::MulAdd(b, c, hn::Mul(a, s)), row + half + i, left);
        }
    }
    unpack(rows, step, call.length, call.head_dim, to, padded_dim);
}

/// The gradient of values before rotation, from that of rotated ones.
template <class Act>
void unrotate(const CausalAttention<Act>& call, const float* from, std::int64_t padded_dim, std::int64_t begin, std::int64_t end, Act* rows,
              std::int64_t step)
{
    const std::int64_t half = call.head_dim / 2;
    for (std::int64_t t = begin; t < end; ++t) {
        const float* row = from + (t - begin) * padded_dim;
        Act* out = rows + t * step;
        for (std::int64_t i = 0; i < half; i += kLanes) {
            const std::int64_t left = half - i;
            const FloatVec a = load(row + i, left);
            const FloatVec b = load(row + half + i, left);
            const FloatVec c = load(call.cosines + t * half + i, left);
            const FloatVec s = load(call.sines + t * half + i, left);
            store(hn::MulAdd(a, c, hn::Mul(b, s)), out + i, left);
            store(hn::NegMulAdd(a, s, hn::Mul(b, c)), out + half + i, left);
        }
    }
}

/// to (columns, rows) = factor from^T, in blocks that stay within a few cache lines.
void transpose(const float* from, std::int64_t rows, std::int64_t columns, std::int64_t step, float factor, float* to, std::int64_t to_step)
{
    constexpr std::int64_t kBlock = 16;
    for (std::int64_t block = 0; block < rows; block += kBlock) {
        const std::int64_t end = std::min(rows, block + kBlock);
        for (std::int64_t column = 0; column < columns; ++column) {
            for (std::int64_t row = block; row < end; ++row) {
                to[column * to_step + row] = factor * from[row * step + column];
            }
        }
    }
}

/// Lanes whose query comes before key `key`, for the vector that starts at query `query`.
HWY_INLINE auto before(std::int64_t query, std::int64_t key)
{
    const FloatTag d;
    return hn::Lt(hn::Iota(d, 0.0f), hn::Set(d, static_cast<float>(key - query)));
}

/// scores (keys, kQueries), in base 2, to unnormalised probabilities in place; sums and base-2 log-sums of each query come back.
HWY_INLINE void softmax_columns(float* scores, std::int64_t keys, std::int64_t first_query, float* sums, float* log_sums)
{
    const FloatTag d;
    for (std::int64_t lane = 0; lane < kQueries; lane += kLanes) {
        const std::int64_t query = first_query + lane;
        FloatVec most = hn::Set(d, -std::numeric_limits<float>::max());
        for (std::int64_t key = 0; key < keys; ++key) {
            FloatVec score = hn::Load(d, scores + key * kQueries + lane);
            if (key > query) {
                score = hn::IfThenElse(before(query, key), hn::Set(d, -std::numeric_limits<float>::max()), score);
                hn::Store(score, d, scores + key * kQueries + lane);
            }
            most = hn::Max(most, score);
        }
        FloatVec sum = hn::Zero(d);
        for (std::int64_t key = 0; key < keys; ++key) {
            const FloatVec p = exp2(hn::Sub(hn::Load(d, scores + key * kQueries + lane), most));
            hn::Store(p, d, scores + key * kQueries + lane);
            sum = hn::Add(sum, p);
        }
        hn::Store(sum, d, sums + lane);
        HWY_ALIGN float most_lanes[kLanes];
        hn::Store(most, d, most_lanes);
        for (std::int64_t i = 0; i < kLanes; ++i) {
            log_sums[lane + i] = most_lanes[i] + std::log2(sums[lane + i]);
        }
    }
}

/// Every sequence and key-value head; each member that comes has a task of its own, whose memory it uses again.
template <template <class> class Task, class Act>
void run_tasks(const CausalAttention<Act>& call)
{
    const Layout<Act> layout(call);
    std::vector<std::optional<Task<Act>>> tasks(static_cast<std::size_t>(team_size()));
    for_chunks(call.sequences * call.kv_heads, [&](std::int64_t i, int member) HWY_ATTR {
        std::optional<Task<Act>>& task = tasks[static_cast<std::size_t>(member)];
        if (!task) {
            task.emplace(call, layout);
        }
        task->run(i / call.kv_heads, i % call.kv_heads);
    });
}

template <class Act>
struct ForwardTask {
    ForwardTask(const CausalAttention<Act>& of, const Layout<Act>& with)
        : call(of), layout(with),
          memory(2 * of.length * with.padded_dim + round_up(of.length, kLanes) * with.padded_dim + of.head_dim * with.padded_length +
                 of.length * kQueries + kQueries * with.padded_dim + 2 * kQueries + 8 * kLanes),
          keys(memory.take(of.length * with.padded_dim)), values(memory.take(of.length * with.padded_dim)),
          queries(memory.take(of.length * with.padded_dim)), queries_t(memory.take(of.head_dim * with.padded_length)),
          scores(memory.take(of.length * kQueries)), result(memory.take(kQueries * with.padded_dim)), sums(memory.take(kQueries)),
          log_sums(memory.take(kQueries))
    {
    }

    void run(std::int64_t sequence, std::int64_t kv_head)
    {
        const std::int64_t dim = call.head_dim;
        Act* rows = call.qkv + sequence * call.length * layout.qkv_step;
        rotate(call, rows + (call.heads + kv_head) * dim, layout.qkv_step, keys, layout.padded_dim);
        unpack(rows + (call.heads + call.kv_heads + kv_head) * dim, layout.qkv_step, call.length, dim, values, layout.padded_dim);
        for (std::int64_t head = kv_head * layout.group; head < (kv_head + 1) * layout.group; ++head) {
            rotate(call, rows + head * dim, layout.qkv_step, queries, layout.padded_dim);
            transpose(queries, call.length, dim, layout.padded_dim, layout.scale * kLog2E, queries_t, layout.padded_length);
            for (std::int64_t first = 0; first < call.length; first += kQueries) {
                answer_block(sequence, head, first);
            }
        }
    }

    void answer_block(std::int64_t sequence, std::int64_t head, std::int64_t first)
    {
        const std::int64_t seen = std::min(first + kQueries, call.length);
        multiply({.a = keys,
                  .row_step = layout.padded_dim,
                  .depth_step = 1,
                  .b = queries_t + first,
                  .b_step = layout.padded_length,
                  .c = scores,
                  .c_step = kQueries,
                  .rows = seen,
                  .columns = kQueries,
                  .depth = call.head_dim});
        softmax_columns(scores, seen, first, sums, log_sums);
        multiply({.a = scores,
                  .row_step = 1,
                  .depth_step = kQueries,
                  .b = values,
                  .b_step = layout.padded_dim,
                  .c = result,
                  .c_step = layout.padded_dim,
                  .rows = seen - first,
                  .columns = layout.padded_dim,
                  .depth = seen});
        std::copy_n(log_sums, seen - first, call.log_sums + (sequence * call.heads + head) * call.length + first);
        for (std::int64_t query = first; query < seen; ++query) {
            const FloatVec share = hn::Set(FloatTag(), 1.0f / sums[query - first]);
            Act* out = call.out + (sequence * call.length + query) * layout.out_step + head * call.head_dim;
            for (std::int64_t i = 0; i < call.head_dim; i += kLanes) {
                store(hn::Mul(load_whole(result + (query - first) * layout.padded_dim + i), share), out + i, call.head_dim - i);
            }
        }
    }

    const CausalAttention<Act>& call;
    const Layout<Act>& layout;
    Scratch memory;
    float *keys, *values, *queries, *queries_t, *scores, *result, *sums, *log_sums;
};

template <class Act>
void attention_forward_of(const CausalAttention<Act>& call)
{
    run_tasks<ForwardTask>(call);
}

template <class Act>
struct BackwardTask {
    BackwardTask(const CausalAttention<Act>& of, const Layout<Act>& with)
        : call(of), layout(with), memory(6 * (of.length + kQueries) * with.padded_dim + 2 * of.head_dim * with.padded_length +
                                         2 * of.length * kQueries + kQueries * with.padded_dim + 2 * with.padded_length + 16 * kLanes),
          keys(memory.take(of.length * with.padded_dim)), values(memory.take(of.length * with.padded_dim)),
          key_gradient(memory.take(of.length * with.padded_dim)), value_gradient(memory.take(of.length * with.padded_dim)),
          queries(memory.take(of.length * with.padded_dim)), gradient(memory.take(of.length * with.padded_dim)),
          queries_t(memory.take(of.head_dim * with.padded_length)), gradient_t(memory.take(of.head_dim * with.padded_length)),
          probabilities(memory.take(of.length * kQueries)), score_gradient(memory.take(of.length * kQueries)),
          query_gradient(memory.take(kQueries * with.padded_dim)), log_sums(memory.take(with.padded_length)), deltas(memory.take(with.padded_length))
    {
    }

    void run(std::int64_t sequence, std::int64_t kv_head)
    {
        const std::int64_t dim = call.head_dim;
        const std::int64_t key_at = sequence * call.length * layout.qkv_step + (call.heads + kv_head) * dim;
        const std::int64_t value_at = key_at + call.kv_heads * dim;
        unpack(call.qkv + key_at, layout.qkv_step, call.length, dim, keys, layout.padded_dim);
        unpack(call.qkv + value_at, layout.qkv_step, call.length, dim, values, layout.padded_dim);
        std::fill_n(key_gradient, call.length * layout.padded_dim, 0.0f);
        std::fill_n(value_gradient, call.length * layout.padded_dim, 0.0f);
        for (std::int64_t head = kv_head * layout.group; head < (kv_head + 1) * layout.group; ++head) {
            open_head(sequence, head);
            for (std::int64_t first = 0; first < call.length; first += kQueries) {
                go_back(sequence, head, first);
            }
        }
        unrotate(call, key_gradient, layout.padded_dim, 0, call.length, call.qkv_gradient + key_at, layout.qkv_step);
        for (std::int64_t t = 0; t < call.length; ++t) {
            for (std::int64_t i = 0; i < dim; i += kLanes) {
                store(load_whole(value_gradient + t * layout.padded_dim + i), call.qkv_gradient + value_at + t * layout.qkv_step + i, dim - i);
            }
        }
    }

    /// Brings in a head's queries, gradients and log-sums; delta_i = sum_d dO_id O_id.
    void open_head(std::int64_t sequence, std::int64_t head)
    {
        const std::int64_t dim = call.head_dim;
        const std::int64_t out_at = sequence * call.length * layout.out_step + head * dim;
        unpack(call.qkv + sequence * call.length * layout.qkv_step + head * dim, layout.qkv_step, call.length, dim, queries, layout.padded_dim);
        unpack(call.out_gradient + out_at, layout.out_step, call.length, dim, gradient, layout.padded_dim);
        transpose(queries, call.length, dim, layout.padded_dim, layout.scale * kLog2E, queries_t, layout.padded_length);
        transpose(gradient, call.length, dim, layout.padded_dim, 1.0f, gradient_t, layout.padded_length);
        std::copy_n(call.log_sums + (sequence * call.heads + head) * call.length, call.length, log_sums);
        for (std::int64_t t = 0; t < call.length; ++t) {
            FloatVec sum = hn::Zero(FloatTag());
            for (std::int64_t i = 0; i < dim; i += kLanes) {
                sum = hn::MulAdd(load(call.out + out_at + t * layout.out_step + i, dim - i), load_whole(gradient + t * layout.padded_dim + i), sum);
            }
            deltas[t] = sum_of_lanes(sum);
        }
    }

    void go_back(std::int64_t sequence, std::int64_t head, std::int64_t first)
    {
        const std::int64_t seen = std::min(first + kQueries, call.length);
        const std::int64_t asked = seen - first;
        const std::int64_t padded = layout.padded_dim;
        multiply({.a = keys,
                  .row_step = padded,
                  .depth_step = 1,
                  .b = queries_t + first,
                  .b_step = layout.padded_length,
                  .c = probabilities,
                  .c_step = kQueries,
                  .rows = seen,
                  .columns = kQueries,
                  .depth = call.head_dim});
        multiply({.a = values,
                  .row_step = padded,
                  .depth_step = 1,
                  .b = gradient_t + first,
                  .b_step = layout.padded_length,
                  .c = score_gradient,
                  .c_step = kQueries,
                  .rows = seen,
                  .columns = kQueries,
                  .depth = call.head_dim});
        differentiate_softmax(first, seen);
        multiply({.a = probabilities,
                  .row_step = kQueries,
                  .depth_step = 1,
                  .b = gradient + first * padded,
                  .b_step = padded,
                  .c = value_gradient,
                  .c_step = padded,
                  .rows = seen,
                  .columns = padded,
                  .depth = asked,
                  .accumulate = true});
        multiply({.a = score_gradient,
                  .row_step = kQueries,
                  .depth_step = 1,
                  .b = queries + first * padded,
                  .b_step = padded,
                  .c = key_gradient,
                  .c_step = padded,
                  .rows = seen,
                  .columns = padded,
                  .depth = asked,
                  .accumulate = true});
        multiply({.a = score_gradient,
                  .row_step = 1,
                  .depth_step = kQueries,
                  .b = keys,
                  .b_step = padded,
                  .c = query_gradient,
                  .c_step = padded,
                  .rows = asked,
                  .columns = padded,
                  .depth = seen});
        Act* rows = call.qkv_gradient + sequence * call.length * layout.qkv_step + head * call.head_dim;
        unrotate(call, query_gradient, padded, first, seen, rows, layout.qkv_step);
    }

    /// probabilities: scores to p = 2^(score - log-sum); score_gradient: dp to ds = p (dp - delta) scale.
    HWY_INLINE void differentiate_softmax(std::int64_t first, std::int64_t seen)
    {
        const FloatTag d;
        const FloatVec scale = hn::Set(d, layout.scale);
        for (std::int64_t lane = 0; lane < kQueries; lane += kLanes) {
            const std::int64_t query = first + lane;
            const FloatVec log_sum = hn::Load(d, log_sums + query);
            const FloatVec delta = hn::Load(d, deltas + query);
            for (std::int64_t key = 0; key < seen; ++key) {
                float* const at = probabilities + key * kQueries + lane;
                float* const gradient_at = score_gradient + key * kQueries + lane;
                FloatVec p = exp2(hn::Min(hn::Sub(hn::Load(d, at), log_sum), hn::Set(d, 1.0f)));
                if (key > query) {
                    p = hn::IfThenZeroElse(before(query, key), p);
                }
                hn::Store(p, d, at);
                hn::Store(hn::Mul(hn::Mul(p, hn::Sub(hn::Load(d, gradient_at), delta)), scale), d, gradient_at);
            }
        }
    }

    const CausalAttention<Act>& call;
    const Layout<Act>& layout;
    Scratch memory;
    float *keys, *values, *key_gradient, *value_gradient, *queries, *gradient, *queries_t, *gradient_t, *probabilities, *score_gradient,
        *query_gradient, *log_sums, *deltas;
};

template <class Act>
void attention_backward_of(const CausalAttention<Act>& call)
{
    run_tasks<BackwardTask>(call);
}

// Highway's tables hold plain functions.
void AttentionForwardFloat(const CausalAttention<float>& call)
{
    attention_forward_of(call);
}
void AttentionForwardBFloat16(const CausalAttention<BFloat16>& call)
{
    attention_forward_of(call);
}
void AttentionBackwardFloat(const CausalAttention<float>& call)
{
    attention_backward_of(call);
}
void AttentionBackwardBFloat16(const CausalAttention<BFloat16>& call)
{
    attention_backward_of(call);
}

} // namespace HWY_NAMESPACE
} // namespace retort
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace retort {

HWY_EXPORT(AttentionForwardFloat);
HWY_EXPORT(AttentionForwardBFloat16);
HWY_EXPORT(AttentionBackwardFloat);
HWY_EXPORT(AttentionBackwardBFloat16);

void attention_forward(const CausalAttention<float>& call)
{
    HWY_DYNAMIC_DISPATCH(AttentionForwardFloat)(call);
}

void attention_forward(const CausalAttention<BFloat16>& call)
{
    HWY_DYNAMIC_DISPATCH(AttentionForwardBFloat16)(call);
}

void attention_backward(const CausalAttention<float>& call)
{
    HWY_DYNAMIC_DISPATCH(AttentionBackwardFloat)(call);
}

void attention_backward(const CausalAttention<BFloat16>& call)
{
    HWY_DYNAMIC_DISPATCH(AttentionBackwardBFloat16)(call);
}

} // namespace retort
#endif
