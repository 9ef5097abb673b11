#include "core/distil/probing.h"

#include "core/inference/generator.h"
#include "core/inference/prompt.h"
#include "core/model/net.h"

namespace retort {

Result<std::string> greedy_answer(const Model& model, std::string_view prompt, std::stop_token stop)
{
    auto net = Net::create(model);
    if (!net) {
        return failure(std::move(net.error()));
    }
    GenerateSettings settings;
    settings.max_tokens = 48;
    settings.sampler.greedy = true;
    settings.stop_tokens = model.info().stop_tokens;
    return whole_answer(**net, model, make_text_prompt(model, prompt).ids, settings, stop).map([](const Answer& answer) { return answer.text; });
}

} // namespace retort
