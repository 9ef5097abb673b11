#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace retort {

/// 11211776 -> "11.2 MB", 1.5e9 -> "1.5 GB": decimal units, as disks and model pages count.
[[nodiscard]] std::string format_bytes(std::uint64_t bytes);

/// 2764992 -> "2.76 M", 134515008 -> "135 M": three significant digits.
[[nodiscard]] std::string format_count(std::uint64_t count);

/// Hostile text made fit for one line of a message: control characters and invalid UTF-8 become '?', at most `limit` bytes, "..." where it was cut.
[[nodiscard]] std::string printable(std::string_view text, std::size_t limit = 80);

/// The longest prefix of `bytes` that is valid UTF-8 (RFC 3629: no surrogates, no overlong forms, at most U+10FFFF), in bytes.
[[nodiscard]] std::size_t valid_utf8_prefix(std::string_view bytes);

/// `bytes` with every invalid byte replaced by U+FFFD.
[[nodiscard]] std::string with_valid_utf8(std::string_view bytes);

} // namespace retort
