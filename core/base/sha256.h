#pragma once
#include "core/base/error.h"
#include "core/base/progress.h"

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace retort {

/// SHA-256 (FIPS 180-4) by OpenSSL, fed piece by piece. One thread at a time.
class Sha256 {
public:
    Sha256();
    ~Sha256();
    Sha256(const Sha256&) = delete;
    Sha256& operator=(const Sha256&) = delete;

    void add(std::span<const std::byte> bytes);
    void add(std::string_view text) { add(std::as_bytes(std::span(text))); }

    /// 64 lower-case hex digits of everything added. The object is spent afterwards.
    [[nodiscard]] std::string hex();

private:
    struct Context;
    std::unique_ptr<Context> m_context;
};

[[nodiscard]] std::string sha256_hex(std::string_view text);

/// Reads the file once, a few MiB at a time.
[[nodiscard]] Result<std::string> sha256_of_file(const std::filesystem::path& path, const Progress& progress = {});

} // namespace retort
