#pragma once
#include "core/base/error.h"
#include "core/inference/comparison.h"

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace retort {

// Blobs of the library. Little-endian; a version byte first, so that an older file stays readable. Each is stored beside its sha256, because a
// flipped bit inside a row is nothing that SQLite's own check would see.

[[nodiscard]] std::vector<std::byte> pack(const Comparison& comparison);
[[nodiscard]] Result<Comparison> unpack_comparison(std::string_view bytes);

[[nodiscard]] std::vector<std::byte> pack(const DistributionSnapshot& snapshot);
[[nodiscard]] Result<DistributionSnapshot> unpack_snapshot(std::string_view bytes);

[[nodiscard]] std::vector<std::byte> pack(std::span<const TokenId> ids);
[[nodiscard]] Result<std::vector<TokenId>> unpack_ids(std::string_view bytes);

[[nodiscard]] std::vector<std::byte> pack(const std::vector<std::string>& pieces);
[[nodiscard]] Result<std::vector<std::string>> unpack_pieces(std::string_view bytes);

} // namespace retort
