#include "core/data/data_source.h"

#include "core/base/text_format.h"

namespace retort {

namespace {

Result<std::shared_ptr<const DataSource>> make_from_world(const DataSettings& settings, std::shared_ptr<const Tokenizer> tokenizer)
{
    auto world = std::make_shared<const World>(settings.world);
    auto truth = WorldTruth::create(world, tokenizer);
    if (!truth && truth.error().kind != Error::Kind::Mismatch) {
        return failure(std::move(truth.error()));
    }
    return make_world_source(std::move(world), std::move(tokenizer), truth ? *truth : nullptr, settings.seed);
}

} // namespace

Result<std::shared_ptr<const DataSource>> make_data_source(const DataSettings& settings, std::shared_ptr<const Tokenizer> tokenizer)
{
    if (settings.kind == "world") {
        return make_from_world(settings, std::move(tokenizer));
    }
    if (settings.kind != "text" && settings.kind != "jsonl" && settings.kind != "token_batches") {
        return failure(Error::Kind::Usage, "data.kind is \"" + printable(settings.kind) + "\"; world, text, jsonl and token_batches are known.");
    }
    if (settings.files.empty() || (settings.kind == "token_batches" && settings.files.size() != 1)) {
        return failure(Error::Kind::Usage, "data.kind \"" + settings.kind + "\" takes " +
                                               (settings.kind == "token_batches" ? "one file" : "at least one file") + " in data.files; there are " +
                                               std::to_string(settings.files.size()) + ".");
    }
    if (settings.kind == "text") {
        return make_text_source(settings.files, *tokenizer, settings.seed);
    }
    if (settings.kind == "jsonl") {
        return make_jsonl_source(settings.files, *tokenizer, settings.seed, settings.chat);
    }
    return make_token_batches_source(settings.files.front(), *tokenizer);
}

} // namespace retort
