#pragma once
#include "core/base/error.h"

#include <map>
#include <string>
#include <string_view>

namespace retort {

/// model.safetensors.index.json: which file holds each tensor. File names are plain names in the same folder: letters, digits, '.', '_' and '-'; so
/// an index cannot reach outside.
[[nodiscard]] Result<std::map<std::string, std::string>> parse_shard_index(std::string_view text, const std::string& origin);

} // namespace retort
