#pragma once
#include "core/store/session_store.h"

#include <QTemporaryDir>
#include <filesystem>
#include <memory>
#include <string>

namespace retort::test {

/// A library in a folder of its own, which goes with it.
class LibraryFixture {
public:
    LibraryFixture() { reopen(); }

    void reopen()
    {
        m_store.reset(); // first: one program writes a library, once
        m_store = SessionStore::open(folder() / "library.retort-db").value();
    }
    [[nodiscard]] SessionStore& store() const { return *m_store; }
    [[nodiscard]] std::filesystem::path folder() const { return m_folder.path().toStdString(); }

    [[nodiscard]] RowId session() const { return m_store->sessions().create("Untitled").value(); }
    [[nodiscard]] RowId model(RowId session, const std::string& sha256 = "a91f") const
    {
        ModelInfo info;
        info.name = "alembic";
        info.sha256 = sha256;
        info.format = "safetensors";
        return m_store->models().add(session, "teacher", info, "f00d").value();
    }

private:
    QTemporaryDir m_folder;
    std::unique_ptr<SessionStore> m_store;
};

} // namespace retort::test
