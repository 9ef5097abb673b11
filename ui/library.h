#pragma once
#include "core/store/session_store.h"

#include <filesystem>
#include <memory>
#include <optional>

class QTemporaryDir;

namespace retort {

/// The library a window stands on. When the one that was wanted cannot be written, the window stands on one in a temporary folder, so that it opens
/// all the same; nothing in that one outlives the program, and the window says so.
struct Library {
    std::filesystem::path wanted;
    std::unique_ptr<QTemporaryDir> temporary; ///< set when nothing is kept; before the store, which closes first
    std::unique_ptr<SessionStore> store;      ///< null only when not even a temporary folder could be made: `trouble` says why
    std::optional<Error> trouble;             ///< why what happens is not written to `wanted`, or what else went wrong with it

    Library();
    ~Library();
    Library(Library&&) noexcept;
    Library& operator=(Library&&) noexcept;

    [[nodiscard]] bool kept() const { return temporary == nullptr; }
};

/// The library at `wanted`, begun with `recorded` where there is none.
[[nodiscard]] Library open_library(const std::filesystem::path& wanted, const std::filesystem::path& recorded);

/// A copy of it for looking at, when it may be read but not written, or another program is writing to it.
[[nodiscard]] Result<Library> open_copy(const std::filesystem::path& wanted);

} // namespace retort
