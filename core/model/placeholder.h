#pragma once
#include "core/base/error.h"
#include "core/base/files.h"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace retort {

// Files that stand where a model's file should be and are none: what a clone without Git LFS, a download under way, or an adapter leaves behind.
// Each is named for what it is, because "damaged" sends people looking in the wrong place.

/// A failure when `begin`, the first bytes of the file called `origin`, are those of a Git LFS pointer or of a web page saved under its name.
[[nodiscard]] Result<void> refuse_placeholder(std::string_view begin, const std::string& origin);
[[nodiscard]] Result<void> refuse_placeholder(const InputFile& file);

/// read_text_file() and refuse_placeholder().
[[nodiscard]] Result<std::string> read_model_text(const std::filesystem::path& path, std::uint64_t limit);

/// The unfinished download of `name` in `folder`, as browsers, huggingface_hub, curl and wget leave one beside the place; empty when there is none.
[[nodiscard]] std::filesystem::path unfinished_download(const std::filesystem::path& folder, const std::string& name);
/// Whether `path` itself is named like one.
[[nodiscard]] bool is_unfinished_download(const std::filesystem::path& path);

/// What to say of `name`, which `folder` lacks and needs: that it is still being downloaded, that the folder holds an adapter alone, or `otherwise`.
[[nodiscard]] Error missing_file(const std::filesystem::path& folder, const std::string& name, std::string otherwise);

} // namespace retort
