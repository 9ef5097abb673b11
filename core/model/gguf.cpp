#include "core/model/gguf.h"

#include "core/base/text_format.h"
#include "core/model/byte_reader.h"
#include "core/model/quant_format.h"

#include <algorithm>
#include <array>
#include <bit>

namespace retort {

namespace {

constexpr std::uint64_t kMostKeys = 100'000;
constexpr std::uint64_t kMostTensors = 200'000;
constexpr std::uint64_t kMostElements = std::uint64_t{1} << 24; // of all lists together
constexpr std::uint64_t kMostMetadata = std::uint64_t{256} << 20;
constexpr std::uint64_t kLongestKey = 65535;
constexpr std::uint64_t kLongestText = std::uint64_t{64} << 20;
constexpr std::uint64_t kLongestTensorName = 63;
constexpr std::uint32_t kMostDimensions = 4;
constexpr std::uint64_t kMostAlignment = std::uint64_t{1} << 20;

/// gguf.h, enum gguf_type.
enum class Type : std::int32_t { U8, I8, U16, I16, U32, I32, F32, Bool, String, Array, U64, I64, F64 };

struct TensorType {
    std::int32_t id;
    std::string_view name;
    std::uint64_t values;
    std::uint64_t bytes;
};

/// ggml.h, enum ggml_type, with the sizes of ggml-common.h's blocks: those that no weight of ours can have, so that they can be named.
constexpr std::array kOtherTypes = {
    TensorType{9, "Q8_1", 32, 36},      TensorType{15, "Q8_K", 256, 292}, TensorType{16, "IQ2_XXS", 256, 66}, TensorType{17, "IQ2_XS", 256, 74},
    TensorType{18, "IQ3_XXS", 256, 98}, TensorType{19, "IQ1_S", 256, 50}, TensorType{21, "IQ3_S", 256, 110},  TensorType{22, "IQ2_S", 256, 82},
    TensorType{24, "I8", 1, 1},         TensorType{25, "I16", 1, 2},      TensorType{26, "I32", 1, 4},        TensorType{27, "I64", 1, 8},
    TensorType{28, "F64", 1, 8},        TensorType{29, "IQ1_M", 256, 56}, TensorType{34, "TQ1_0", 256, 54},   TensorType{35, "TQ2_0", 256, 66},
};

std::optional<TensorType> tensor_type(std::int32_t id)
{
    const auto formats = quant_formats();
    if (const auto known = std::ranges::find(formats, id, &QuantFormat::ggml_id); known != formats.end()) {
        return TensorType{id, known->name, known->values, known->bytes};
    }
    const auto* other = std::ranges::find(kOtherTypes, id, &TensorType::id);
    return other == kOtherTypes.end() ? std::nullopt : std::optional(*other);
}

/// The least bytes that one element of a list takes in the file: a text has at least its length.
std::uint64_t least_bytes(Type type)
{
    switch (type) {
    case Type::U8:
    case Type::I8:
    case Type::Bool:
        return 1;
    case Type::U16:
    case Type::I16:
        return 2;
    case Type::U32:
    case Type::I32:
    case Type::F32:
        return 4;
    case Type::String:
    case Type::U64:
    case Type::I64:
    case Type::F64:
        return 8;
    case Type::Array:
        break;
    }
    return 0;
}

class Parser {
public:
    explicit Parser(ByteReader reader) : m_in(std::move(reader)) {}

    Result<GgufFile> parse()
    {
        read_preamble();
        for (std::uint64_t i = 0; i < m_keys && !m_in.failed(); ++i) {
            read_key();
        }
        read_alignment();
        for (std::uint64_t i = 0; i < m_tensors && !m_in.failed(); ++i) {
            read_tensor();
        }
        place_tensors();
        if (m_in.failed()) {
            return failure(m_in.error());
        }
        return std::move(m_file);
    }

private:
    void read_preamble();
    void read_key();
    GgufValue read_value(Type type);
    GgufArray read_array();
    std::int64_t read_whole(Type type);
    double read_real(Type type);
    void read_alignment();
    void read_tensor();
    void place_tensors();

