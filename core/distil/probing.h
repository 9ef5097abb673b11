#pragma once
#include "core/base/error.h"
#include "core/model/model.h"

#include <stop_token>
#include <string>
#include <string_view>

namespace retort {

/// What `model` says to `prompt`, greedily, at most 48 tokens. The engine thread.
[[nodiscard]] Result<std::string> greedy_answer(const Model& model, std::string_view prompt, std::stop_token stop);

} // namespace retort
