#include "core/store/session_store.h"

#include "core/store/rows.h"
#include "core/store/schema.h"
#include "core/store/write_queue.h"

#include <cstdlib>
#include <set>

namespace retort {

namespace {

namespace fs = std::filesystem;

/// Checkpoint folders of `session`'s runs that no other session's run names.
std::set<fs::path> checkpoint_folders_of(Database& database, RowId session)
{
    std::set<fs::path> folders;
    Statement row =
        database.prepare("SELECT DISTINCT c.path FROM checkpoint c JOIN run r ON r.id = c.run_id WHERE r.session_id = ?"
                         " AND c.path NOT IN (SELECT c2.path FROM checkpoint c2 JOIN run r2 ON r2.id = c2.run_id WHERE r2.session_id <> ?)");
    row.with(session, session);
    while (row.step()) {
        folders.insert(row.text(0));
    }
    return folders;
}

class SqliteSessionStore final : public SessionStore {
public:
    explicit SqliteSessionStore(std::unique_ptr<Database> database, fs::path file) : m_queue(std::move(database), std::move(file)) {}

    void set_on_failure(std::function<void(const Error&)> on_failure) override { m_queue.set_on_failure(std::move(on_failure)); }

    Result<RowId> create_session(const std::string& title) override
    {
        return m_queue.call([&](Database& db) { return insert_session(db, title); });
    }
    Result<std::vector<SessionSummary>> sessions(bool in_bin) override
    {
        return m_queue.call([&](Database& db) { return read_sessions(db, in_bin); });
    }
    Result<SessionContent> session(RowId id) override
    {
        return m_queue.call([&](Database& db) { return read_session(db, id); });
    }
    Result<void> rename_session(RowId id, const std::string& title) override
    {
        return m_queue.call(
            [&](Database& db) { db.prepare("UPDATE session SET title = ?, updated_at = ? WHERE id = ?").with(title, now_ms(), id).run(); });
    }
    Result<void> move_to_bin(RowId id, bool in_bin) override
    {
        return m_queue.call([&](Database& db) {
            db.prepare("UPDATE session SET binned_at = ? WHERE id = ?").with(in_bin ? std::optional(now_ms()) : std::nullopt, id).run();
        });
    }
    Result<void> purge_session(RowId id) override
    {
        auto folders = m_queue.call([&](Database& db) {
            auto paths = checkpoint_folders_of(db, id);
            Statement row = db.prepare("DELETE FROM session WHERE id = ? AND binned_at IS NOT NULL RETURNING id");
            if (!row.with(id).step()) {
                throw SqlFailure{1, "session " + std::to_string(id) + " is not in the bin"};
            }
            return paths;
        });
        if (!folders) {
            return failure(folders.error());
        }
        remove_checkpoints(*folders);
        return {};
    }
    void save_view_state_later(RowId session, std::string json) override
    {
        m_queue.defer([session, json = std::move(json)](Database& db) {
            db.prepare("UPDATE session SET view_state = ? WHERE id = ?").with(json, session).run();
        });
    }

    Result<RowId> add_model(RowId session, const std::string& role, const ModelInfo& info, const std::string& tokenizer_fingerprint) override
    {
        return m_queue.call([&](Database& db) { return insert_model(db, session, role, info, tokenizer_fingerprint); });
    }
    Result<RowId> add_prompt(RowId session, const std::vector<ChatMessage>& messages, const Prompt& prompt) override
    {
        return m_queue.call([&](Database& db) { return insert_prompt(db, session, messages, prompt); });
    }
    Result<RowId> add_response(RowId prompt, RowId model, const std::string& role, const Answer& answer, const GenerateSettings& settings) override
    {
        return m_queue.call([&](Database& db) { return insert_response(db, prompt, model, role, answer, settings); });
    }
    Result<RowId> add_comparison(RowId prompt, const std::string& text_of, RowId text_response, const Comparison& comparison) override
    {
        return m_queue.call([&](Database& db) { return insert_comparison(db, prompt, text_of, text_response, comparison); });
    }
    void add_snapshot_later(RowId prompt, const std::string& text_of, DistributionSnapshot snapshot) override
    {
        m_queue.defer([prompt, text_of, snapshot = std::move(snapshot)](Database& db) { insert_snapshot(db, prompt, text_of, snapshot); });
    }

