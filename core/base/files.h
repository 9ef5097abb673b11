#pragma once
#include "core/base/error.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace retort {

/// The whole file, byte for byte. Refuses what is not a regular file or is larger than `limit` bytes: every reader knows how much it is ready to
/// hold.
[[nodiscard]] Result<std::string> read_file(const std::filesystem::path& path, std::uint64_t limit);

/// The same of a text: UTF-8 without a byte order mark, its lines ended by "\n" alone (Windows' "\r\n" is turned into it). A file in UTF-16 or
/// with other bytes that are not UTF-8 is refused, with the line.
[[nodiscard]] Result<std::string> read_text_file(const std::filesystem::path& path, std::uint64_t limit);

/// What read_text_file() does to the bytes it read; `origin` names them in messages.
[[nodiscard]] Result<std::string> text_from_bytes(std::string bytes, std::string_view origin);

/// A file opened for reading at any place, never through a mapping: a file cut short under a mapping kills the process with SIGBUS.
/// Opened without following a link at its last component only when `Links::Refuse` is asked for. Thread-safe for read_at().
class InputFile {
public:
    enum class Links { Follow, Refuse };

    [[nodiscard]] static Result<InputFile> open(const std::filesystem::path& path, Links links = Links::Follow);

    InputFile(InputFile&& other) noexcept;
    InputFile& operator=(InputFile&& other) noexcept;
    ~InputFile();

    [[nodiscard]] std::uint64_t size() const { return m_size; }
    [[nodiscard]] const std::filesystem::path& path() const { return m_path; }

    /// Fills `out` from `offset`; fewer bytes than asked for is an error (the file shrank since it was opened).
    [[nodiscard]] Result<void> read_at(std::uint64_t offset, std::span<std::byte> out) const;

private:
    InputFile(int fd, std::uint64_t size, std::filesystem::path path) : m_fd(fd), m_size(size), m_path(std::move(path)) {}

    int m_fd = -1;
    std::uint64_t m_size = 0;
    std::filesystem::path m_path;
};

/// A file that appears whole or not at all: written as PATH.part beside its place, synced, and renamed by commit().
/// Destroyed without commit(), it leaves nothing behind. What stood at PATH stays untouched until then.
class AtomicFile {
public:
    [[nodiscard]] static Result<AtomicFile> create(const std::filesystem::path& path);

    AtomicFile(AtomicFile&& other) noexcept;
    AtomicFile& operator=(AtomicFile&&) = delete;
    ~AtomicFile();

    [[nodiscard]] Result<void> write(std::span<const std::byte> bytes);
    [[nodiscard]] Result<void> write(std::string_view text) { return write(std::as_bytes(std::span(text))); }

    /// fsync, rename, fsync of the folder.
    [[nodiscard]] Result<void> commit();

private:
    AtomicFile(int fd, std::filesystem::path path) : m_fd(fd), m_path(std::move(path)) {}
    [[nodiscard]] std::filesystem::path part() const;

    int m_fd = -1;
    std::filesystem::path m_path;
};

[[nodiscard]] Result<void> write_file_atomically(const std::filesystem::path& path, std::string_view content);

} // namespace retort
