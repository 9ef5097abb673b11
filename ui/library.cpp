#include "ui/library.h"

#include "core/store/first_library.h"

#include <QTemporaryDir>

namespace retort {

namespace {

namespace fs = std::filesystem;

constexpr const char* kFileName = "library.retort-db";

Result<std::unique_ptr<QTemporaryDir>> temporary_folder()
{
    auto folder = std::make_unique<QTemporaryDir>();
    if (!folder->isValid()) {
        return failure(Error::Kind::Io, "No temporary folder could be made: " + folder->errorString().toStdString() + ".");
    }
    return folder;
}

/// The window's library for this time only.
void stand_on_temporary(Library& library, const fs::path& recorded)
{
    auto folder = temporary_folder();
    if (!folder) {
        library.trouble = std::move(folder.error());
        return;
    }
    const fs::path file = fs::path((*folder)->path().toStdString()) / kFileName;
    (void)begin_library_with(recorded, file); // without it the library begins empty
    auto store = SessionStore::open(file);
    if (!store) {
        library.trouble = std::move(store.error());
        return;
    }
    library.temporary = std::move(*folder);
    library.store = std::move(*store);
}

} // namespace

Library::Library() = default;
Library::~Library() = default;
Library::Library(Library&&) noexcept = default;

Library& Library::operator=(Library&& other) noexcept
{
    store = std::move(other.store); // the one that stood here closes before its folder goes
    temporary = std::move(other.temporary);
    wanted = std::move(other.wanted);
    trouble = std::move(other.trouble);
    return *this;
}

Library open_library(const fs::path& wanted, const fs::path& recorded)
{
    Library library;
    library.wanted = wanted;
    std::error_code ignored;
    fs::create_directories(wanted.parent_path(), ignored); // open() says it better when this fails
    if (auto begun = begin_library_with(recorded, wanted); !begun) {
        library.trouble = Error{
            begun.error().kind, "The recorded demo session could not be shown, so Retort begins with an empty library: " + begun.error().message, {}};
    }
    auto store = SessionStore::open(wanted);
    if (store) {
        library.store = std::move(*store);
        return library;
    }
    stand_on_temporary(library, recorded);
    if (library.store) {
        library.trouble = std::move(store.error());
    }
    return library;
}

Result<Library> open_copy(const fs::path& wanted)
{
    auto folder = temporary_folder();
    if (!folder) {
        return failure(std::move(folder.error()));
    }
    const fs::path file = fs::path((*folder)->path().toStdString()) / kFileName;
    for (const char* ending : {"", "-wal"}) { // what was committed since the last checkpoint lies beside the file
        fs::path from = wanted;
        fs::path to = file;
        from += ending;
        to += ending;
        std::error_code failed;
        if (*ending != '\0' && !fs::exists(from, failed)) {
            continue;
        }
        if (!fs::copy_file(from, to, failed)) {
            return failure(Error::Kind::Io, from.string() + " could not be read: " + failed.message() + ".");
        }
        fs::permissions(to, fs::perms::owner_read | fs::perms::owner_write, failed);
    }
    auto store = SessionStore::open(file);
    if (!store) {
        Error error = std::move(store.error());
        if (const std::size_t at = error.message.find(file.string()); at != std::string::npos) {
            error.message.replace(at, file.string().size(), wanted.string()); // the copy is nobody's business
        }
        return failure(std::move(error));
    }
    Library library;
    library.wanted = wanted;
    library.temporary = std::move(*folder);
    library.store = std::move(*store);
    return library;
}

} // namespace retort