    ByteReader m_in;
    GgufFile m_file;
    std::uint64_t m_keys = 0;
    std::uint64_t m_tensors = 0;
    std::uint64_t m_elements = 0;
    std::map<std::string, std::size_t, std::less<>> m_names;
};

void Parser::read_preamble()
{
    const auto magic = m_in.number<std::array<char, 4>>();
    if (!m_in.failed() && std::string_view(magic.data(), magic.size()) != "GGUF") {
        m_in.complain("the file does not begin with \"GGUF\"");
    }
    const auto version = m_in.number<std::uint32_t>();
    if ((version & 0xFFFFu) == 0 && version != 0) {
        m_in.complain("the file is big-endian, which cannot be read");
    } else if (version != 2 && version != 3) {
        m_in.complain("this is GGUF version " + std::to_string(version) + "; 2 and 3 can be read");
    }
    m_tensors = m_in.number<std::uint64_t>();
    m_keys = m_in.number<std::uint64_t>();
    constexpr std::uint64_t kLeastTensor = 8 + 1 + 4 + 8 + 4 + 8;
    constexpr std::uint64_t kLeastKey = 8 + 1 + 4 + 1;
    if (m_tensors > kMostTensors || m_keys > kMostKeys || m_tensors * kLeastTensor + m_keys * kLeastKey > m_in.remaining()) {
        m_in.complain(std::to_string(m_tensors) + " tensors and " + std::to_string(m_keys) + " keys are announced, more than the " +
                      std::to_string(m_in.remaining()) + " bytes that follow can hold");
    }
}

void Parser::read_key()
{
    std::string key = m_in.text(kLongestKey);
    const auto type = Type{m_in.number<std::int32_t>()};
    if (!m_in.failed() && key.empty()) {
        m_in.complain("a key is empty");
    }
    if (m_in.position() > kMostMetadata) {
        m_in.complain("the keys take more than " + format_bytes(kMostMetadata));
    }
    if (m_in.failed()) {
        return;
    }
    GgufValue value = read_value(type);
    if (!m_in.failed() && !m_file.metadata.emplace(key, std::move(value)).second) {
        m_in.complain("the key \"" + printable(key) + "\" comes twice");
    }
}

GgufValue Parser::read_value(Type type)
{
    switch (type) {
    case Type::U8:
    case Type::U16:
    case Type::U32:
    case Type::U64:
        return std::bit_cast<std::uint64_t>(read_whole(type));
    case Type::I8:
    case Type::I16:
    case Type::I32:
    case Type::I64:
        return read_whole(type);
    case Type::F32:
    case Type::F64:
        return read_real(type);
    case Type::Bool:
        return read_whole(type) != 0;
    case Type::String:
        return m_in.text(kLongestText);
    case Type::Array:
        return read_array();
    }
    m_in.complain("a key has the unknown value type " + std::to_string(static_cast<std::int32_t>(type)));
    return false;
}

GgufArray Parser::read_array()
{
    const auto type = Type{m_in.number<std::int32_t>()};
    const auto count = m_in.number<std::uint64_t>();
    const std::uint64_t least = least_bytes(type);
    if (m_in.failed()) {
        return {};
    }
    if (least == 0) {
        m_in.complain(type == Type::Array ? "a list holds lists"
                                          : "a list has the unknown element type " + std::to_string(static_cast<std::int32_t>(type)));
        return {};
    }
    if (count > m_in.remaining() / least || count > kMostElements - m_elements) {
        m_in.complain("a list of " + std::to_string(count) + " elements is announced; " +
                      std::to_string(std::min(m_in.remaining() / least, kMostElements - m_elements)) + " are possible");
        return {};
    }
    m_elements += count;
    const auto fill = [this, count](auto read) {
        std::vector<decltype(read())> list;
        list.reserve(count);
        for (std::uint64_t i = 0; i < count && !m_in.failed(); ++i) {
            list.push_back(read());
        }
        return list;
    };
    if (type == Type::String) {
        return fill([this] { return m_in.text(kLongestText); });
    }
    if (type == Type::F32 || type == Type::F64) {
        return fill([this, type] { return read_real(type); });
    }
    return fill([this, type] { return read_whole(type); });
}

std::int64_t Parser::read_whole(Type type)
{
    switch (type) {
    case Type::U8:
        return m_in.number<std::uint8_t>();
    case Type::I8:
        return m_in.number<std::int8_t>();
    case Type::U16:
        return m_in.number<std::uint16_t>();
    case Type::I16:
        return m_in.number<std::int16_t>();
    case Type::U32:
        return m_in.number<std::uint32_t>();
    case Type::I32:
        return m_in.number<std::int32_t>();
    case Type::Bool: {
        const auto value = m_in.number<std::uint8_t>();
        if (value > 1) {
            m_in.complain("a truth value is " + std::to_string(value) + "; 0 or 1 was expected");
        }
        return value;
    }
    default:
        return m_in.number<std::int64_t>();
    }
}

double Parser::read_real(Type type)
{
    return type == Type::F32 ? static_cast<double>(m_in.number<float>()) : m_in.number<double>();
}

void Parser::read_alignment()
{
    const auto found = m_file.metadata.find("general.alignment");
    if (m_in.failed() || found == m_file.metadata.end()) {
        return;
    }
    const auto* value = std::get_if<std::uint64_t>(&found->second);
    if (value == nullptr || *value > kMostAlignment || !std::has_single_bit(*value)) {
        m_in.complain("general.alignment must be a power of two");
        return;
    }
    m_file.alignment = *value;
}

void Parser::read_tensor()
{
    TensorEntry entry;
    entry.name = m_in.text(kLongestTensorName);
    const auto dimensions = m_in.number<std::uint32_t>();
    if (!m_in.failed() && (entry.name.empty() || printable(entry.name, kLongestTensorName) != entry.name)) {
        m_in.complain("the tensor name \"" + printable(entry.name) + "\" is empty or holds control characters");
    }
    if (dimensions == 0 || dimensions > kMostDimensions) {
        m_in.complain(quoted_tensor(entry.name) + " has " + std::to_string(dimensions) + " dimensions; 1 to " + std::to_string(kMostDimensions) +
                      " are possible");
    }
    for (std::uint32_t i = 0; i < dimensions && !m_in.failed(); ++i) {
        entry.shape.insert(entry.shape.begin(), m_in.number<std::int64_t>()); // the file gives the fastest dimension first
    }
    const auto id = m_in.number<std::int32_t>();
    entry.offset = m_in.number<std::uint64_t>();
    const auto type = tensor_type(id);
    if (!type) {
        m_in.complain(quoted_tensor(entry.name) + " has the unknown type " + std::to_string(id));
    }
    if (m_in.failed()) {
        return;
    }
    const auto values = checked_values(entry.shape);
    const auto row = static_cast<std::uint64_t>(entry.shape.back());
    if (!values || *values == 0 || row % type->values != 0 || __builtin_mul_overflow(*values / type->values, type->bytes, &entry.bytes)) {
        m_in.complain(quoted_tensor(entry.name) + " has shape " + shape_text(entry.shape) + ", which is impossible for " + std::string(type->name));
    }
    if (!m_names.emplace(entry.name, m_names.size()).second) {
        m_in.complain(quoted_tensor(entry.name) + " comes twice");
    }
    entry.type_name = type->name;
    entry.dtype = dtype_named(type->name);
    m_file.tensors.push_back(std::move(entry));
}

/// Tensors follow one another, each at the next aligned place, as the reference writer lays them out; so none overlaps another.
void Parser::place_tensors()
{
    if (m_in.failed()) {
        return;
    }
    const std::uint64_t mask = m_file.alignment - 1;
    m_file.data_begin = (m_in.position() + mask) & ~mask;
    std::uint64_t expected = 0;
    for (TensorEntry& entry : m_file.tensors) {
        if (entry.offset != expected) {
            m_in.complain(quoted_tensor(entry.name) + " begins at byte " + std::to_string(entry.offset) + " of the data; byte " +
                          std::to_string(expected) + " was expected");
            return;
        }
        std::uint64_t end = 0;
        const bool wraps =
            __builtin_add_overflow(m_file.data_begin, entry.offset, &entry.offset) || __builtin_add_overflow(entry.offset, entry.bytes, &end);
        if (wraps || end > m_in.size()) {
            m_in.complain(Error{Error::Kind::BadFile,
                                m_in.origin() + ": " + quoted_tensor(entry.name) + " takes " + std::to_string(entry.bytes) + " bytes from byte " +
                                    std::to_string(entry.offset) + " on; the file has " + std::to_string(m_in.size()) +
                                    ". It may be incomplete: copy or download it again.",
                                {}});
            return;
        }
        expected = (end - m_file.data_begin + mask) & ~mask; // end is within the file, far from wrapping
    }
}

} // namespace

Result<GgufFile> read_gguf(const InputFile& file)
{
    return Parser(ByteReader(file)).parse();
}

Result<GgufFile> read_gguf(const std::filesystem::path& path)
{
    return InputFile::open(path).and_then([](const InputFile& file) { return read_gguf(file); });
}

Result<GgufFile> read_gguf(std::span<const std::byte> bytes, const std::string& origin)
{
    return Parser(ByteReader(bytes, origin)).parse();
}

} // namespace retort
