#include "core/measure/speed.h"

#include "core/kernels/panel.h"
#include "core/kernels/read_speed.h"
#include "core/kernels/team.h"
#include "core/text/tokenizer.h"

#include <algorithm>
#include <chrono>
#include <string>

namespace retort {
namespace {

/// Ids that repeat late, all within the vocabulary.
std::vector<TokenId> some_ids(const DecoderShape& spec, std::int64_t count)
{
    std::vector<TokenId> ids;
    for (std::int64_t i = 0; i < count; ++i) {
        ids.push_back(static_cast<TokenId>((100 + 13 * i) % spec.vocabulary));
    }
    return ids;
}

Result<void> check_context(const DecoderShape& spec, std::int64_t tokens)
{
    if (tokens <= spec.context) {
        return {};
    }
    return failure(Error::Kind::Usage, std::to_string(tokens) + " tokens were asked for, and the model's context has " +
                                           std::to_string(spec.context) + ". Give fewer with --tokens and --depth.");
}

/// The share of a model's numbers that a token is multiplied with: all but an embedding that is only looked up.
double multiplied_share(const ModelInfo& info)
{
    const double looked_up = info.spec.tied ? 0.0 : static_cast<double>(info.spec.vocabulary * info.spec.token_width());
    return 1.0 - looked_up / static_cast<double>(std::max<std::uint64_t>(1, info.parameters));
}

} // namespace

Result<Speed> time_tokens(int repeat, const std::function<Result<std::int64_t>()>& work)
{
    std::vector<double> speeds;
    for (int i = -1; i < repeat; ++i) { // the first warms up
        const auto begin = std::chrono::steady_clock::now();
        const auto tokens = work();
        const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
        if (!tokens) {
            return failure(tokens.error());
        }
        if (i >= 0) {
            speeds.push_back(static_cast<double>(*tokens) / seconds);
        }
    }
    std::ranges::sort(speeds);
    return Speed{.tokens_per_s = speeds[speeds.size() / 2], .low = speeds.front(), .high = speeds.back(), .n = repeat};
}

Result<Speed> decode_speed(const ModelInfo& info, Net& net, std::int64_t tokens, std::int64_t depth, int repeat)
{
    const DecoderShape& spec = net.spec();
    if (auto checked = check_context(spec, depth + tokens); !checked) {
        return failure(checked.error());
    }
    const auto cache = net.new_cache();
    std::vector<float> logits;
    if (depth > 0) {
        if (auto read = net.forward(*cache, some_ids(spec, depth), Net::Rows::Last, logits); !read) {
            return failure(read.error());
        }
    }
    const std::vector<TokenId> ids = some_ids(spec, tokens);
    auto speed = time_tokens(repeat, [&]() -> Result<std::int64_t> {
        cache->truncate(depth);
        for (const TokenId id : ids) {
            if (auto done = net.forward(*cache, std::span(&id, 1), Net::Rows::Last, logits); !done) {
                return failure(done.error());
            }
        }
        return tokens;
    });
    if (speed) {
        const double weights =
            multiplied_share(info) * static_cast<double>(info.weight_bytes > 0 ? info.weight_bytes : info.parameters * sizeof(float));
        const double positions = static_cast<double>(depth) + static_cast<double>(tokens) / 2;
        const double bytes = weights + positions * static_cast<double>(spec.kv_bytes_per_position(sizeof(float)));
        speed->precision = "weights as in the file, 16-bit activations";
        speed->limit = "read bandwidth";
        speed->limit_share = speed->tokens_per_s * bytes / measure_read_speed(static_cast<std::size_t>(bytes));
    }
    return speed;
}

Result<Speed> prefill_speed(const ModelInfo& info, Net& net, Net::Precision precision, std::int64_t tokens, int repeat)
{
    const DecoderShape& spec = net.spec();
    if (auto checked = check_context(spec, tokens); !checked) {
        return failure(checked.error());
    }
    const std::vector<TokenId> ids = some_ids(spec, tokens);
    std::vector<float> logits;
    auto speed = time_tokens(repeat, [&]() -> Result<std::int64_t> {
        const auto done = net.forward(*net.new_cache(), ids, Net::Rows::Last, logits);
        return done ? Result<std::int64_t>(tokens) : failure(done.error());
    });
    if (speed) {
        const PanelKernels& kernels = precision == Net::Precision::Exact ? float32_kernels() : fastest_kernels();
        const double head = static_cast<double>(spec.vocabulary * spec.width);
        const double body = multiplied_share(info) * static_cast<double>(info.parameters) - head;
        // Two operations for each weight and token, and for each pair of positions in the scores and in the sum of values.
        const double operations = 2.0 * body + 2.0 * static_cast<double>(spec.layers * spec.query_width() * tokens);
        speed->precision = name_of(kernels.arithmetic);
        speed->limit = "product speed";
        speed->limit_share = speed->tokens_per_s * operations / (product_speed_of(kernels) * team_size());
    }
    return speed;
}

std::int64_t count_pieces(const Tokenizer& tokenizer, std::span<const std::string> documents)
{
    std::int64_t pieces = 0;
    for (const std::string& document : documents) {
        pieces += static_cast<std::int64_t>(tokenizer.encode(document, Tokenizer::Special::AsTokens).size());
    }
    return pieces;
}

Result<Speed> tokenize_speed(const Tokenizer& tokenizer, std::span<const std::string> documents, int repeat)
{
    return time_tokens(repeat, [&]() -> Result<std::int64_t> { return count_pieces(tokenizer, documents); });
}

} // namespace retort
