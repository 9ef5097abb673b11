#include "core/model/safetensors.h"

#include "core/base/text_format.h"
#include "core/model/json_reader.h"
#include "core/model/weights_reader.h"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>

namespace retort {

namespace {

using nlohmann::json;

constexpr std::uint64_t kMostHeaderBytes = 100'000'000; // the reference's own limit
constexpr std::size_t kMostTensors = 200'000;
constexpr std::size_t kMostDimensions = 8;
constexpr std::size_t kLongestName = 1024;

struct TypeBits {
    std::string_view name;
    std::uint64_t bits;
};

constexpr std::array kTypes = {
    TypeBits{"BOOL", 8},        TypeBits{"U8", 8},      TypeBits{"I8", 8},      TypeBits{"F4", 4},      TypeBits{"F6_E2M3", 6},
    TypeBits{"F6_E3M2", 6},     TypeBits{"F8_E5M2", 8}, TypeBits{"F8_E4M3", 8}, TypeBits{"F8_E8M0", 8}, TypeBits{"F8_E4M3FNUZ", 8},
    TypeBits{"F8_E5M2FNUZ", 8}, TypeBits{"I16", 16},    TypeBits{"U16", 16},    TypeBits{"F16", 16},    TypeBits{"BF16", 16},
    TypeBits{"I32", 32},        TypeBits{"U32", 32},    TypeBits{"F32", 32},    TypeBits{"C64", 64},    TypeBits{"F64", 64},
    TypeBits{"I64", 64},        TypeBits{"U64", 64},
};

tl::unexpected<Error> bad_header(const std::string& origin, const std::string& what)
{
    return failure(Error::Kind::BadFile, origin + ": " + what + ". The file is damaged or was not written by a safetensors library.");
}

bool usable_name(const std::string& name)
{
    return !name.empty() && name.size() <= kLongestName && printable(name, kLongestName) == name;
}

/// Whole numbers of `value`; empty when it is anything but a list of at most `most` of them.
std::optional<std::vector<std::int64_t>> whole_numbers(const json& object, const char* key, std::size_t most)
{
    const auto found = object.find(key);
    if (found == object.end() || !found->is_array() || found->size() > most) {
        return std::nullopt;
    }
    std::vector<std::int64_t> numbers;
    for (const json& number : *found) {
        if (!number.is_number_unsigned() || number.get<std::uint64_t>() > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
            return std::nullopt;
        }
        numbers.push_back(number.get<std::int64_t>());
    }
    return numbers;
}

/// One tensor, its offset still counted from the first tensor's byte.
Result<TensorEntry> parse_entry(const std::string& name, const json& fields, const std::string& origin)
{
    if (!usable_name(name)) {
        return bad_header(origin, "the tensor name \"" + printable(name) + "\" is empty, too long or holds control characters");
    }
    if (!fields.is_object() || !fields.contains("dtype") || !fields["dtype"].is_string()) {
        return bad_header(origin, quoted_tensor(name) + " has no dtype");
    }
    TensorEntry entry{.name = name, .type_name = fields["dtype"].get<std::string>(), .dtype = {}, .shape = {}};
    const auto* type = std::ranges::find(kTypes, std::string_view(entry.type_name), &TypeBits::name);
    if (type == kTypes.end()) {
        return bad_header(origin, quoted_tensor(name) + " has the unknown dtype \"" + printable(entry.type_name, 20) + "\"");
    }
    entry.dtype = dtype_named(entry.type_name);

    auto shape = whole_numbers(fields, "shape", kMostDimensions);
    const auto range = whole_numbers(fields, "data_offsets", 2);
    if (!shape) {
        return bad_header(origin, quoted_tensor(name) + " has no shape of at most " + std::to_string(kMostDimensions) + " whole numbers");
    }
    if (!range || range->size() != 2 || (*range)[0] > (*range)[1]) {
        return bad_header(origin, quoted_tensor(name) + " has no data_offsets [begin, end]");
    }
    entry.shape = std::move(*shape);
    entry.offset = static_cast<std::uint64_t>((*range)[0]);
    entry.bytes = static_cast<std::uint64_t>((*range)[1] - (*range)[0]);

    const auto values = checked_values(entry.shape);
    std::uint64_t bits = 0;
    if (!values || __builtin_mul_overflow(*values, type->bits, &bits)) {
        return bad_header(origin, quoted_tensor(name) + " has shape " + shape_text(entry.shape) + ", more than any file can hold");
    }
    if (bits % 8 != 0 || bits / 8 != entry.bytes) {
        return bad_header(origin, quoted_tensor(name) + " of shape " + shape_text(entry.shape) + " and dtype " + entry.type_name + " needs " +
                                      std::to_string(bits / 8) + " bytes; its data_offsets span " + std::to_string(entry.bytes));
    }
    return entry;
}

Result<std::map<std::string, std::string>> parse_metadata(const json& fields, const std::string& origin)
{
    std::map<std::string, std::string> metadata;
    if (!fields.is_object()) {
        return bad_header(origin, "__metadata__ is not an object");
    }
    for (const auto& [key, value] : fields.items()) {
        if (!value.is_string()) {
            return bad_header(origin, "the metadata \"" + printable(key) + "\" is not a text");
        }
        metadata[key] = value.get<std::string>();
    }
    return metadata;
}

/// The tensors must fill [0, data_bytes) exactly: bytes that belong to no tensor, or to two, are how such a file hides or multiplies content.
Result<void> place(std::vector<TensorEntry>& tensors, std::uint64_t data_begin, std::uint64_t data_bytes, const std::string& origin)
{
    std::ranges::sort(tensors, {}, [](const TensorEntry& entry) { return std::pair(entry.offset, entry.bytes); });
    std::uint64_t end = 0;
    for (TensorEntry& entry : tensors) {
        if (entry.offset != end) {
            return bad_header(origin, quoted_tensor(entry.name) + " begins at byte " + std::to_string(entry.offset) + " of the data; byte " +
                                          std::to_string(end) + " was expected, where the one before it ends");
        }
        end += entry.bytes; // each span is below 2^63 and begins where the last ended, so this cannot wrap before the check below fails
        if (end > data_bytes) {
            return bad_header(origin, quoted_tensor(entry.name) + " ends at byte " + std::to_string(end) + " of the data; the file has " +
                                          std::to_string(data_bytes));
        }
        entry.offset += data_begin;
    }
    if (end != data_bytes) {
        return bad_header(origin, "the tensors end at byte " + std::to_string(data_begin + end) + "; the file has " +
                                      std::to_string(data_begin + data_bytes) + " bytes");
    }
    return {};
}

} // namespace

Result<SafetensorsHeader> parse_safetensors_header(std::string_view text, std::uint64_t data_begin, std::uint64_t data_bytes,
                                                   const std::string& origin)
{
    if (!text.starts_with('{')) {
        return bad_header(origin, "the header does not begin with '{'");
    }
    auto document = parse_json(text, origin, {.depth = 4, .values = kMostTensors * (4 + kMostDimensions)});
    if (!document) {
        return failure(std::move(document.error()));
    }
    if (document->size() > kMostTensors) {
        return bad_header(origin, "the header lists " + std::to_string(document->size()) + " tensors; at most " + std::to_string(kMostTensors) +
                                      " were expected");
    }
    SafetensorsHeader header{.tensors = {}, .metadata = {}, .data_begin = data_begin};
    for (const auto& [name, fields] : document->items()) {
        if (name == "__metadata__") {
            auto metadata = parse_metadata(fields, origin);
            if (!metadata) {
                return failure(std::move(metadata.error()));
            }
            header.metadata = std::move(*metadata);
            continue;
        }
        auto entry = parse_entry(name, fields, origin);
        if (!entry) {
            return failure(std::move(entry.error()));
        }
        header.tensors.push_back(std::move(*entry));
    }
    if (auto placed = place(header.tensors, data_begin, data_bytes, origin); !placed) {
        return failure(std::move(placed.error()));
    }
    return header;
}

Result<SafetensorsHeader> read_safetensors_header(const InputFile& file)
{
    const std::string origin = file.path().filename().string();
    std::uint64_t length = 0;
    if (file.size() < sizeof length) {
        return bad_header(origin, "the file has " + std::to_string(file.size()) + " bytes; a header alone takes more");
    }
    if (auto read = file.read_at(0, std::as_writable_bytes(std::span(&length, 1))); !read) {
        return failure(std::move(read.error()));
    }
    const std::uint64_t rest = file.size() - sizeof length;
    if (length > rest || length > kMostHeaderBytes) {
        return bad_header(origin, "byte 0 announces a header of " + std::to_string(length) + " bytes; " +
                                      std::to_string(std::min(rest, kMostHeaderBytes)) + " are possible");
    }
    std::string text(length, '\0');
    if (auto read = file.read_at(sizeof length, std::as_writable_bytes(std::span(text))); !read) {
        return failure(std::move(read.error()));
    }
    return parse_safetensors_header(text, sizeof length + length, rest - length, origin);
}

Result<SafetensorsContent> read_safetensors(const std::filesystem::path& path, const Progress& progress)
{
    auto file = InputFile::open(path);
    if (!file) {
        return failure(std::move(file.error()));
    }
    auto header = read_safetensors_header(*file);
    if (!header) {
        return failure(std::move(header.error()));
    }
    auto tensors = read_weights(*file, header->tensors, progress);
    if (!tensors) {
        return failure(std::move(tensors.error()));
    }
    return SafetensorsContent{std::move(*tensors), std::move(header->metadata)};
}

} // namespace retort
