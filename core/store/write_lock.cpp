#include "core/store/write_lock.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace retort {

WriteLock::WriteLock(const std::filesystem::path& library) : m_file(library)
{
    m_file += ".lock";
    while (!take()) {
    }
}

/// False when the file was removed by the one who held it, between our opening and our locking.
bool WriteLock::take()
{
    m_fd = ::open(m_file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (m_fd < 0) {
        throw SqlFailure{errno == EACCES || errno == EROFS || errno == EPERM ? SQLITE_READONLY : SQLITE_CANTOPEN,
                         m_file.string() + ": " + std::strerror(errno)};
    }
    if (::flock(m_fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) { // a file system without locks is no reason to refuse
        ::close(m_fd);
        throw SqlFailure{SQLITE_BUSY, m_file.string() + " is locked"};
    }
    struct stat opened {};
    struct stat present {};
    if (::fstat(m_fd, &opened) == 0 && ::stat(m_file.c_str(), &present) == 0 && opened.st_ino == present.st_ino && opened.st_dev == present.st_dev) {
        return true;
    }
    ::close(m_fd);
    return false;
}

WriteLock::~WriteLock()
{
    ::unlink(m_file.c_str()); // before the lock is given up, so that only our own file goes
    ::close(m_fd);
}

} // namespace retort
