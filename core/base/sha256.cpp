#include "core/base/sha256.h"

#include "core/base/files.h"

#include <algorithm>
#include <array>
#include <new>
#include <openssl/evp.h>
#include <vector>

namespace retort {

struct Sha256::Context {
    EVP_MD_CTX* evp = EVP_MD_CTX_new();
    ~Context() { EVP_MD_CTX_free(evp); }
};

Sha256::Sha256() : m_context(std::make_unique<Context>())
{
    if (m_context->evp == nullptr || EVP_DigestInit_ex(m_context->evp, EVP_sha256(), nullptr) != 1) {
        throw std::bad_alloc();
    }
}

Sha256::~Sha256() = default;

void Sha256::add(std::span<const std::byte> bytes)
{
    EVP_DigestUpdate(m_context->evp, bytes.data(), bytes.size());
}

std::string Sha256::hex()
{
    std::array<unsigned char, 32> digest{};
    EVP_DigestFinal_ex(m_context->evp, digest.data(), nullptr);
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string text;
    text.reserve(64);
    for (const unsigned char byte : digest) {
        text += kDigits[byte >> 4];
        text += kDigits[byte & 15];
    }
    return text;
}

std::string sha256_hex(std::string_view text)
{
    Sha256 hash;
    hash.add(text);
    return hash.hex();
}

Result<std::string> sha256_of_file(const std::filesystem::path& path, const Progress& progress)
{
    auto file = InputFile::open(path);
    if (!file) {
        return failure(std::move(file.error()));
    }
    Sha256 hash;
    std::vector<std::byte> buffer(std::size_t{4} << 20);
    for (std::uint64_t at = 0; at < file->size();) {
        if (progress.cancelled()) {
            return cancelled();
        }
        const auto piece = std::span(buffer).first(static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), file->size() - at)));
        if (auto read = file->read_at(at, piece); !read) {
            return failure(std::move(read.error()));
        }
        hash.add(piece);
        at += piece.size();
        progress.at("Checking the file", static_cast<double>(at) / static_cast<double>(file->size()));
    }
    return hash.hex();
}

} // namespace retort
