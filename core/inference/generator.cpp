#include "core/inference/generator.h"

#include "core/inference/distribution.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>
#include <utility>

namespace retort {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin)
{
    return std::chrono::duration<double>(Clock::now() - begin).count();
}

class GenerationOfNet final : public Generation {
public:
    GenerationOfNet(Net& net, const Model& model, std::vector<TokenId> prompt, GenerateSettings settings)
        : m_net(net), m_tokenizer(model.shared_tokenizer()), m_settings(std::move(settings)), m_sampler(m_settings.sampler), m_cache(net.new_cache()),
          m_vocabulary(std::min(vocabulary_of(model), net.spec().vocabulary)), m_history(prompt)
    {
        m_answer.prompt = std::move(prompt);
        auto& stops = m_settings.stop_tokens;
        stops.insert(stops.end(), model.info().stop_tokens.begin(), model.info().stop_tokens.end());
        if (m_tokenizer != nullptr) {
            m_decoder.emplace(m_tokenizer);
            m_decoder->read_before(m_answer.prompt); // prompt and answer are one text, in which no blank is lost between them
        }
    }

    Result<void> run_prompt(std::stop_token stop)
    {
        const auto begin = Clock::now();
        auto done = m_net.forward(*m_cache, m_answer.prompt, Net::Rows::Last, m_logits, std::move(stop));
        m_answer.prompt_seconds = seconds_since(begin);
        m_answer.first_token_seconds = m_answer.prompt_seconds;
        if (m_settings.max_tokens <= 0) {
            end(Finish::Length);
        }
        return done;
    }

    [[nodiscard]] bool finished() const override { return m_finished; }
    [[nodiscard]] const Answer& answer() const override { return m_answer; }
    [[nodiscard]] std::span<const float> logits() const override
    {
        return std::span<const float>(m_logits).first(std::min(m_logits.size(), static_cast<std::size_t>(m_vocabulary)));
    }

    [[nodiscard]] Result<const GeneratedToken*> next(std::stop_token stop) override
    {
        if (m_finished) {
            return nullptr;
        }
        const bool is_first = m_answer.tokens.empty();
        const auto begin = Clock::now();
        auto token = write_one(std::move(stop));
        (is_first ? m_answer.first_token_seconds : m_answer.decode_seconds) += seconds_since(begin);
        return token;
    }

private:
    Result<const GeneratedToken*> write_one(std::stop_token stop)
    {
        if (stop.stop_requested()) {
            return end(Finish::Cancelled);
        }
        if (!m_answer.tokens.empty()) {
            if (m_cache->length() >= m_net.spec().context) {
                return end(Finish::ContextFull);
            }
            const TokenId latest = m_answer.tokens.back().id;
            if (auto done = m_net.forward(*m_cache, std::span(&latest, 1), Net::Rows::Last, m_logits, stop); !done) {
                if (done.error().kind == Error::Kind::Cancelled) {
                    return end(Finish::Cancelled);
                }
                end(Finish::Cancelled);
                return failure(done.error());
            }
        }
        const TokenId id = m_sampler.choose(m_logits, m_history, m_vocabulary);
        if (std::find(m_settings.stop_tokens.begin(), m_settings.stop_tokens.end(), id) != m_settings.stop_tokens.end()) {
            return end(Finish::Stop);
        }
        append(id);
        if (static_cast<std::int64_t>(m_answer.tokens.size()) >= m_settings.max_tokens) {
            end(Finish::Length);
        }
        return &m_answer.tokens.back();
    }

    void append(TokenId id)
    {
        const auto log_probs = log_probabilities(logits());
        GeneratedToken token;
        token.id = id;
        token.log_probability = log_probs[static_cast<std::size_t>(id)];
        token.rank = rank_of(log_probs, id);
        token.entropy = static_cast<float>(entropy_of(log_probs));
        if (m_decoder) {
            token.text = m_decoder->push(id);
            token.bytes = m_tokenizer->bytes(id);
        }
        m_answer.text += token.text;
        m_answer.tokens.push_back(std::move(token));
        m_history.push_back(id);
    }

    const GeneratedToken* end(Finish finish)
    {
        m_finished = true;
        m_answer.finish = finish;
        if (m_decoder && !m_answer.tokens.empty()) {
            const std::string rest = m_decoder->finish();
            m_answer.tokens.back().text += rest;
            m_answer.text += rest;
        }
        return nullptr;
    }

    Net& m_net;
    std::shared_ptr<const Tokenizer> m_tokenizer; // null for a model without one: it answers in ids alone
    GenerateSettings m_settings;
    Sampler m_sampler;
    std::unique_ptr<KvCache> m_cache;
    std::int64_t m_vocabulary;
    std::vector<TokenId> m_history;
    std::optional<StreamDecoder> m_decoder;
    std::vector<float> m_logits;
    Answer m_answer;
    bool m_finished = false;
};

} // namespace

std::string_view name_of(Finish finish)
{
    switch (finish) {
    case Finish::Stop:
        return "stop";
    case Finish::Length:
        return "length";
    case Finish::Cancelled:
        return "cancelled";
    case Finish::ContextFull:
        return "context_full";
    }
    return "stop";
}

Result<Answer> whole_answer(Net& net, const Model& model, std::vector<TokenId> prompt, const GenerateSettings& settings, const std::stop_token& stop)
{
    auto generation = Generation::start(net, model, std::move(prompt), settings, stop);
    if (!generation) {
        return failure(std::move(generation.error()));
    }
    while (!(*generation)->finished()) {
        if (auto token = (*generation)->next(stop); !token) {
            return failure(std::move(token.error()));
        }
    }
    return (*generation)->answer();
}

std::int64_t vocabulary_of(const Model& model)
{
    const std::int64_t rows = model.spec().vocabulary;
    return model.has_tokenizer() ? std::min(rows, static_cast<std::int64_t>(model.tokenizer().size())) : rows;
}

double Answer::prompt_tokens_per_second() const
{
    return prompt_seconds > 0.0 ? static_cast<double>(prompt.size()) / prompt_seconds : 0.0;
}

double Answer::tokens_per_second() const
{
    return tokens.size() > 1 && decode_seconds > 0.0 ? static_cast<double>(tokens.size() - 1) / decode_seconds : 0.0;
}

Result<std::unique_ptr<Generation>> Generation::start(Net& net, const Model& model, std::vector<TokenId> prompt, GenerateSettings settings,
                                                      std::stop_token stop)
{
    if (prompt.empty()) {
        return failure(Error::Kind::Usage, "The prompt is empty. A model continues what it reads, so give it at least one piece of text.");
    }
    if (static_cast<std::int64_t>(prompt.size()) > net.spec().context) {
        return failure(Error::Kind::Usage, "The prompt has " + std::to_string(prompt.size()) + " tokens; " + model.info().name + " reads at most " +
                                               std::to_string(net.spec().context) + ". Shorten the prompt.");
    }
    auto generation = std::make_unique<GenerationOfNet>(net, model, std::move(prompt), std::move(settings));
    if (auto done = generation->run_prompt(std::move(stop)); !done) {
        return failure(done.error());
    }
    return generation;
}

} // namespace retort
