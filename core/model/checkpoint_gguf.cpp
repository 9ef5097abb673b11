#include "core/model/checkpoint.h"
#include "core/model/family.h"
#include "core/model/gguf.h"

#include "core/base/text_format.h"

#include <algorithm>

namespace retort {

namespace {

constexpr std::uint64_t kMostHeads = 1024;

/// The divisors of llama3's RoPE scaling, which GGUF keeps as a tensor beside the weights.
Result<std::vector<float>> read_rope_divisors(const InputFile& file, const TensorEntry& entry)
{
    if (entry.dtype != DType::F32 || entry.bytes > kMostHeads * sizeof(float)) {
        return failure(Error::Kind::BadFile, file.path().filename().string() + ": rope_freqs.weight has shape " + shape_text(entry.shape) +
                                                 " and type " + entry.type_name + "; a short list of F32 was expected.");
    }
    std::vector<float> divisors(entry.bytes / sizeof(float));
    if (auto read = file.read_at(entry.offset, std::as_writable_bytes(std::span(divisors))); !read) {
        return failure(std::move(read.error()));
    }
    return divisors;
}

Result<void> fill_spec(const GgufFile& content, const Family& family, const std::string& origin, ArchSpec& spec)
{
    GgufFields fields(content, origin, std::string(family.gguf_architecture) + ".");
    spec.family = family.model_type;
    family.fill_from_gguf(fields, spec);
    if (fields.has("split.count") && fields.whole("split.count").value_or(1) > 1) {
        fields.complain("the model is split over several GGUF files; join them with llama-gguf-split --merge first.");
    }
    return fields.result();
}

/// Sorts the file's tensors into the model's weights and the rest; the number of rows of the embedding is the vocabulary, whatever the metadata says.
Result<std::vector<std::string>> sort_tensors(GgufFile& content, const Family& family, Checkpoint& checkpoint)
{
    ArchSpec& spec = checkpoint.info.spec;
    std::vector<std::string> left_aside;
    for (TensorEntry& entry : content.tensors) {
        if (entry.name == "rope_freqs.weight") {
            auto divisors = read_rope_divisors(checkpoint.files.front(), entry);
            if (!divisors) {
                return failure(std::move(divisors.error()));
            }
            spec.rope_freq_divisors = std::move(*divisors);
            continue;
        }
        const auto name = family.canonical_name(entry.name);
        if (!name) {
            left_aside.push_back(entry.name);
            continue;
        }
        WeightPlace place{.file = 0, .entry = std::move(entry)};
        if (family.gguf_interleaves_rope && name->ends_with("q_proj.weight")) {
            place.interleaved_heads = spec.heads;
        } else if (family.gguf_interleaves_rope && name->ends_with("k_proj.weight")) {
            place.interleaved_heads = spec.kv_heads;
        }
        checkpoint.weights.insert_or_assign(*name, std::move(place));
    }
    spec.tied = !checkpoint.weights.contains("lm_head.weight");
    if (const auto embedding = checkpoint.weights.find("model.embed_tokens.weight"); embedding != checkpoint.weights.end()) {
        spec.vocabulary = embedding->second.entry.shape.front();
    }
    return left_aside;
}

void fill_descriptions(const GgufFile& content, const std::string& origin, Checkpoint& checkpoint)
{
    GgufFields fields(content, origin);
    ModelInfo& info = checkpoint.info;
    info.licence = printable(fields.text("general.license").value_or(""), 200);
    info.derived_from = printable(fields.text("general.base_model.0.name").value_or(""), 200);
    checkpoint.chat_template = fields.text("tokenizer.chat_template").value_or("");
    if (auto result = fields.result(); !result) { // descriptions of the wrong kind harm nobody
        info.notes.push_back(result.error().message);
    }
}

} // namespace

Result<Checkpoint> open_gguf(const std::filesystem::path& path)
{
    auto file = InputFile::open(path);
    if (!file) {
        return failure(std::move(file.error()));
    }
    auto content = read_gguf(*file);
    if (!content) {
        return failure(std::move(content.error()));
    }
    const std::string origin = path.filename().string();
    const std::string architecture = GgufFields(*content, origin).text("general.architecture").value_or("");
    const Family* family = family_of_gguf(architecture);
    if (family == nullptr) {
        return failure(Error::Kind::Mismatch,
                       origin + ": general.architecture is \"" + printable(architecture, 40) + "\"; known are " + known_gguf_architectures() + ".");
    }
    Checkpoint checkpoint;
    checkpoint.info.name = path.stem().string();
    checkpoint.info.path = path.string();
    checkpoint.info.format = "gguf";
    checkpoint.files.push_back(std::move(*file));
    if (auto filled = fill_spec(*content, *family, origin, checkpoint.info.spec); !filled) {
        return failure(std::move(filled.error()));
    }
    auto left_aside = sort_tensors(*content, *family, checkpoint);
    if (!left_aside) {
        return failure(std::move(left_aside.error()));
    }
    if (auto sane = check(checkpoint.info.spec, origin); !sane) {
        return failure(std::move(sane.error()));
    }
    if (auto matched = match_weights(checkpoint, origin, "the file's own metadata", *left_aside); !matched) {
        return failure(std::move(matched.error()));
    }
    auto tokenizer = tokenizer_fields(*content, origin);
    if (!tokenizer) {
        return failure(std::move(tokenizer.error()));
    }
    checkpoint.gguf_tokenizer = std::move(*tokenizer);
    fill_descriptions(*content, origin, checkpoint);
    return checkpoint;
}

} // namespace retort
