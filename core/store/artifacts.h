#pragma once
#include "core/base/error.h"
#include "core/store/session.h"
#include "core/store/write_queue.h"

#include <string>
#include <vector>

namespace retort {

/// What else belongs to a session, by its kind: measures, copies, harvests, verdicts. See SessionStore for threads and errors.
class ArtifactTable {
public:
    explicit ArtifactTable(WriteQueue& queue) : m_queue(queue) {}

    /// Its id and time are given here.
    [[nodiscard]] Result<RowId> add(const Artifact& artifact);
    /// Oldest first; of every kind when `kind` is empty.
    [[nodiscard]] Result<std::vector<Artifact>> list(RowId session, const std::string& kind = {});

private:
    WriteQueue& m_queue;
};

} // namespace retort
