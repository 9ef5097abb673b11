#include "app/cli/commands.h"

#include "core/base/text_format.h"
#include "core/data/world/world.h"
#include "core/model/model_spec.h"

#include <algorithm>
#include <memory>
#include <optional>

namespace retort::cli {

namespace {

struct SampleOptions {
    std::string kind;
    std::uint64_t documents = 10;
    WorldSettings settings;
};

Result<void> sample(const Shell& shell, const SampleOptions& options)
{
    const World world(options.settings);
    const auto kind = std::find_if(kWorldKinds.begin(), kWorldKinds.end(), [&](WorldKind k) { return name_of(k) == options.kind; });
    for (std::uint64_t i = 0; i < options.documents; ++i) {
        const auto document = kind != kWorldKinds.end() ? world.document_of(*kind, 0, i) : world.document(0, i);
        if (shell.json()) {
            shell.print_json(Json{{"kind", name_of(document.kind)}, {"text", document.text}, {"surprisal", document.surprisal}});
        } else {
            shell.print(document.text + "\n");
        }
    }
    return {};
}

struct TruthOptions {
    std::string text, tokenizer = "demo:teacher";
    WorldSettings settings;
};

Result<void> truth(const Shell& shell, const TruthOptions& options)
{
    const auto text = text_of(options.text);
    if (!text) {
        return failure(text.error());
    }
    const auto tokenizer = load_tokenizer_spec(options.tokenizer);
    if (!tokenizer) {
        return failure(tokenizer.error());
    }
    const auto known = WorldTruth::create(std::make_shared<const World>(options.settings), *tokenizer);
    if (!known) {
        return failure(known.error());
    }
    const auto prefix = (*tokenizer)->encode(*text);
    const auto probabilities = (*known)->next(prefix);
    if (probabilities.empty()) {
        return failure(Error::Kind::Usage,
                       "No document of this world begins with \"" + printable(*text) + "\". See how they begin: retort-cli world sample.");
    }
    std::vector<TokenId> possible;
    for (std::size_t i = 0; i < probabilities.size(); ++i) {
        if (probabilities[i] > 0.0f) {
            possible.push_back(static_cast<TokenId>(i));
        }
    }
    const auto probability = [&](TokenId id) { return probabilities[static_cast<std::size_t>(id)]; };
    std::stable_sort(possible.begin(), possible.end(), [&](TokenId a, TokenId b) { return probability(a) > probability(b); });
    for (const TokenId id : possible) {
        if (shell.json()) {
            shell.print_json(Json{{"id", id}, {"piece", (*tokenizer)->bytes(id)}, {"probability", probability(id)}});
        } else {
            char number[32];
            std::snprintf(number, sizeof number, "%9.6f  ", static_cast<double>(probability(id)));
            shell.print(number + std::string((*tokenizer)->bytes(id)) + "\n");
        }
    }
    return {};
}

} // namespace

void add_world(CLI::App& app, Shell& shell)
{
    CLI::App* world = app.add_subcommand("world", "The built-in language whose truth is known");
    world->require_subcommand(1);

    const auto sampling = std::make_shared<SampleOptions>();
    CLI::App* command = shell.add_command(*world, "sample", "Documents of the world", "retort-cli world sample --kind story --documents 5",
                                          [sampling](const Shell& s) { return sample(s, *sampling); });
    std::vector<std::string> kinds;
    std::transform(kWorldKinds.begin(), kWorldKinds.end(), std::back_inserter(kinds), [](WorldKind kind) { return std::string(name_of(kind)); });
    command->add_option("--kind", sampling->kind, "Only this kind; all of them in the world's mixture unless told otherwise")
        ->check(CLI::IsMember(kinds));
    command->add_option("--documents", sampling->documents, "How many")->capture_default_str()->option_text("N");
    command->add_option("--seed", sampling->settings.seed, "Fixes the made-up facts and the documents")->capture_default_str();

    const auto asking = std::make_shared<TruthOptions>();
    command = shell.add_command(*world, "truth", "The true distribution of the next piece", "retort-cli world truth --text \"27+15=\"",
                                [asking](const Shell& s) { return truth(s, *asking); });
    command->add_option("--text", asking->text, "The beginning of a document; @file, or -")->required()->option_text("TEXT");
    command->add_option("--tokenizer", asking->tokenizer, "Whose pieces")->capture_default_str()->option_text("MODEL");
    command->add_option("--seed", asking->settings.seed, "As for sample")->capture_default_str();
}

} // namespace retort::cli
