#include "app/cli/answer_options.h"

#include "core/base/text_format.h"
#include "core/model/model_spec.h"

namespace retort::cli {

void add_answer_options(CLI::App& command, GenerateSettings& settings)
{
    SamplerSettings& sampler = settings.sampler;
    command.add_option("--max-tokens", settings.max_tokens, "Longest answer")->check(CLI::Range(1, 1'000'000))->capture_default_str();
    command.add_option("--temperature", sampler.temperature, "0: always the most probable")->check(CLI::Range(0.0, 100.0))->capture_default_str();
    command.add_option("--top-k", sampler.top_k, "Only the K most probable; 0: off")->check(CLI::NonNegativeNumber)->capture_default_str();
    command.add_option("--top-p", sampler.top_p, "Only the most probable that make up this share")
        ->check(CLI::Range(0.0, 1.0))
        ->capture_default_str();
    command.add_option("--min-p", sampler.min_p, "Only those above this share of the most probable")
        ->check(CLI::Range(0.0, 1.0))
        ->capture_default_str();
    command.add_option("--repeat-penalty", sampler.repeat_penalty, "1: off")->check(CLI::Range(0.01, 100.0))->capture_default_str();
    command.add_option("--seed", sampler.seed, "The same seed gives the same answer")->capture_default_str();
    command.add_flag("--greedy", sampler.greedy, "Always the most probable token");
}

void warn_of(const Shell& shell, const ModelInfo& info)
{
    if (const std::string warning = info.report.warning(); !warning.empty()) {
        shell.say("warning: " + printable(info.name) + ": " + warning);
    }
}

Result<RunningModel> load(const Shell& shell, const std::string& spec, Net::Precision precision, std::stop_token stop)
{
    const Progress progress = shell.progress(std::move(stop));
    auto model = load_model_spec(spec, progress);
    if (!model) {
        return failure(model.error());
    }
    warn_of(shell, model->info());
    return lay_out(*std::move(model), precision, progress);
}

Result<RunningModel> load_to_answer(const Shell& shell, const std::string& spec, std::stop_token stop, Net::Precision precision)
{
    auto loaded = load(shell, spec, precision, std::move(stop));
    if (loaded && !loaded->model.has_tokenizer()) {
        return failure(Error::Kind::Mismatch,
                       loaded->model.info().name + " comes without a tokenizer, so it cannot read text. Put its tokenizer.json beside it.");
    }
    return loaded;
}

Json to_json(const GeneratedToken& token)
{
    return {{"id", token.id}, {"text", token.text}, {"logprob", token.log_probability}, {"rank", token.rank}, {"entropy", token.entropy}};
}

Json to_json(const Answer& answer)
{
    Json ids = Json::array();
    for (const GeneratedToken& token : answer.tokens) {
        ids.push_back(token.id);
    }
    return {{"text", answer.text},
            {"ids", std::move(ids)},
            {"finish", name_of(answer.finish)},
            {"prompt_tokens", answer.prompt.size()},
            {"first_token_ms", answer.first_token_seconds * 1e3},
            {"prompt_tokens_per_s", answer.prompt_tokens_per_second()},
            {"tokens_per_s", answer.tokens_per_second()}};
}

} // namespace retort::cli
