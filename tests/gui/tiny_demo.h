#pragma once
#include "core/base/error.h"
#include "core/store/session_store.h"

#include <filesystem>

namespace retort {

/// Writes an untrained teacher and student, with a tokenizer that cuts the built-in world, to FOLDER/demo/alembic and FOLDER/demo/receiver: the demo
/// in shape, but made in a moment. With RETORT_RESOURCES set to FOLDER, "demo:teacher" means it.
[[nodiscard]] Result<void> write_tiny_demo(const std::filesystem::path& folder);

/// Writes it and has this program use it, keep its settings in `folder` too, and paint itself light.
[[nodiscard]] Result<void> use_tiny_demo(const std::filesystem::path& folder);

/// Fills `store` with sessions such as a person would have after an hour, for pictures: an exchange compared both ways and a finished run. The
/// numbers are made up. `stretch` puts this many characters more into every name, as German does.
[[nodiscard]] Result<RowId> add_sample_sessions(SessionStore& store, const std::filesystem::path& demo_folder, int stretch = 0);

} // namespace retort
