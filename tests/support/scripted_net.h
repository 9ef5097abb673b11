#pragma once
#include "core/model/net.h"

#include <functional>
#include <limits>
#include <utility>

namespace retort::test {

/// A Net whose answer to each token is written down: row `id` of a table of logits follows token `id`, whatever came before. It keeps the promises of
/// Net that its callers rely on: the cache, the context, cancelling, refusing logits that are no numbers.
class ScriptedNet final : public Net {
public:
    /// `table` (vocabulary, vocabulary) row-major.
    ScriptedNet(std::int64_t vocabulary, std::int64_t context, std::vector<float> table) : m_table(std::move(table))
    {
        m_spec.family = "scripted";
        m_spec.layers = m_spec.heads = m_spec.kv_heads = 1;
        m_spec.width = 1;
        m_spec.vocabulary = vocabulary;
        m_spec.context = context;
    }

    /// A net that always says `id + 1` after `id`, and begins again after `vocabulary - 1`.
    static ScriptedNet counting(std::int64_t vocabulary, std::int64_t context)
    {
        std::vector<float> table(static_cast<std::size_t>(vocabulary * vocabulary));
        for (std::int64_t id = 0; id < vocabulary; ++id) {
            table[static_cast<std::size_t>(id * vocabulary + (id + 1) % vocabulary)] = 8.0f;
        }
        return {vocabulary, context, std::move(table)};
    }

    std::function<void()> on_forward; ///< called before each pass
    std::int64_t passes = 0;
    std::int64_t largest_head = 0; ///< most rows asked of head() at once

    [[nodiscard]] const DecoderShape& spec() const override { return m_spec; }
    [[nodiscard]] std::unique_ptr<KvCache> new_cache() const override { return std::make_unique<Cache>(); }

    [[nodiscard]] Result<void> forward_hidden(KvCache& cache, std::span<const TokenId> ids, std::vector<float>& hidden, std::stop_token stop) override
    {
        ++passes;
        if (on_forward) {
            on_forward();
        }
        if (stop.stop_requested()) {
            return cancelled();
        }
        auto& own = static_cast<Cache&>(cache);
        if (own.positions + static_cast<std::int64_t>(ids.size()) > m_spec.context) {
            return failure(Error::Kind::Usage, "The context is full.");
        }
        own.positions += static_cast<std::int64_t>(ids.size());
        hidden.assign(ids.begin(), ids.end()); // width 1: the hidden state is the token
        return {};
    }

    void head(std::span<const float> hidden, std::int64_t rows, std::vector<float>& logits) override
    {
        largest_head = std::max(largest_head, rows);
        logits.clear();
        for (const float token : hidden) {
            const auto row = std::span<const float>(m_table).subspan(static_cast<std::size_t>(token) * vocabulary(), vocabulary());
            logits.insert(logits.end(), row.begin(), row.end());
        }
    }

    [[nodiscard]] Result<void> forward(KvCache& cache, std::span<const TokenId> ids, Rows rows, std::vector<float>& logits,
                                       std::stop_token stop) override
    {
        std::vector<float> hidden;
        if (auto done = forward_hidden(cache, ids, hidden, std::move(stop)); !done) {
            return done;
        }
        const auto wanted = rows == Rows::All ? std::span<const float>(hidden) : std::span<const float>(hidden).last(1);
        head(wanted, static_cast<std::int64_t>(wanted.size()), logits);
        for (const float logit : logits) {
            if (logit != logit) {
                return failure(Error::Kind::BadFile, "A logit is not a number.");
            }
        }
        return {};
    }

private:
    struct Cache final : KvCache {
        std::int64_t positions = 0;
        [[nodiscard]] std::int64_t length() const override { return positions; }
        void truncate(std::int64_t length) override { positions = length; }
    };
    [[nodiscard]] std::size_t vocabulary() const { return static_cast<std::size_t>(m_spec.vocabulary); }

    DecoderShape m_spec;
    std::vector<float> m_table;
};

} // namespace retort::test
