#include "core/model/model_spec.h"

#include "core/base/files.h"
#include "core/base/text_format.h"
#include "core/model/gguf.h"
#include "core/model/placeholder.h"
#include "core/model/tokenizer_files.h"

#include <algorithm>
#include <cstdlib>
#include <string>
#include <system_error>

namespace retort {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kDemos = "demo:teacher, demo:student or demo:distilled";
constexpr std::uint64_t kMostTokenizer = std::uint64_t{256} << 20;

const DemoModel* demo_model(std::string_view spec)
{
    const auto* found = std::ranges::find(kDemoModels, spec, &DemoModel::spec);
    return found == kDemoModels.end() ? nullptr : found;
}

fs::path with_home(std::string_view path)
{
    const char* home = std::getenv("HOME");
    return path.starts_with("~/") && home != nullptr ? fs::path(home) / path.substr(2) : fs::path(path);
}

/// A reader of files names them by their name alone, and two models have the same: says where this one lies.
Error placed(Error error, const fs::path& model)
{
    const std::string name = error.message.substr(0, error.message.find(": "));
    std::error_code ignored;
    if (name == model.filename()) {
        error.message.replace(0, name.size(), model.string());
    } else if (!name.empty() && name.find('/') == std::string::npos && fs::exists(model / name, ignored)) {
        error.message.replace(0, name.size(), (model / name).string());
    }
    return error;
}

} // namespace

fs::path resources_folder()
{
    if (const char* named = std::getenv("RETORT_RESOURCES"); named != nullptr && *named != '\0') {
        return named;
    }
    std::error_code ignored;
    const fs::path program = fs::read_symlink("/proc/self/exe", ignored);
    const fs::path installed = program.parent_path().parent_path() / "share" / "retort";
    return !program.empty() && fs::is_directory(installed, ignored) ? installed : fs::path(RETORT_RESOURCES_FOLDER);
}

fs::path recorded_session()
{
    return resources_folder() / "demo" / "session.retort-db";
}

bool is_demo_spec(std::string_view spec)
{
    return spec.starts_with("demo:");
}

Result<fs::path> resolve_model(std::string_view spec)
{
    if (spec.empty()) {
        return failure(Error::Kind::Usage, "No model was named. Name a Hugging Face folder, a .gguf file, " + std::string(kDemos) + ".");
    }
    fs::path path = with_home(spec);
    if (is_demo_spec(spec)) {
        const DemoModel* demo = demo_model(spec);
        if (demo == nullptr) {
            return failure(Error::Kind::Usage, "\"" + printable(spec) + "\" is no demo model. Name " + std::string(kDemos) + ".");
        }
        path = resources_folder() / "demo" / demo->folder;
    } else if (spec.starts_with("openai:")) {
        return failure(Error::Kind::Usage,
                       "\"" + printable(spec) +
                           "\" is a model behind a server. This needs a model on this machine: a Hugging Face folder or a .gguf file.");
    }
    std::error_code ignored;
    if (!fs::exists(path, ignored)) {
        const std::string place = printable(path.string(), 300);
        return failure(Error::Kind::Io,
                       is_demo_spec(spec)
                           ? "The model " + std::string(spec) + " comes with Retort in " + place +
                                 ", where there is nothing. Install Retort whole, or set RETORT_RESOURCES to its resources."
                           : "There is nothing at " + place + ". A model is a Hugging Face folder, a .gguf file, " + std::string(kDemos) + ".");
    }
    return path;
}

Result<ModelInfo> inspect_model_spec(std::string_view spec)
{
    const auto path = resolve_model(spec);
    if (!path) {
        return failure(path.error());
    }
    auto info = inspect_model(*path).map_error([&](Error error) { return placed(std::move(error), *path); });
    if (const DemoModel* demo = demo_model(spec); info && demo != nullptr) {
        info->name = demo->name;
    }
    return info;
}

Result<Model> load_model_spec(std::string_view spec, const Progress& progress)
{
    const auto path = resolve_model(spec);
    if (!path) {
        return failure(path.error());
    }
    auto model = load_model(*path, progress).map_error([&](Error error) { return placed(std::move(error), *path); });
    const DemoModel* demo = demo_model(spec);
    if (!model || demo == nullptr) {
        return model;
    }
    ModelInfo info = model->info();
    info.name = demo->name;
    return Model(std::move(info), model->shared_weights(), model->shared_tokenizer(), model->shared_chat_template());
}

namespace {

Result<std::shared_ptr<const Tokenizer>> tokenizer_of_gguf(const fs::path& path)
{
    const auto content = read_gguf(path);
    const auto fields = content ? tokenizer_fields(*content, path.string()) : failure(content.error());
    if (!fields) {
        return failure(fields.error());
    }
    return *fields ? Tokenizer::from_gguf(**fields, path.string()) : std::shared_ptr<const Tokenizer>();
}

} // namespace

Result<std::shared_ptr<const Tokenizer>> find_tokenizer_spec(std::string_view spec)
{
    const auto path = resolve_model(spec);
    if (!path) {
        return failure(path.error());
    }
    if (path->extension() == ".gguf") {
        return tokenizer_of_gguf(*path);
    }
    std::error_code ignored;
    if (!fs::is_directory(*path, ignored) && path->extension() == ".json" && path->filename() != "config.json") { // a tokenizer.json of any name
        const auto json = read_model_text(*path, kMostTokenizer);
        return json ? Tokenizer::from_json(*json, path->string()) : failure(json.error());
    }
    const fs::path folder = fs::is_directory(*path, ignored) ? *path : path->parent_path();
    const auto files = read_tokenizer_files(folder);
    return files ? make_tokenizer(*files, (folder / (files->sentencepiece ? "tokenizer.model" : "tokenizer.json")).string()) : failure(files.error());
}

Result<std::shared_ptr<const Tokenizer>> load_tokenizer_spec(std::string_view spec)
{
    auto tokenizer = find_tokenizer_spec(spec);
    if (tokenizer && *tokenizer == nullptr) {
        return failure(Error::Kind::BadFile, std::string(spec) +
                                                 " has no tokenizer: there is no tokenizer.json and no tokenizer.model, or its GGUF file "
                                                 "was written without a vocabulary. Copy the missing file to the model.");
    }
    return tokenizer;
}

} // namespace retort
