#include "core/model/model_spec.h"

#include "core/base/files.h"
#include "core/base/text_format.h"
#include "core/model/gguf.h"

#include <cstdlib>
#include <string>
#include <system_error>

namespace retort {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kDemo = "demo:";
constexpr std::uint64_t kMostTokenizer = std::uint64_t{256} << 20;

fs::path folder_of_demo(std::string_view role)
{
    if (role == "teacher") {
        return resources_folder() / "demo" / "alembic";
    }
    return role == "student" ? resources_folder() / "demo" / "receiver" : fs::path();
}

fs::path with_home(std::string_view path)
{
    const char* home = std::getenv("HOME");
    return path.starts_with("~/") && home != nullptr ? fs::path(home) / path.substr(2) : fs::path(path);
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

Result<fs::path> resolve_model(std::string_view spec)
{
    if (spec.empty()) {
        return failure(Error::Kind::Usage, "No model was named. Name a Hugging Face folder, a .gguf file, demo:teacher or demo:student.");
    }
    fs::path path = with_home(spec);
    if (spec.starts_with(kDemo)) {
        path = folder_of_demo(spec.substr(kDemo.size()));
        if (path.empty()) {
            return failure(Error::Kind::Usage, "\"" + printable(spec) + "\" is no demo model. There are demo:teacher and demo:student.");
        }
    } else if (spec.starts_with("openai:")) {
        return failure(Error::Kind::Usage,
                       "\"" + printable(spec) +
                           "\" is a model behind a server. This needs a model on this machine: a Hugging Face folder or a .gguf file.");
    }
    std::error_code ignored;
    if (!fs::exists(path, ignored)) {
        const std::string place = printable(path.string(), 300);
        return failure(Error::Kind::Io,
                       spec.starts_with(kDemo)
                           ? "The model " + std::string(spec) + " comes with Retort in " + place +
                                 ", where there is nothing. Install Retort whole, or set RETORT_RESOURCES to its resources."
                           : "There is nothing at " + place + ". A model is a Hugging Face folder, a .gguf file, demo:teacher or demo:student.");
    }
    return path;
}

Result<ModelInfo> inspect_model_spec(std::string_view spec)
{
    const auto path = resolve_model(spec);
    if (!path) {
        return failure(path.error());
    }
    auto info = inspect_model(*path);
    if (info && spec.starts_with(kDemo)) {
        info->name = spec;
    }
    return info;
}

Result<Model> load_model_spec(std::string_view spec, const Progress& progress)
{
    const auto path = resolve_model(spec);
    if (!path) {
        return failure(path.error());
    }
    auto model = load_model(*path, progress);
    if (!model || !spec.starts_with(kDemo)) {
        return model;
    }
    ModelInfo info = model->info();
    info.name = spec;
    return Model(std::move(info), model->shared_weights(), model->shared_tokenizer(), model->shared_chat_template());
}

Result<std::shared_ptr<const Tokenizer>> load_tokenizer_spec(std::string_view spec)
{
    auto path = resolve_model(spec);
    if (!path) {
        return failure(path.error());
    }
    if (path->extension() != ".gguf") {
        std::error_code ignored;
        const fs::path file = fs::is_directory(*path, ignored) ? *path / "tokenizer.json" : *path;
        const auto json = read_text_file(file, kMostTokenizer);
        return json ? Tokenizer::from_json(*json, file.string()) : failure(json.error());
    }
    const auto file = InputFile::open(*path);
    if (!file) {
        return failure(file.error());
    }
    const auto content = read_gguf(*file);
    if (!content) {
        return failure(content.error());
    }
    const auto fields = tokenizer_fields(*content, path->string());
    if (!fields) {
        return failure(fields.error());
    }
    if (!*fields) {
        return failure(Error::Kind::BadFile, path->string() + " has no tokenizer: it was written without its vocabulary.");
    }
    return Tokenizer::from_gguf(**fields, path->string());
}

} // namespace retort
