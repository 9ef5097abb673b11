#include "core/model/checkpoint.h"

#include "core/base/text_format.h"

#include <algorithm>
#include <array>

namespace retort {

namespace {

constexpr std::size_t kNamedInNote = 4;

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

/// A folder without config.json may still hold one GGUF file.
Result<Checkpoint> open_any_in(const std::filesystem::path& folder)
{
    std::error_code code;
    if (std::filesystem::exists(folder / "config.json", code)) {
        return open_folder(folder);
    }
    std::vector<std::filesystem::path> found;
    for (const auto& item : std::filesystem::directory_iterator(folder, code)) {
        if (has_extension(item.path(), ".gguf")) {
            found.push_back(item.path());
        }
    }
    if (found.size() == 1) {
        return open_gguf(found.front());
    }
    return failure(Error::Kind::BadFile, folder.string() + " holds no config.json and " + (found.empty() ? "no" : "more than one") +
                                             " .gguf file. Choose a Hugging Face folder or a .gguf file.");
}

std::string note_of_left_aside(const std::string& origin, const std::vector<std::string>& names)
{
    std::string note =
        origin + " holds " + std::to_string(names.size()) + (names.size() == 1 ? " tensor" : " tensors") + " that no part of the model uses: ";
    for (std::size_t i = 0; i < std::min(names.size(), kNamedInNote); ++i) {
        note += (i == 0 ? "" : ", ") + printable(names[i]);
    }
    return note + (names.size() > kNamedInNote ? ", ..." : ".");
}

/// The type that most of the values are stored in.
std::string main_type(const Checkpoint& checkpoint)
{
    std::map<std::string, std::uint64_t> values;
    for (const auto& [name, place] : checkpoint.weights) {
        values[place.entry.type_name] += checked_values(place.entry.shape).value_or(0);
    }
    const auto most = std::ranges::max_element(values, {}, [](const auto& item) { return item.second; });
    return most == values.end() ? std::string() : most->first;
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
    if (has_extension(path, ".gguf") || begins_with_gguf(path)) {
        return open_gguf(path);
    }
    const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
    if (has_extension(path, ".safetensors")) {
        return open_folder(folder, path);
    }
    if (has_extension(path, ".json")) {
        return open_folder(folder);
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

Result<void> match_weights(Checkpoint& checkpoint, const std::string& origin, const std::string& described_by,
                           const std::vector<std::string>& left_aside)
{
    for (const WeightShape& expected : expected_weights(checkpoint.info.spec)) {
        const auto found = checkpoint.weights.find(expected.name);
        if (found == checkpoint.weights.end()) {
            return failure(Error::Kind::BadFile, origin + ": " + quoted_tensor(expected.name) + " of shape " + shape_text(expected.shape) +
                                                     " is missing. The file is incomplete or belongs to another model than " + described_by + ".");
        }
        const TensorEntry& entry = found->second.entry;
        if (entry.shape != expected.shape) {
            return failure(Error::Kind::Mismatch, origin + ": " + quoted_tensor(entry.name) + " has shape " + shape_text(entry.shape) + "; " +
                                                      described_by + " asks for " + shape_text(expected.shape) +
                                                      ". The two belong to different models.");
        }
        if (!entry.dtype) {
            return failure(Error::Kind::BadFile, origin + ": " + quoted_tensor(entry.name) + " is stored as " + entry.type_name +
                                                     "; F32, F16, BF16, Q8_0, Q4_0 and Q4_1 can be read. Convert the file to one of them.");
        }
    }
    ModelInfo& info = checkpoint.info;
    info.dtype = main_type(checkpoint);
    info.parameters = info.spec.parameters();
    for (const InputFile& file : checkpoint.files) {
        info.file_bytes += file.size();
    }
    if (!left_aside.empty()) {
        info.notes.push_back(note_of_left_aside(origin, left_aside));
    }
    return {};
}

} // namespace retort
