#pragma once
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace retort::test {

/// Lays out the bytes of a GGUF file in memory, right or wrong as a test needs it: nothing is checked, every count and offset can be overridden.
class GgufWriter {
public:
    struct Tensor {
        std::string name;
        std::vector<std::uint64_t> dimensions; ///< fastest first, as in the file
        std::int32_t type = 0;
        std::uint64_t bytes = 0; ///< how much data to lay out
        std::uint64_t offset = kFollow;
    };
    static constexpr std::uint64_t kFollow = ~std::uint64_t{0}; ///< the next aligned place

    std::uint32_t version = 3;
    std::uint64_t alignment = 32;
    std::uint64_t claimed_tensors = kFollow; ///< kFollow: as many as there are
    std::uint64_t claimed_keys = kFollow;

    void text(std::string_view key, std::string_view value)
    {
        begin_key(key, 8);
        put_text(m_keys, value);
    }
    void u32(std::string_view key, std::uint32_t value)
    {
        begin_key(key, 4);
        put(m_keys, value);
    }
    void f32(std::string_view key, float value)
    {
        begin_key(key, 6);
        put(m_keys, value);
    }
    /// A list of `claimed` elements of `type`, whose bytes are `elements`.
    void list(std::string_view key, std::int32_t type, std::uint64_t claimed, std::span<const std::byte> elements)
    {
        begin_key(key, 9);
        put(m_keys, type);
        put(m_keys, claimed);
        m_keys.insert(m_keys.end(), elements.begin(), elements.end());
    }
    void texts(std::string_view key, const std::vector<std::string>& values)
    {
        std::vector<std::byte> bytes;
        for (const std::string& value : values) {
            put_text(bytes, value);
        }
        list(key, 8, values.size(), bytes);
    }
    /// A key of any type with any bytes after it.
    void raw(std::string_view key, std::int32_t type, std::span<const std::byte> bytes)
    {
        begin_key(key, type);
        m_keys.insert(m_keys.end(), bytes.begin(), bytes.end());
    }
    void tensor(Tensor tensor) { m_tensors.push_back(std::move(tensor)); }

    [[nodiscard]] std::vector<std::byte> bytes() const
    {
        std::vector<std::byte> out;
        for (const char c : std::string_view("GGUF")) {
            out.push_back(static_cast<std::byte>(c));
        }
        put(out, version);
        put(out, claimed_tensors == kFollow ? std::uint64_t{m_tensors.size()} : claimed_tensors);
        put(out, claimed_keys == kFollow ? m_key_count : claimed_keys);
        out.insert(out.end(), m_keys.begin(), m_keys.end());
        std::uint64_t end = 0;
        for (const Tensor& tensor : m_tensors) {
            put_text(out, tensor.name);
            put(out, static_cast<std::uint32_t>(tensor.dimensions.size()));
            for (const std::uint64_t dimension : tensor.dimensions) {
                put(out, dimension);
            }
            put(out, tensor.type);
            put(out, tensor.offset == kFollow ? end : tensor.offset);
            end = aligned(end + tensor.bytes);
        }
        out.resize(aligned(out.size()) + end);
        return out;
    }

private:
    template <class T>
    static void put(std::vector<std::byte>& out, T value)
    {
        append(out, std::as_bytes(std::span(&value, 1)));
    }
    /// Not by insert(): g++ 12 takes its inlined growth for a write beyond the end.
    static void append(std::vector<std::byte>& out, std::span<const std::byte> bytes)
    {
        for (const std::byte byte : bytes) {
            out.push_back(byte);
        }
    }
    static void put_text(std::vector<std::byte>& out, std::string_view value)
    {
        put(out, std::uint64_t{value.size()});
        append(out, std::as_bytes(std::span(value)));
    }
    void begin_key(std::string_view key, std::int32_t type)
    {
        put_text(m_keys, key);
        put(m_keys, type);
        ++m_key_count;
    }
    [[nodiscard]] std::uint64_t aligned(std::uint64_t size) const { return alignment < 2 ? size : (size + alignment - 1) / alignment * alignment; }

    std::vector<std::byte> m_keys;
    std::uint64_t m_key_count = 0;
    std::vector<Tensor> m_tensors;
};

} // namespace retort::test
