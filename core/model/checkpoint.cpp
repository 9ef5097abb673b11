#include "core/model/checkpoint.h"

#include "core/base/text_format.h"
#include "core/model/placeholder.h"

#include <algorithm>
#include <array>

namespace retort {

namespace {

bool has_extension(const std::filesystem::path& path, std::string_view extension)
{
    std::string own = path.extension().string();
    std::ranges::transform(own, own.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return own == extension;
}

bool runs_code(const std::filesystem::path& path)
{
    constexpr std::array<std::string_view, 7> kExtensions = {".bin", ".pt", ".pth", ".ts", ".ckpt", ".pkl", ".pickle"};
    return std::ranges::any_of(kExtensions, [&path](std::string_view extension) { return has_extension(path, extension); });
}

bool begins_with_gguf(const std::filesystem::path& path)
{
    auto file = InputFile::open(path);
    std::array<char, 4> magic{};
    return file && file->size() >= magic.size() && file->read_at(0, std::as_writable_bytes(std::span(magic))) &&
           std::string_view(magic.data(), magic.size()) == "GGUF";
}

/// "model-00002-of-00003.gguf", which the first part stands for.
bool is_later_part(const std::filesystem::path& path)
{
    const std::string name = path.filename().string();
    const std::size_t of = name.rfind("-of-");
    return of != std::string::npos && of >= 6 && name[of - 6] == '-' && name.substr(of - 5, 5) != "00001" &&
           name.find_first_not_of("0123456789", of - 5) == of;
}

/// A folder without config.json may still hold one GGUF file.
Result<Checkpoint> open_any_in(const std::filesystem::path& folder)
{
    std::error_code code;
    if (std::filesystem::exists(folder / "config.json", code)) {
        return open_folder(folder);
    }
    std::vector<std::filesystem::path> found;
    for (const auto& item : std::filesystem::directory_iterator(folder, code)) {
        if (has_extension(item.path(), ".gguf") && !is_later_part(item.path())) {
            found.push_back(item.path());
        }
    }
    if (found.size() == 1) {
        return open_gguf(found.front());
    }
    return failure(missing_file(folder, "config.json",
                                folder.string() + " holds no config.json and " + (found.empty() ? "no" : "more than one") +
                                    " .gguf file. Choose a Hugging Face folder or a .gguf file."));
}

} // namespace

Result<Checkpoint> open_checkpoint(const std::filesystem::path& path)
{
    std::error_code code;
    const auto status = std::filesystem::status(path, code);
    if (!std::filesystem::exists(status)) {
        return failure(Error::Kind::Io, path.string() + " was not found. Check the path.");
    }
    if (std::filesystem::is_directory(status)) {
        return open_any_in(path);
    }
    if (has_extension(path, ".gguf") || (begins_with_gguf(path) && !is_unfinished_download(path))) {
        return open_gguf(path);
    }
    const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
    if (has_extension(path, ".safetensors")) {
        return open_folder(folder, path);
    }
    if (has_extension(path, ".json")) {
        return open_folder(folder);
    }
    if (is_unfinished_download(path)) {
        return failure(Error::Kind::BadFile,
                       path.filename().string() + " is an unfinished download, not yet the file itself. Let the download end, or start it again.");
    }
    if (runs_code(path)) {
        return failure(Error::Kind::BadFile, path.filename().string() +
                                                 " is a pickle or TorchScript file; opening one can run code hidden in it, so it is not opened here. "
                                                 "Convert it to safetensors where you trust it.");
    }
    return failure(Error::Kind::BadFile, path.filename().string() +
                                             " is no model file known here. Choose a Hugging Face folder, its .safetensors file, or "
                                             "a .gguf file.");
}

} // namespace retort
