#include "core/model/placeholder.h"

#include "core/base/text_format.h"
#include "core/model/json_reader.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace retort {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kBeginning = 512; // a pointer file has about 130 bytes
constexpr std::uint64_t kMostAdapterConfig = std::uint64_t{1} << 20;
constexpr std::array<std::string_view, 6> kUnfinished = {".incomplete", ".part", ".partial", ".crdownload", ".download", ".aria2"};

std::string lower(std::string_view text)
{
    std::string small(text);
    std::ranges::transform(small, small.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return small;
}

/// The size that a pointer's line "size 269060552" gives; 0 where there is none.
std::uint64_t announced_size(std::string_view pointer)
{
    constexpr std::string_view kKey = "\nsize ";
    const std::size_t at = pointer.find(kKey);
    std::uint64_t size = 0;
    if (at != std::string_view::npos) {
        std::from_chars(pointer.data() + at + kKey.size(), pointer.data() + pointer.size(), size);
    }
    return size;
}

/// huggingface_hub keeps unfinished files under .cache/huggingface/download of a local folder, named by hash: which file one will be is not told.
fs::path unfinished_in_cache(const fs::path& folder)
{
    std::error_code code;
    for (const auto& item : fs::directory_iterator(folder / ".cache" / "huggingface" / "download", code)) {
        if (item.path().extension() == ".incomplete") {
            return item.path();
        }
    }
    return {};
}

std::string base_of_adapter(const fs::path& folder)
{
    const auto text = read_text_file(folder / "adapter_config.json", kMostAdapterConfig);
    const auto config = text ? parse_json(without_non_finite(*text), "adapter_config.json") : Result<nlohmann::json>(nlohmann::json());
    if (!config || !config->is_object() || !config->contains("base_model_name_or_path") || !(*config)["base_model_name_or_path"].is_string()) {
        return "its base model";
    }
    return "its base model " + printable((*config)["base_model_name_or_path"].get<std::string>(), 120);
}

} // namespace

Result<void> refuse_placeholder(std::string_view begin, const std::string& origin)
{
    if (begin.starts_with("version https://git-lfs") || begin.starts_with("version https://hawser.github.com")) {
        const std::uint64_t size = announced_size(begin);
        return failure(Error::Kind::BadFile, origin + " is a Git LFS pointer, not the file itself" +
                                                 (size > 0 ? ", which has " + format_bytes(size) : std::string()) +
                                                 ". Run \"git lfs pull\" in the folder, or download the file.");
    }
    const std::string start = lower(begin.substr(0, std::min<std::size_t>(begin.size(), 64)));
    const std::size_t first = start.find_first_not_of(" \t\r\n");
    const std::string_view word = first == std::string::npos ? std::string_view() : std::string_view(start).substr(first);
    if (word.starts_with("<!doctype html") || word.starts_with("<html")) {
        return failure(Error::Kind::BadFile, origin + " is a web page, not the file itself: the download went to a page about it, or a log-in. "
                                                      "Download the file again.");
    }
    return {};
}

Result<void> refuse_placeholder(const InputFile& file)
{
    std::string begin(std::min<std::uint64_t>(file.size(), kBeginning), '\0');
    if (auto read = file.read_at(0, std::as_writable_bytes(std::span(begin))); !read) {
        return read;
    }
    return refuse_placeholder(begin, file.path().filename().string());
}

Result<std::string> read_model_text(const fs::path& path, std::uint64_t limit)
{
    auto text = read_text_file(path, limit);
    if (text) {
        if (auto real = refuse_placeholder(*text, path.filename().string()); !real) {
            return failure(std::move(real.error()));
        }
    }
    return text;
}

bool is_unfinished_download(const fs::path& path)
{
    return std::ranges::find(kUnfinished, lower(path.extension().string())) != kUnfinished.end();
}

fs::path unfinished_download(const fs::path& folder, const std::string& name)
{
    std::error_code code;
    for (const std::string_view ending : kUnfinished) {
        fs::path place = folder / (name + std::string(ending));
        if (fs::exists(place, code)) {
            return place;
        }
    }
    for (const auto& item : fs::directory_iterator(folder, code)) { // "model.safetensors.8f3a.part"
        if (is_unfinished_download(item.path()) && item.path().filename().string().starts_with(name + ".")) {
            return item.path();
        }
    }
    return {};
}

Error missing_file(const fs::path& folder, const std::string& name, std::string otherwise)
{
    std::error_code code;
    fs::path part = unfinished_download(folder, name);
    if (part.empty()) {
        part = unfinished_in_cache(folder);
    }
    if (!part.empty()) {
        return Error{Error::Kind::BadFile,
                     folder.string() + ": " + name + " is not there yet, its download is unfinished (" + printable(part.filename().string(), 80) +
                         "). Let the download end, or start it again.",
                     {}};
    }
    if (fs::exists(folder / "adapter_config.json", code) || fs::exists(folder / "adapter_model.safetensors", code)) {
        return Error{Error::Kind::BadFile,
                     folder.string() + " holds only an adapter (adapter_config.json), which changes " + base_of_adapter(folder) +
                         " and is no model by itself. Merge it into the base (peft: merge_and_unload, then save_pretrained) and open the result.",
                     {}};
    }
    return Error{Error::Kind::BadFile, std::move(otherwise), {}};
}

} // namespace retort
