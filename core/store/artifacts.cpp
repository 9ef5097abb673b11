#include "core/store/artifacts.h"

#include "core/store/row_tools.h"

namespace retort {

Result<RowId> ArtifactTable::add(const Artifact& artifact)
{
    return m_queue.call([&](Database& db) {
        db.prepare("INSERT INTO artifact(session_id, run_id, model_id, kind, path, sha256, json, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)")
            .with(artifact.session, known(artifact.run), known(artifact.model), artifact.kind, artifact.path, artifact.sha256, artifact.json,
                  now_ms())
            .run();
        const RowId id = db.last_row();
        touch_session(db, artifact.session);
        return id;
    });
}

Result<std::vector<Artifact>> ArtifactTable::list(RowId session, const std::string& kind)
{
    return m_queue.call([&](Database& db) {
        std::vector<Artifact> artifacts;
        Statement row = db.prepare("SELECT id, session_id, run_id, model_id, kind, path, sha256, json, created_at FROM artifact"
                                   " WHERE session_id = ?1 AND (?2 = '' OR kind = ?2) ORDER BY id");
        row.with(session, kind);
        while (row.step()) {
            artifacts.push_back(
                {row.integer(0), row.integer(1), row.integer(2), row.integer(3), row.text(4), row.text(5), row.text(6), row.text(7), row.integer(8)});
        }
        return artifacts;
    });
}

} // namespace retort
