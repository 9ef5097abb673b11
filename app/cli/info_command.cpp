#include "app/cli/commands.h"

#include "core/base/text_format.h"
#include "core/model/memory_estimate.h"
#include "core/model/model_spec.h"

#include <memory>

namespace retort::cli {

namespace {

struct InfoOptions {
    std::string model;
    bool full = false;
};

/// What there is to know of a model, by name, in the order it is shown.
Json facts_of(const ModelInfo& info, const Result<std::shared_ptr<const Tokenizer>>& found, const MemoryEstimate& memory)
{
    const Tokenizer* tokenizer = found ? found->get() : nullptr;
    const DecoderShape& spec = info.spec;
    Json facts = {{"name", info.name},
                  {"path", info.path},
                  {"format", info.format},
                  {"family", spec.family},
                  {"parameters", info.parameters},
                  {"dtype", info.dtype},
                  {"file_bytes", info.file_bytes},
                  {"layers", spec.layers},
                  {"width", spec.width},
                  {"heads", spec.heads},
                  {"kv_heads", spec.kv_heads},
                  {"head_dim", spec.head_dim},
                  {"ffn", spec.ffn},
                  {"vocabulary", spec.vocabulary},
                  {"context", spec.context},
                  {"norm_eps", spec.norm_eps},
                  {"rope_theta", spec.rope.theta},
                  {"tied", spec.tied}};
    facts["sha256"] = info.sha256.empty() ? Json() : Json(info.sha256);
    facts["licence"] = info.licence.empty() ? Json() : Json(info.licence);
    facts["derived_from"] = info.derived_from.empty() ? Json() : Json(info.derived_from);
    facts["tokenizer"] = !found ? Json{{"problem", found.error().message}}
                         : tokenizer == nullptr
                             ? Json()
                             : Json{{"kind", tokenizer->kind()}, {"pieces", tokenizer->size()}, {"fingerprint", tokenizer->fingerprint()}};
    facts["memory"] = {{"weights", memory.weights},
                       {"kv_cache", memory.kv_cache},
                       {"training", memory.training},
                       {"available", memory.available},
                       {"fits", memory.fits()}};
    facts["report"] = {{"used", info.report.used},
                       {"ignored", info.report.ignored},
                       {"missing", info.report.missing},
                       {"converted", info.report.converted},
                       {"doubts", info.report.doubts}};
    facts["notes"] = info.notes;
    return facts;
}

void print_facts(const Shell& shell, const ModelInfo& info, const Result<std::shared_ptr<const Tokenizer>>& found, const MemoryEstimate& memory)
{
    const Tokenizer* tokenizer = found ? found->get() : nullptr;
    const DecoderShape& spec = info.spec;
    const auto line = [&shell](std::string_view name, const std::string& value) {
        std::string padded(name);
        padded.resize(12, ' ');
        shell.print(padded + value + "\n");
    };
    line("name", info.name);
    line("format", info.format + ", " + info.dtype + ", " + format_bytes(info.file_bytes));
    line("family", spec.family + ", " + format_count(info.parameters) + " parameters");
    line("layers", std::to_string(spec.layers) + ", width " + std::to_string(spec.width) + ", " + std::to_string(spec.heads) + " heads (" +
                       std::to_string(spec.kv_heads) + " for keys and values), feed-forward " + std::to_string(spec.ffn));
    line("context", std::to_string(spec.context) + " tokens");
    line("vocabulary", std::to_string(spec.vocabulary) + (spec.tied ? ", head tied to the embedding" : ""));
    line("tokenizer", !found ? "cannot be used: " + found.error().message
                      : tokenizer == nullptr
                          ? "none"
                          : tokenizer->kind() + ", " + std::to_string(tokenizer->size()) + " pieces, " + tokenizer->fingerprint().substr(0, 12));
    line("licence", info.licence.empty() ? "not said" : info.licence);
    line("from", info.derived_from.empty() ? "not said" : info.derived_from);
    if (!info.sha256.empty()) {
        line("sha256", info.sha256);
    }
    line("memory", format_bytes(memory.weights) + " for weights, " + format_bytes(memory.kv_cache) + " for a full context, " +
                       format_bytes(memory.training) + " to train it; " + format_bytes(memory.available) + " free");
    line("tensors", info.report.summary());
    if (const std::string warning = info.report.warning(); !warning.empty()) {
        line("warning", warning);
    }
    for (const std::string& note : info.notes) {
        line("note", note);
    }
}

Result<void> info(const Shell& shell, const InfoOptions& options)
{
    // Without --full only the heads of the files are read: that tells all but the hash, at once, for a model of any size.
    std::optional<Model> model;
    auto known = inspect_model_spec(options.model);
    if (known && options.full) {
        auto loaded = load_model_spec(options.model, shell.progress());
        if (!loaded) {
            return failure(loaded.error());
        }
        known = loaded->info();
    }
    if (!known) {
        return failure(known.error());
    }
    const auto tokenizer = find_tokenizer_spec(options.model);
    const MemoryEstimate memory = estimate_memory(*known, known->spec.context);
    if (shell.json()) {
        shell.print_json(facts_of(*known, tokenizer, memory));
    } else {
        print_facts(shell, *known, tokenizer, memory);
    }
    return {};
}

} // namespace

void add_info(CLI::App& app, Shell& shell)
{
    const auto options = std::make_shared<InfoOptions>();
    CLI::App* command = shell.add_command(app, "info", "What a model is, and whether its files are whole", "retort-cli info demo:teacher",
                                          [options](const Shell& s) { return info(s, *options); });
    command->add_option("MODEL", options->model, "The model")->required();
    command->add_flag("--full", options->full, "Also read every weight, for the hash");
}

} // namespace retort::cli
