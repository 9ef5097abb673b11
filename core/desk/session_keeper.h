#pragma once
#include "core/base/worker.h"
#include "core/desk/role.h"
#include "core/store/session_store.h"

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <utility>

namespace retort {

/// Writes down what happens in the current session, in order, on a thread of its own, so that neither the window nor the engine waits for the disk.
/// write() may be called from any thread. Destroyed, it first writes what still waits.
class SessionKeeper {
public:
    /// Which rows the present session's things have. Only entries see it, on the keeper's thread.
    struct Ledger {
        RowId session = 0;
        std::array<RowId, 2> models{};
        std::map<std::uint64_t, RowId> prompts{}; ///< by Exchange::number
        std::map<std::pair<std::uint64_t, Role>, RowId> responses{};
        RowId run = 0;

        /// The row of who stands in `role`; of the other while nobody has, as with a fresh student in training.
        [[nodiscard]] RowId model(Role role) const { return models[index_of(role)] != 0 ? models[index_of(role)] : models[index_of(other(role))]; }
    };
    using Entry = std::function<Result<void>(SessionStore&, Ledger&)>;

    /// `done` hears of each entry when it is written, on the keeper's thread.
    SessionKeeper(SessionStore& store, std::function<void(const Result<void>&)> done);
    ~SessionKeeper();

    SessionKeeper(const SessionKeeper&) = delete;
    SessionKeeper& operator=(const SessionKeeper&) = delete;

    void write(Entry entry);

    /// Where models and checkpoints of this library lie: beside the database.
    [[nodiscard]] std::filesystem::path folder() const { return m_store.file().parent_path(); }

private:
    SessionStore& m_store;
    std::function<void(const Result<void>&)> m_done;
    Ledger m_ledger;
    Worker m_thread; // last: it ends before what its tasks use
};

} // namespace retort
