#pragma once
#include "core/base/error.h"
#include "core/store/session.h"
#include "core/store/write_queue.h"

#include <cstdint>
#include <string>
#include <vector>

namespace retort {

/// Sessions: their list, their words, and what one holds. See SessionStore for threads and errors.
class SessionTable {
public:
    explicit SessionTable(WriteQueue& queue) : m_queue(queue) {}

    [[nodiscard]] Result<RowId> create(const std::string& title);
    [[nodiscard]] Result<std::vector<SessionSummary>> list(bool in_bin = false); ///< latest change first
    [[nodiscard]] Result<SessionContent> read(RowId id);
    /// Titles, prompts and answers in which all of `words` stand, each as the beginning of a word; the best first. Not those in the bin.
    [[nodiscard]] Result<std::vector<SearchHit>> search(const std::string& words, std::int64_t most = 100);

    [[nodiscard]] Result<void> rename(RowId id, const std::string& title);
    [[nodiscard]] Result<void> move_to_bin(RowId id, bool in_bin);
    /// For good: the rows, and the checkpoint folders that only they knew. Only for a session in the bin.
    [[nodiscard]] Result<void> purge(RowId id);
    void note_opened_later(RowId id); ///< it is the one looked at now
    void save_view_state_later(RowId id, std::string json);

private:
    WriteQueue& m_queue;
};

/// On the store's thread; throws SqlFailure when there is none.
[[nodiscard]] SessionSummary read_summary(Database& database, RowId id);

} // namespace retort
