#include "core/model/checkpoint.h"
#include "core/model/gguf.h"
#include "core/model/placeholder.h"

#include "core/base/text_format.h"

#include <algorithm>
#include <charconv>

namespace retort {

namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMostHeads = 1024;
constexpr std::int64_t kMostParts = 1000;
constexpr std::string_view kNumberWidth = "00000";

/// A model's GGUF file, or the several that it is split over, in their order.
struct Parts {
    std::vector<InputFile> files;
    std::vector<GgufFile> contents;

    [[nodiscard]] const GgufFile& first() const { return contents.front(); }
};

Result<void> add_part(const fs::path& path, Parts& parts)
{
    std::error_code code;
    if (!fs::exists(path, code)) {
        return failure(missing_file(path.parent_path(), path.filename().string(),
                                    path.string() + " was not found; the model is split over several files, and this one is missing."));
    }
    auto file = InputFile::open(path);
    if (!file) {
        return failure(std::move(file.error()));
    }
    if (auto real = refuse_placeholder(*file); !real) {
        return real;
    }
    auto content = read_gguf(*file);
    if (!content) {
        return failure(std::move(content.error()));
    }
    parts.files.push_back(std::move(*file));
    parts.contents.push_back(std::move(*content));
    return {};
}

std::string five_digits(std::int64_t number)
{
    std::string digits = std::to_string(number);
    return std::string(kNumberWidth.substr(std::min(digits.size(), kNumberWidth.size()))) + digits;
}

/// What "model-00002-of-00003.gguf" has before "-00002"; empty when the name is not of that kind.
std::string stem_of_part(const fs::path& path, std::int64_t count)
{
    const std::string name = path.filename().string();
    const std::string ending = "-of-" + five_digits(count) + ".gguf";
    const std::size_t number = 1 + kNumberWidth.size();
    return name.ends_with(ending) && name.size() > ending.size() + number ? name.substr(0, name.size() - ending.size() - number) : std::string();
}

/// The parts must be of one set and in order, and hold as many tensors together as they announce.
Result<void> check_parts(const Parts& parts)
{
    std::uint64_t tensors = 0;
    for (std::size_t i = 0; i < parts.contents.size(); ++i) {
        const std::string origin = parts.files[i].path().filename().string();
        GgufFields fields(parts.contents[i], origin);
        const std::int64_t number = fields.whole("split.no").value_or(-1);
        const std::int64_t count = fields.whole("split.count").value_or(-1);
        if (number != static_cast<std::int64_t>(i) || count != static_cast<std::int64_t>(parts.contents.size())) {
            return failure(Error::Kind::Mismatch, origin + " says that it is part " + std::to_string(number + 1) + " of " + std::to_string(count) +
                                                      "; part " + std::to_string(i + 1) + " of " + std::to_string(parts.contents.size()) +
                                                      " was expected. The files belong to different models.");
        }
        tensors += parts.contents[i].tensors.size();
    }
    const std::string origin = parts.files.front().path().filename().string();
    GgufFields fields(parts.first(), origin);
    if (const auto announced = fields.whole("split.tensors.count"); announced && static_cast<std::uint64_t>(*announced) != tensors) {
        return failure(Error::Kind::BadFile, origin + " announces " + std::to_string(*announced) + " tensors in all parts; they hold " +
                                                 std::to_string(tensors) + ". The files belong to different models.");
    }
    return {};
}

Result<Parts> open_parts(const fs::path& path)
{
    Parts parts;
    if (auto added = add_part(path, parts); !added) {
        return failure(std::move(added.error()));
    }
    GgufFields fields(parts.first(), path.filename().string());
    const std::int64_t count = fields.whole("split.count").value_or(1);
    if (auto result = fields.result(); !result) {
        return failure(std::move(result.error()));
    }
    if (count <= 1) {
        return parts;
    }
    const std::string stem = count <= kMostParts ? stem_of_part(path, count) : std::string();
    if (stem.empty()) {
        return failure(Error::Kind::BadFile, path.filename().string() + " is one of " + std::to_string(count) +
                                                 " files of a model; names like model-00001-of-" + five_digits(count) +
                                                 ".gguf were expected. Give the files the names they came with.");
    }
    parts = {};
    for (std::int64_t number = 1; number <= count; ++number) {
        const std::string name = stem + "-" + five_digits(number) + "-of-" + five_digits(count) + ".gguf";
        if (auto added = add_part(path.parent_path() / name, parts); !added) {
            return failure(std::move(added.error()));
        }
    }
    if (auto checked = check_parts(parts); !checked) {
        return failure(std::move(checked.error()));
    }
    return parts;
}

/// The divisors of RoPE's frequencies, which GGUF keeps as tensors beside the weights.
Result<std::vector<float>> read_divisors(const InputFile& file, const TensorEntry& entry)
{
    if (entry.dtype != DType::F32 || entry.bytes > kMostHeads * sizeof(float)) {
        return failure(Error::Kind::BadFile, file.path().filename().string() + ": " + entry.name + " has shape " + shape_text(entry.shape) +
                                                 " and type " + entry.type_name + "; a short list of F32 was expected.");
    }
    std::vector<float> divisors(entry.bytes / sizeof(float));
    if (auto read = file.read_at(entry.offset, std::as_writable_bytes(std::span(divisors))); !read) {
        return failure(std::move(read.error()));
    }
    return divisors;
}

/// Where the divisors that a tensor holds belong; null for one that holds none.
std::vector<float>* divisors_named(std::string_view name, Rope& rope)
{
    if (name == "rope_freqs.weight") {
        return &rope.divisors;
    }
    if (name == "rope_factors_short.weight" || name == "rope_factors_long.weight") {
        rope.scaling.kind = RopeScaling::Kind::LongRope;
        return name == "rope_factors_short.weight" ? &rope.scaling.short_divisors : &rope.scaling.long_divisors;
    }
    return nullptr;
}

Result<void> fill_spec(const GgufFile& content, const Family& family, const std::string& origin, DecoderShape& spec)
{
    GgufFields fields(content, origin, std::string(family.gguf_architecture) + ".");
    spec.family = family.model_type;
    family.from_gguf(fields, spec);
    return fields.result();
}

/// The tensors that may be weights; the number of rows of the embedding is the vocabulary, whatever the metadata says.
Result<std::vector<FoundTensor>> take_tensors(Parts& parts, DecoderShape& spec)
{
    std::vector<FoundTensor> found;
    for (std::size_t file = 0; file < parts.contents.size(); ++file) {
        for (TensorEntry& entry : parts.contents[file].tensors) {
            if (std::vector<float>* divisors = divisors_named(entry.name, spec.rope)) {
                auto read = read_divisors(parts.files[file], entry);
                if (!read) {
                    return failure(std::move(read.error()));
                }
                *divisors = std::move(*read);
                continue;
            }
            if (entry.name == "token_embd.weight") {
                spec.vocabulary = entry.shape.front();
            }
            found.push_back({.file = file, .entry = std::move(entry)});
        }
    }
    return found;
}

void fill_descriptions(const GgufFile& content, const std::string& origin, Checkpoint& checkpoint)
{
    GgufFields fields(content, origin);
    ModelInfo& info = checkpoint.info;
    info.licence = printable(fields.text("general.license").value_or(""), 200);
    info.derived_from = printable(fields.text("general.base_model.0.name").value_or(""), 200);
    checkpoint.chat_template = fields.text("tokenizer.chat_template").value_or("");
    if (auto result = fields.result(); !result) { // a model runs without them
        info.notes.push_back(result.error().message);
    }
}

/// Buffers that some converters write.
constexpr std::array<std::string_view, 2> kGgufBuffers = {"attn_rot_embd.weight", "rotary_emb.inv_freq"};

} // namespace