    Result<RowId> add_run(RowId session, const DistilPlan& plan, RowId teacher_model, RowId student_model) override
    {
        return m_queue.call([&](Database& db) { return insert_run(db, session, plan, teacher_model, student_model); });
    }
    Result<std::optional<EarlierRun>> run_of_checkpoint(const fs::path& checkpoint) override
    {
        return m_queue.call([&](Database& db) { return find_run_of_checkpoint(db, checkpoint); });
    }
    void add_metrics_later(RowId run, std::vector<MetricPoint> points) override
    {
        m_queue.defer([run, points = std::move(points)](Database& db) { insert_metrics(db, run, points); });
    }
    void add_evaluations_later(RowId run, std::vector<EvaluationPoint> points) override
    {
        m_queue.defer([run, points = std::move(points)](Database& db) { insert_evaluations(db, run, points); });
    }
    void add_probes_later(RowId run, std::vector<ProbeSample> samples) override
    {
        m_queue.defer([run, samples = std::move(samples)](Database& db) { insert_probes(db, run, samples); });
    }
    Result<void> add_checkpoint(RowId run, const CheckpointNote& checkpoint) override
    {
        return m_queue.call([&](Database& db) { insert_checkpoint(db, run, checkpoint); });
    }
    void set_run_state_later(RowId run, RunState state, std::int64_t last_step, double active_ms, const std::string& error_text) override
    {
        m_queue.defer([=](Database& db) { update_run_state(db, run, state, last_step, active_ms, error_text); });
    }

    Result<void> flush() override { return m_queue.flush(); }

    Result<std::string> check() override
    {
        return m_queue.call([](Database& db) {
            std::string found;
            Statement integrity = db.prepare("PRAGMA integrity_check(5)");
            while (integrity.step()) {
                found += found.empty() ? integrity.text(0) : "; " + integrity.text(0);
            }
            if (db.prepare("PRAGMA foreign_key_check").step()) {
                found += "; some rows refer to others that are gone";
            }
            return found == "ok" ? std::string("The library is sound.") : "The library is damaged: " + found + ".";
        });
    }

    const fs::path& file() const override { return m_queue.file(); }

private:
    /// Only below the library's own folder of checkpoints: the paths come from a file that a stranger may have written.
    void remove_checkpoints(const std::set<fs::path>& folders) const
    {
        std::error_code ignored;
        const fs::path home = fs::weakly_canonical(file().parent_path() / "checkpoints", ignored);
        for (const fs::path& folder : folders) {
            const fs::path real = fs::weakly_canonical(folder, ignored);
            const fs::path relative = real.lexically_relative(home);
            if (!relative.empty() && *relative.begin() != ".." && relative != ".") {
                fs::remove_all(real, ignored);
            }
        }
    }

    WriteQueue m_queue;
};

} // namespace

Result<std::unique_ptr<SessionStore>> SessionStore::open(const std::filesystem::path& file, Mode mode)
{
    try {
        std::error_code ignored;
        if (!fs::exists(file, ignored)) {
            if (mode == Mode::ReadOnly) {
                return failure(Error::Kind::Io, file.string() + " was not found. Nothing has been saved there yet.");
            }
            if (file.has_parent_path()) {
                fs::create_directories(file.parent_path());
            }
            create_library(file);
        }
        if (auto known = check_is_library(file); !known) {
            return failure(std::move(known.error()));
        }
        auto database = std::make_unique<Database>(file, mode == Mode::ReadOnly ? Database::Mode::ReadOnly : Database::Mode::ReadWrite);
        if (auto current = bring_up_to_date(*database, file, mode == Mode::ReadWrite); !current) {
            return failure(std::move(current.error()));
        }
        if (mode == Mode::ReadWrite) {
            Transaction transaction(*database);
            mark_interrupted_runs(*database);
            transaction.commit();
        }
        return std::make_unique<SqliteSessionStore>(std::move(database), file);
    } catch (const SqlFailure& sql) {
        return failure(to_error(sql, file));
    } catch (const fs::filesystem_error& e) {
        return failure(Error::Kind::Io, file.string() + " could not be opened: " + e.code().message() + ".");
    }
}

std::filesystem::path default_library_path()
{
    const auto variable = [](const char* name) -> fs::path {
        const char* value = std::getenv(name);
        return value == nullptr ? "" : value;
    };
    if (const fs::path named = variable("RETORT_LIBRARY"); !named.empty()) {
        return named;
    }
    fs::path data = variable("XDG_DATA_HOME");
    if (data.empty()) {
        data = variable("HOME") / ".local" / "share";
    }
    return data / "retort" / "library.retort-db";
}

} // namespace retort
