#pragma once
#include "core/base/error.h"
#include "core/base/files.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace retort {

/// Little-endian numbers and texts, one after another, from a file or from bytes in memory that a stranger wrote.
///
/// The first thing that goes wrong is kept and everything after it reads as zero or empty; so a parser reads a group of fields and then asks failed()
/// once, and must ask before it loops on a count. One thread.
class ByteReader {
public:
    /// `file` must outlive the reader.
    explicit ByteReader(const InputFile& file);
    ByteReader(std::span<const std::byte> bytes, std::string origin);

    [[nodiscard]] std::uint64_t position() const { return m_position; }
    [[nodiscard]] std::uint64_t size() const { return m_size; }
    [[nodiscard]] std::uint64_t remaining() const { return m_size - m_position; }
    [[nodiscard]] const std::string& origin() const { return m_origin; }

    template <class T>
    [[nodiscard]] T number()
    {
        T value{};
        copy(std::as_writable_bytes(std::span(&value, 1)));
        return value;
    }

    /// A u64 length of at most `limit` and that many bytes.
    [[nodiscard]] std::string text(std::uint64_t limit);

    /// Keeps `what` as the complaint, with the file and the place, unless there is one already.
    void complain(std::string_view what);
    void complain(Error error);

    [[nodiscard]] bool failed() const { return m_error.has_value(); }
    /// Only when failed().
    [[nodiscard]] const Error& error() const { return *m_error; }

private:
    void copy(std::span<std::byte> out);
    [[nodiscard]] bool fill_window(std::uint64_t wanted);

    const InputFile* m_file = nullptr;
    std::vector<std::byte> m_buffer;
    std::span<const std::byte> m_window; ///< bytes from m_window_begin on
    std::uint64_t m_window_begin = 0;
    std::uint64_t m_position = 0;
    std::uint64_t m_size = 0;
    std::string m_origin;
    std::optional<Error> m_error;
};

} // namespace retort
