#include "core/model/byte_reader.h"

#include <algorithm>
#include <cstring>

namespace retort {

namespace {

constexpr std::uint64_t kWindow = std::uint64_t{256} << 10;

}

ByteReader::ByteReader(const InputFile& file) : m_file(&file), m_size(file.size()), m_origin(file.path().filename().string()) {}

ByteReader::ByteReader(std::span<const std::byte> bytes, std::string origin) : m_window(bytes), m_size(bytes.size()), m_origin(std::move(origin)) {}

std::string ByteReader::text(std::uint64_t limit)
{
    const auto length = number<std::uint64_t>();
    if (length > limit || length > remaining()) {
        complain("a text of " + std::to_string(length) + " bytes is announced; " + std::to_string(std::min(limit, remaining())) + " are possible");
    }
    if (failed()) {
        return {};
    }
    std::string value(length, '\0');
    copy(std::as_writable_bytes(std::span(value)));
    return value;
}

void ByteReader::complain(std::string_view what)
{
    complain(
        Error{Error::Kind::BadFile, m_origin + ", byte " + std::to_string(m_position) + ": " + std::string(what) + ". The file is damaged.", {}});
}

void ByteReader::complain(Error error)
{
    if (!m_error) {
        m_error = std::move(error);
    }
}

void ByteReader::copy(std::span<std::byte> out)
{
    if (failed()) {
        return;
    }
    if (out.size() > remaining()) {
        complain("the file ends here, but " + std::to_string(out.size() - remaining()) + " more bytes were expected");
        return;
    }
    if (!fill_window(out.size())) {
        return;
    }
    std::memcpy(out.data(), m_window.data() + (m_position - m_window_begin), out.size());
    m_position += out.size();
}

/// Makes the window cover `wanted` bytes from the position on, which are known to be in the file.
bool ByteReader::fill_window(std::uint64_t wanted)
{
    if (m_file == nullptr || m_position + wanted <= m_window_begin + m_window.size()) {
        return true;
    }
    m_buffer.resize(std::min(std::max(wanted, kWindow), remaining()));
    if (auto read = m_file->read_at(m_position, m_buffer); !read) {
        complain(std::move(read.error()));
        return false;
    }
    m_window = m_buffer;
    m_window_begin = m_position;
    return true;
}

} // namespace retort
