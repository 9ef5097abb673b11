#include "core/model/net.h"

#include "core/kernels/panel.h"
#include "core/kernels/row_ops.h"
#include "core/model/net_cache.h"
#include "core/model/net_decode.h"
#include "core/model/net_prefill.h"
#include "core/model/net_weights.h"

#include <algorithm>
#include <string>
#include <utility>

namespace retort {

namespace {

/// Net over packed weights: single positions by DecodePass, more by PrefillPass; in Exact arithmetic everything by the latter, in float32.
class PackedNet final : public Net {
public:
    PackedNet(DecoderShape spec, PackedWeights weights, Precision precision, const PanelKernels& kernels)
        : m_spec(std::move(spec)), m_weights(std::move(weights)), m_precision(precision), m_rope(m_spec), m_prefill(m_spec, m_weights, kernels),
          m_precise(m_spec, m_weights, float32_kernels()), m_decode(m_spec, m_weights, best_gemv())
    {
    }

    [[nodiscard]] const DecoderShape& spec() const override { return m_spec; }
    [[nodiscard]] std::unique_ptr<KvCache> new_cache() const override { return std::make_unique<KvStore>(m_spec); }

    [[nodiscard]] Result<void> forward(KvCache& cache, std::span<const TokenId> ids, Rows rows, std::vector<float>& logits,
                                       std::stop_token stop) override;
    [[nodiscard]] Result<void> forward_hidden(KvCache& cache, std::span<const TokenId> ids, std::vector<float>& hidden,
                                              std::stop_token stop) override;
    void head(std::span<const float> hidden, std::int64_t rows, std::vector<float>& logits) override;

private:
    [[nodiscard]] Result<void> check_call(const KvStore& cache, std::span<const TokenId> ids) const;
    [[nodiscard]] Result<void> check_logits(std::span<const float> logits) const;
    [[nodiscard]] bool decodes(std::int64_t rows) const { return m_precision == Precision::Fast && rows == 1; }
    [[nodiscard]] PrefillPass& pass_for(std::int64_t rows);
    /// Logits of `rows` hidden states, at most PrefillPass::kChunk at a time.
    void multiply_head(const float* hidden, std::int64_t rows, float* logits);
    /// Where RoPE turns all positions otherwise from here on: runs those that the cache holds once more. On failure the cache is empty.
    [[nodiscard]] Result<void> turn_anew(KvStore& cache, std::span<const TokenId> ids, const std::stop_token& stop);
    /// Runs the ids chunk by chunk and hands each chunk's hidden states to take(hidden, rows). Restores the cache's length on failure.
    template <class Take>
    [[nodiscard]] Result<void> run_chunks(KvStore& cache, std::span<const TokenId> ids, const std::stop_token& stop, Take&& take);