Result<Checkpoint> open_gguf(const fs::path& path)
{
    auto parts = open_parts(path);
    if (!parts) {
        return failure(std::move(parts.error()));
    }
    const std::string origin = parts->files.front().path().filename().string();
    const std::string architecture = GgufFields(parts->first(), origin).text("general.architecture").value_or("");
    const Family* family = family_of_gguf(architecture);
    if (family == nullptr) {
        return failure(Error::Kind::Mismatch,
                       origin + ": general.architecture is \"" + printable(architecture, 40) + "\"; known are " + known_gguf_architectures() + ".");
    }
    Checkpoint checkpoint;
    checkpoint.info.name = path.stem().string();
    checkpoint.info.path = path.string();
    checkpoint.info.format = "gguf";
    if (auto filled = fill_spec(parts->first(), *family, origin, checkpoint.info.spec); !filled) {
        return failure(std::move(filled.error()));
    }
    auto found = take_tensors(*parts, checkpoint.info.spec);
    if (!found) {
        return failure(std::move(found.error()));
    }
    checkpoint.files = std::move(parts->files);
    const Naming naming{
        .rules = family->gguf_tensors, .buffers = kGgufBuffers, .prefix = {}, .described_by = "the file's own metadata", .says_tied = {}};
    if (auto matched = match_tensors(checkpoint, std::move(*found), naming, origin); !matched) {
        return failure(std::move(matched.error()));
    }
    auto tokenizer = tokenizer_fields(parts->first(), origin);
    if (!tokenizer) {
        return failure(std::move(tokenizer.error()));
    }
    checkpoint.gguf_tokenizer = std::move(*tokenizer);
    fill_descriptions(parts->first(), origin, checkpoint);
    return checkpoint;
}

} // namespace retort
