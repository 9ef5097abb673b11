#include "core/base/text_format.h"

#include <array>
#include <cstdio>

namespace retort {

namespace {

std::string three_digits(double value, std::string_view unit)
{
    std::array<char, 64> text{};
    const char* format = value >= 99.95 ? "%.0f %.*s" : value >= 9.995 ? "%.1f %.*s" : "%.2f %.*s";
    std::snprintf(text.data(), text.size(), format, value, static_cast<int>(unit.size()), unit.data());
    return text.data();
}

/// Length of the valid UTF-8 sequence at the start of `s`, 0 where there is none (or it is cut short).
std::size_t sequence_length(std::string_view s)
{
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(s[i]); };
    if (s.empty()) {
        return 0;
    }
    const unsigned char lead = byte(0);
    if (lead < 0x80) {
        return 1;
    }
    const std::size_t length = lead >= 0xC2 && lead <= 0xDF ? 2 : lead >= 0xE0 && lead <= 0xEF ? 3 : lead >= 0xF0 && lead <= 0xF4 ? 4 : 0;
    if (length == 0 || s.size() < length) {
        return 0;
    }
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xC0) != 0x80) {
            return 0;
        }
    }
    const unsigned char second = byte(1);
    const bool bad =
        (lead == 0xE0 && second < 0xA0) || (lead == 0xED && second > 0x9F) || (lead == 0xF0 && second < 0x90) || (lead == 0xF4 && second > 0x8F);
    return bad ? 0 : length;
}

} // namespace

std::string format_bytes(std::uint64_t bytes)
{
    if (bytes < 1000) {
        return std::to_string(bytes) + " B";
    }
    constexpr std::array<std::string_view, 5> kUnits = {"kB", "MB", "GB", "TB", "PB"};
    double value = static_cast<double>(bytes) / 1e3;
    std::size_t unit = 0;
    while (value >= 999.5 && unit + 1 < kUnits.size()) {
        value /= 1e3;
        ++unit;
    }
    return three_digits(value, kUnits[unit]);
}

std::string format_count(std::uint64_t count)
{
    if (count < 10'000) {
        return std::to_string(count);
    }
    constexpr std::array<std::string_view, 4> kUnits = {"k", "M", "G", "T"};
    double value = static_cast<double>(count) / 1e3;
    std::size_t unit = 0;
    while (value >= 999.5 && unit + 1 < kUnits.size()) {
        value /= 1e3;
        ++unit;
    }
    return three_digits(value, kUnits[unit]);
}

std::string printable(std::string_view text, std::size_t limit)
{
    std::string out;
    for (std::size_t i = 0; i < text.size();) {
        const std::size_t length = sequence_length(text.substr(i));
        if (out.size() + (length == 0 ? 1 : length) > limit) {
            return out + "...";
        }
        const auto lead = static_cast<unsigned char>(text[i]);
        const bool c1_control = lead == 0xC2 && length == 2 && static_cast<unsigned char>(text[i + 1]) < 0xA0;
        if (length == 0 || lead < 0x20 || lead == 0x7F || c1_control) {
            out += '?';
            i += length == 0 ? 1 : length;
        } else {
            out += text.substr(i, length);
            i += length;
        }
    }
    return out;
}

std::size_t valid_utf8_prefix(std::string_view bytes)
{
    std::size_t at = 0;
    while (at < bytes.size()) {
        const std::size_t length = sequence_length(bytes.substr(at));
        if (length == 0) {
            break;
        }
        at += length;
    }
    return at;
}

std::string with_valid_utf8(std::string_view bytes)
{
    std::string out;
    while (!bytes.empty()) {
        const std::size_t good = valid_utf8_prefix(bytes);
        out += bytes.substr(0, good);
        bytes.remove_prefix(good);
        if (!bytes.empty()) {
            out += "\xEF\xBF\xBD";
            bytes.remove_prefix(1);
        }
    }
    return out;
}

} // namespace retort
