#pragma once
#include "core/base/error.h"

#include <cstdint>
#include <filesystem>

namespace retort {

/// Writes FOLDER/session.retort-db, the session that Retort opens with at first: what the demo's teacher and distilled student in FOLDER answer to a
/// few prompts, both compared on both texts, the whole distributions where they differ most, and the run that recipe.json and log.jsonl there tell
/// of. What stood there before is replaced. Gives the file's size in bytes. The calling thread's work, some seconds.
[[nodiscard]] Result<std::uint64_t> write_demo_session(const std::filesystem::path& folder);

} // namespace retort
