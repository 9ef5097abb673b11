#include "core/base/uuid.h"

#include <array>
#include <cstdint>
#include <cstdio>
#include <random>

namespace retort {

std::string new_uuid()
{
    std::random_device random;
    std::array<std::uint32_t, 4> words{};
    for (auto& word : words) {
        word = random();
    }
    words[1] = (words[1] & 0xFFFF0FFFu) | 0x00004000u; // all bits are random but those of version and variant
    words[2] = (words[2] & 0x3FFFFFFFu) | 0x80000000u;
    std::array<char, 40> text{};
    std::snprintf(text.data(), text.size(), "%08x-%04x-%04x-%04x-%04x%08x", words[0], words[1] >> 16, words[1] & 0xFFFF, words[2] >> 16,
                  words[2] & 0xFFFF, words[3]);
    return text.data();
}

} // namespace retort
