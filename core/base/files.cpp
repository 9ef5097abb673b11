#include "core/base/files.h"

#include "core/base/text_format.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace retort {

namespace {

constexpr std::size_t kChunk = std::size_t{64} << 20; // a single read() or write() gives back at most 2 GiB; smaller pieces notice errors sooner

tl::unexpected<Error> io_failure(const std::filesystem::path& path, std::string_view doing, int code)
{
    std::string message = path.string() + " could not be " + std::string(doing) + ": " + std::strerror(code) + ".";
    if (code == ENOSPC || code == EDQUOT) {
        message = path.string() + " could not be " + std::string(doing) + ": the disk is full. Free some space or choose another folder.";
    } else if (code == ENOENT) {
        message = path.string() + " was not found. Check the path.";
    }
    return failure(Error::Kind::Io, std::move(message));
}

Result<void> sync_folder(const std::filesystem::path& folder)
{
    const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return io_failure(folder, "opened", errno);
    }
    const int rc = ::fsync(fd);
    const int code = errno;
    ::close(fd);
    if (rc != 0 && code != EINVAL) { // some file systems cannot sync a folder and say so with EINVAL
        return io_failure(folder, "written", code);
    }
    return {};
}

/// By its byte order mark, or by the zero byte beside the first character, which no UTF-8 text has.
bool is_utf16(std::string_view bytes)
{
    using namespace std::string_view_literals;
    const bool marked = bytes.starts_with("\xFF\xFE"sv) || bytes.starts_with("\xFE\xFF"sv);
    return marked || (bytes.size() > 1 && (bytes[0] == '\0') != (bytes[1] == '\0'));
}

void end_lines_plainly(std::string& text)
{
    std::size_t to = text.find("\r\n");
    for (std::size_t from = to; from < text.size(); ++from) {
        if (text[from] != '\r' || from + 1 == text.size() || text[from + 1] != '\n') {
            text[to++] = text[from];
        }
    }
    text.resize(std::min(to, text.size()));
}

} // namespace

Result<std::string> read_file(const std::filesystem::path& path, std::uint64_t limit)
{
    auto file = InputFile::open(path);
    if (!file) {
        return failure(std::move(file.error()));
    }
    if (file->size() > limit) {
        return failure(Error::Kind::BadFile, path.string() + " has " + std::to_string(file->size()) + " bytes; at most " + std::to_string(limit) +
                                                 " were expected of a file of this kind.");
    }
    std::string text(file->size(), '\0');
    if (auto read = file->read_at(0, std::as_writable_bytes(std::span(text))); !read) {
        return failure(std::move(read.error()));
    }
    return text;
}

Result<std::string> read_text_file(const std::filesystem::path& path, std::uint64_t limit)
{
    return read_file(path, limit).and_then([&path](std::string bytes) { return text_from_bytes(std::move(bytes), path.string()); });
}

Result<std::string> text_from_bytes(std::string bytes, std::string_view origin)
{
    constexpr std::string_view kMark = "\xEF\xBB\xBF";
    if (is_utf16(bytes)) {
        return failure(Error::Kind::BadFile, std::string(origin) + " is a text in UTF-16 (or UTF-32); only UTF-8 is read. Save it as UTF-8.");
    }
    if (bytes.starts_with(kMark)) {
        bytes.erase(0, kMark.size());
    }
    if (const std::size_t good = valid_utf8_prefix(bytes); good < bytes.size()) {
        const auto line = 1 + std::count(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(good), '\n');
        char byte[8];
        std::snprintf(byte, sizeof byte, "0x%02X", static_cast<unsigned>(static_cast<unsigned char>(bytes[good])));
        return failure(Error::Kind::BadFile, std::string(origin) + ", line " + std::to_string(line) + " has bytes that are not UTF-8 (" + byte +
                                                 "); another encoding, such as Latin-1, is not read. Save the file as UTF-8.");
    }
    end_lines_plainly(bytes);
    return bytes;
}

Result<InputFile> InputFile::open(const std::filesystem::path& path, Links links)
{
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | (links == Links::Refuse ? O_NOFOLLOW : 0));
    if (fd < 0) {
        return io_failure(path, "opened", errno);
    }
    struct stat status {};
    if (::fstat(fd, &status) != 0) {
        const int code = errno;
        ::close(fd);
        return io_failure(path, "opened", code);
    }
    if (!S_ISREG(status.st_mode)) {
        ::close(fd);
        return failure(Error::Kind::BadFile, path.string() + " is not a regular file.");
    }
    return InputFile(fd, static_cast<std::uint64_t>(status.st_size), path);
}

InputFile::InputFile(InputFile&& other) noexcept : m_fd(std::exchange(other.m_fd, -1)), m_size(other.m_size), m_path(std::move(other.m_path)) {}

InputFile& InputFile::operator=(InputFile&& other) noexcept
{
    std::swap(m_fd, other.m_fd);
    std::swap(m_size, other.m_size);
    std::swap(m_path, other.m_path);
    return *this;
}

InputFile::~InputFile()
{
    if (m_fd >= 0) {
        ::close(m_fd);
    }
}

Result<void> InputFile::read_at(std::uint64_t offset, std::span<std::byte> out) const
{
    while (!out.empty()) {
        const ssize_t n = ::pread(m_fd, out.data(), std::min(out.size(), kChunk), static_cast<off_t>(offset));
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return io_failure(m_path, "read", errno);
        }
        if (n == 0) {
            return failure(Error::Kind::BadFile, m_path.string() + " ends at byte " + std::to_string(offset) +
                                                     ", before all of it was read. It may be incomplete: copy or download it again.");
        }
        offset += static_cast<std::uint64_t>(n);
        out = out.subspan(static_cast<std::size_t>(n));
    }
    return {};
}

Result<AtomicFile> AtomicFile::create(const std::filesystem::path& path)
{
    AtomicFile file(-1, path);
    file.m_fd = ::open(file.part().c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (file.m_fd < 0) {
        return io_failure(path, "written", errno);
    }
    return file;
}

AtomicFile::AtomicFile(AtomicFile&& other) noexcept : m_fd(std::exchange(other.m_fd, -1)), m_path(std::move(other.m_path)) {}

AtomicFile::~AtomicFile()
{
    if (m_fd >= 0) {
        ::close(m_fd);
        ::unlink(part().c_str());
    }
}

std::filesystem::path AtomicFile::part() const
{
    std::filesystem::path name = m_path;
    name += ".part";
    return name;
}

Result<void> AtomicFile::write(std::span<const std::byte> bytes)
{
    while (!bytes.empty()) {
        const ssize_t n = ::write(m_fd, bytes.data(), std::min(bytes.size(), kChunk));
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return io_failure(m_path, "written", errno);
        }
        bytes = bytes.subspan(static_cast<std::size_t>(n));
    }
    return {};
}

Result<void> AtomicFile::commit()
{
    if (::fsync(m_fd) != 0) {
        return io_failure(m_path, "written", errno);
    }
    if (::rename(part().c_str(), m_path.c_str()) != 0) {
        return io_failure(m_path, "written", errno);
    }
    ::close(std::exchange(m_fd, -1));
    return sync_folder(m_path.has_parent_path() ? m_path.parent_path() : std::filesystem::path("."));
}

Result<void> write_file_atomically(const std::filesystem::path& path, std::string_view content)
{
    auto file = AtomicFile::create(path);
    if (!file) {
        return failure(std::move(file.error()));
    }
    if (auto written = file->write(content); !written) {
        return written;
    }
    return file->commit();
}

} // namespace retort
