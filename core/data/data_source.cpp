#include "core/data/data_source.h"

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

Catalogue<DataKind> built_in_data_kinds()
{
    using Settings = const DataSettings&;
    using Cutter = std::shared_ptr<const Tokenizer>;
    return {{"world", "documents of the built-in world, whose true distribution is known", DataKind::Files::None, make_from_world},
            {"text", "UTF-8 text files, of which everything is learned", DataKind::Files::AtLeastOne,
             [](Settings settings, const Cutter& tokenizer) { return make_text_source(settings.files, *tokenizer, settings.seed); }},
            {"jsonl", "chats, prompts with completions, or texts, one JSON object a line; of the first two only answers are learned",
             DataKind::Files::AtLeastOne,
             [](Settings settings, const Cutter& tokenizer) { return make_jsonl_source(settings.files, *tokenizer, settings.seed, settings.chat); }},
            {"token_batches", "a JSON file with the batches of another program's run, as token ids", DataKind::Files::One,
             [](Settings settings, const Cutter& tokenizer) { return make_token_batches_source(settings.files.front(), *tokenizer); }}};
}

Result<std::shared_ptr<const DataSource>> make_data_source(const DataSettings& settings, std::shared_ptr<const Tokenizer> tokenizer,
                                                           const Catalogue<DataKind>& kinds)
{
    const auto kind = kinds.choose(settings.kind, "data.kind");
    if (!kind) {
        return failure(kind.error());
    }
    const std::size_t files = settings.files.size();
    const bool fits = (*kind)->files == DataKind::Files::None || ((*kind)->files == DataKind::Files::One ? files == 1 : files > 0);
    if (!fits) {
        return failure(Error::Kind::Usage, "data.kind \"" + (*kind)->name + "\" takes " +
                                               ((*kind)->files == DataKind::Files::One ? "one file" : "at least one file") +
                                               " in data.files; there are " + std::to_string(files) + ".");
    }
    return (*kind)->make(settings, std::move(tokenizer));
}

} // namespace retort
