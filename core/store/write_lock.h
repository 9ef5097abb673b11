#pragma once
#include "core/store/database.h"

#include <filesystem>

namespace retort {

/// Says that this program writes the library: held from opening to closing by a file FILE.lock beside it, so that a second one that wants to write is
/// told at once. It ends with the program, however that ends; what a kill leaves of it is an empty file that the next writer takes over.
///
/// Not a lock on the library itself: closing any handle of a file gives up the locks that SQLite holds on it in the same program (fcntl(2)).
class WriteLock {
public:
    explicit WriteLock(const std::filesystem::path& library); ///< throws SqlFailure when another program has it
    ~WriteLock();
    WriteLock(const WriteLock&) = delete;
    WriteLock& operator=(const WriteLock&) = delete;

private:
    bool take();

    std::filesystem::path m_file;
    int m_fd = -1;
};

} // namespace retort