    DecoderShape m_spec;
    PackedWeights m_weights;
    Precision m_precision;
    RopeTable m_rope;
    PrefillPass m_prefill;
    PrefillPass m_precise; ///< for short texts where m_prefill rounds to bf16
    DecodePass m_decode;
    std::vector<float> m_hidden; ///< of one chunk
};

Result<void> PackedNet::check_call(const KvStore& cache, std::span<const TokenId> ids) const
{
    if (ids.empty()) {
        return failure(Error::Kind::Usage, "There are no tokens to run; give at least one.");
    }
    for (std::size_t i = 0; i < ids.size(); ++i) {
        if (ids[i] < 0 || ids[i] >= m_spec.vocabulary) {
            return failure(Error::Kind::Mismatch, "Token id " + std::to_string(ids[i]) + " at place " + std::to_string(i) +
                                                      " is outside the model's vocabulary of " + std::to_string(m_spec.vocabulary) +
                                                      "; the tokenizer and the model do not belong together.");
        }
    }
    const std::int64_t room = m_spec.context - cache.length();
    if (static_cast<std::int64_t>(ids.size()) > room) {
        return failure(Error::Kind::Usage, "The model's context of " + std::to_string(m_spec.context) +
                                               " tokens is full: " + std::to_string(cache.length()) + " are taken and " + std::to_string(ids.size()) +
                                               " more were to come. Shorten the text.");
    }
    return {};
}

Result<void> PackedNet::check_logits(std::span<const float> logits) const
{
    if (all_finite(logits.data(), static_cast<std::int64_t>(logits.size()))) {
        return {};
    }
    return failure(Error::Kind::BadFile, "The model gives logits that are not finite numbers; its weights are damaged or overflow in float32.");
}

PrefillPass& PackedNet::pass_for(std::int64_t rows)
{
    // A few positions take no time worth saving, and are the ones a person looks at one by one.
    constexpr std::int64_t kShort = 32;
    return m_prefill.kernels().arithmetic == Arithmetic::Bf16Dot && rows <= kShort ? m_precise : m_prefill;
}

Result<void> PackedNet::turn_anew(KvStore& cache, std::span<const TokenId> ids, const std::stop_token& stop)
{
    if (!m_rope.is_long_rope()) {
        return {};
    }
    cache.ids().resize(static_cast<std::size_t>(cache.length()));
    const std::int64_t total = cache.length() + static_cast<std::int64_t>(ids.size());
    if (m_rope.changes_at(total)) {
        m_rope.change_to(total);
    }
    const bool is_long = total > m_spec.rope.scaling.original_context;
    if (cache.is_long() != is_long && cache.length() > 0) {
        const std::vector<TokenId> past = cache.ids();
        cache.truncate(0);
        if (auto ran = run_chunks(cache, past, stop, [](const float*, std::int64_t, bool) {}); !ran) {
            return ran;
        }
    }
    cache.set_long(is_long);
    cache.ids().insert(cache.ids().end(), ids.begin(), ids.end());
    return {};
}

template <class Take>
Result<void> PackedNet::run_chunks(KvStore& cache, std::span<const TokenId> ids, const std::stop_token& stop, Take&& take)
{
    const std::int64_t before = cache.length();
    cache.reserve(before + static_cast<std::int64_t>(ids.size()));
    m_rope.reserve(before + static_cast<std::int64_t>(ids.size()));
    const auto width = static_cast<std::size_t>(m_spec.width);
    for (std::size_t first = 0; first < ids.size();) {
        const auto chunk = ids.subspan(first, std::min<std::size_t>(ids.size() - first, PrefillPass::kChunk));
        m_hidden.resize(chunk.size() * width);
        bool done = !stop.stop_requested();
        if (done && decodes(static_cast<std::int64_t>(chunk.size()))) {
            m_decode.run(cache, m_rope, chunk.front(), m_hidden.data(), nullptr);
        } else if (done) {
            done = pass_for(static_cast<std::int64_t>(chunk.size())).run(cache, m_rope, chunk, m_hidden.data(), stop);
        }
        if (!done) {
            cache.truncate(before);
            return cancelled();
        }
        first += chunk.size();
        take(m_hidden.data(), static_cast<std::int64_t>(chunk.size()), first == ids.size());
    }
    return {};
}

Result<void> PackedNet::forward(KvCache& cache, std::span<const TokenId> ids, Rows rows, std::vector<float>& logits, std::stop_token stop)
{
    return guard("running the model", [&]() -> Result<void> {
        auto& store = static_cast<KvStore&>(cache); // every KvCache of a Net comes from its new_cache()
        const auto vocabulary = static_cast<std::size_t>(m_spec.vocabulary);
        const std::int64_t before = store.length();
        if (auto ready = check_call(store, ids).and_then([&] { return turn_anew(store, ids, stop); }); !ready) {
            return ready;
        }
        if (ids.size() == 1 && decodes(1)) {
            store.reserve(before + 1);
            m_rope.reserve(before + 1);
            logits.resize(vocabulary);
            m_decode.run(store, m_rope, ids.front(), nullptr, logits.data());
        } else {
            logits.resize(rows == Rows::All ? ids.size() * vocabulary : vocabulary);
            std::size_t written = 0;
            auto ran = run_chunks(store, ids, stop, [&](const float* hidden, std::int64_t count, bool last) {
                if (rows == Rows::All) {
                    multiply_head(hidden, count, logits.data() + written);
                    written += static_cast<std::size_t>(count) * vocabulary;
                } else if (last) {
                    multiply_head(hidden + (count - 1) * m_spec.width, 1, logits.data());
                }
            });
            if (!ran) {
                return ran;
            }
        }
        auto checked = check_logits(logits);
        if (!checked) {
            store.truncate(before);
        }
        return checked;
    });
}

Result<void> PackedNet::forward_hidden(KvCache& cache, std::span<const TokenId> ids, std::vector<float>& hidden, std::stop_token stop)
{
    return guard("running the model", [&]() -> Result<void> {
        auto& store = static_cast<KvStore&>(cache);
        const std::int64_t before = store.length();
        if (auto ready = check_call(store, ids).and_then([&] { return turn_anew(store, ids, stop); }); !ready) {
            return ready;
        }
        hidden.resize(ids.size() * static_cast<std::size_t>(m_spec.width));
        std::size_t written = 0;
        auto ran = run_chunks(store, ids, stop, [&](const float* chunk, std::int64_t count, bool) {
            const auto values = static_cast<std::size_t>(count * m_spec.width);
            std::copy_n(chunk, values, hidden.data() + written);
            written += values;
        });
        if (!ran) {
            return ran;
        }
        if (!all_finite(hidden.data(), static_cast<std::int64_t>(hidden.size()))) {
            store.truncate(before);
            return failure(Error::Kind::BadFile,
                           "The model gives hidden states that are not finite numbers; its weights are damaged or overflow in float32.");
        }
        return {};
    });
}

void PackedNet::head(std::span<const float> hidden, std::int64_t rows, std::vector<float>& logits)
{
    logits.resize(static_cast<std::size_t>(rows * m_spec.vocabulary));
    for (std::int64_t first = 0; first < rows; first += PrefillPass::kChunk) {
        const std::int64_t count = std::min(PrefillPass::kChunk, rows - first);
        multiply_head(hidden.data() + first * m_spec.width, count, logits.data() + first * m_spec.vocabulary);
    }
}

void PackedNet::multiply_head(const float* hidden, std::int64_t rows, float* logits)
{
    if (decodes(rows)) {
        m_decode.head(hidden, logits);
    } else {
        pass_for(rows).head(hidden, rows, logits);
    }
}

} // namespace

namespace {

Result<std::unique_ptr<Net>> create_net(const ModelInfo& info, WeightSet weights, Net::Precision precision, const Progress& progress)
{
    return guard("laying out the model", [&]() -> Result<std::unique_ptr<Net>> {
        if (auto checked = check(info.spec, info.name); !checked) {
            return failure(checked.error());
        }
        auto packed = PackedWeights::pack(info.spec, std::move(weights), team_size(), progress);
        if (!packed) {
            return failure(packed.error());
        }
        return std::make_unique<PackedNet>(info.spec, std::move(*packed), precision,
                                           precision == Net::Precision::Exact ? float32_kernels() : fastest_kernels());
    });
}

} // namespace

Result<std::unique_ptr<Net>> Net::create(const Model& model, Precision precision, const Progress& progress)
{
    const auto whole = model.with_weights(progress);
    if (!whole) {
        return failure(whole.error());
    }
    return create_net(whole->info(), whole->weights(), precision, progress);
}

Result<RunningModel> lay_out(Model model, Net::Precision precision, const Progress& progress)
{
    auto whole = model.with_weights(progress);
    if (!whole) {
        return failure(whole.error());
    }
    WeightSet weights = whole->weights();
    model = whole->without_weights();
    whole = model; // nobody but `weights` holds them now
    auto net = create_net(model.info(), std::move(weights), precision, progress);
    if (!net) {
        return failure(net.error());
    }
    return RunningModel{std::move(model), std::move(*net)};
}

} // namespace retort
