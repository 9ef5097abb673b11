#include "core/store/write_queue.h"

#include "core/base/log.h"

#include <new>
#include <sqlite3.h>
#include <vector>

namespace retort {

namespace {
constexpr std::chrono::milliseconds kGather{250};
constexpr std::chrono::milliseconds kRetry{1000};

/// Whether the same may work later: the disk is full, fails or is somebody else's for the moment.
bool may_pass(const SqlFailure& sql)
{
    switch (sql.code & 0xFF) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_NOMEM:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_CORRUPT:
        return true;
    default:
        return false;
    }
}
} // namespace

WriteQueue::WriteQueue(std::unique_ptr<Database> database, std::filesystem::path file)
    : m_database(std::move(database)), m_file(std::move(file)), m_thread([this](const std::stop_token& stop) { work(stop); })
{
}

WriteQueue::~WriteQueue()
{
    m_thread.request_stop();
    m_thread.join();
}

void WriteQueue::set_on_failure(std::function<void(const Error&)> on_failure)
{
    const std::lock_guard lock(m_mutex);
    m_on_failure = std::move(on_failure);
}

void WriteQueue::defer(Job job)
{
    enqueue({std::move(job), true});
}

void WriteQueue::enqueue(Entry entry)
{
    {
        const std::lock_guard lock(m_mutex);
        m_entries.push_back(std::move(entry));
    }
    m_changed.notify_one();
}

Result<void> WriteQueue::flush()
{
    std::promise<Result<void>> promise;
    auto future = promise.get_future();
    enqueue({[this, &promise](Database&) {
                 const std::optional<Error> wrong = m_failing ? std::optional(m_last_failure) : std::exchange(m_left_out, std::nullopt);
                 promise.set_value(wrong ? failure(*wrong) : Result<void>());
             },
             false});
    return future.get();
}

void WriteQueue::work(const std::stop_token& stop)
{
    while (true) {
        Entry entry;
        bool have_entry = false;
        {
            std::unique_lock lock(m_mutex);
            const auto something = [this] { return !m_entries.empty(); };
            if (m_deferred.empty()) {
                m_changed.wait(lock, stop, something);
            } else {
                m_changed.wait_for(lock, stop, m_failing ? kRetry : kGather, something);
            }
            if (!m_entries.empty()) {
                entry = std::move(m_entries.front());
                m_entries.pop_front();
                have_entry = true;
            }
        }
        if (have_entry && entry.deferred) {
            m_deferred.push_back(std::move(entry.job));
            // Gather what else comes within a moment, but no longer than that after the first.
            const auto until = std::chrono::steady_clock::now() + kGather;
            std::unique_lock lock(m_mutex);
            while (m_changed.wait_until(lock, stop, until, [this] { return !m_entries.empty(); }) && m_entries.front().deferred) {
                m_deferred.push_back(std::move(m_entries.front().job));
                m_entries.pop_front();
            }
            lock.unlock();
            write_deferred();
        } else if (have_entry) {
            write_deferred();
            entry.job(*m_database);
        } else if (!m_deferred.empty()) {
            write_deferred();
        }
        if (stop.stop_requested()) {
            const std::lock_guard lock(m_mutex);
            if (m_entries.empty()) {
                return;
            }
        }
    }
}

bool WriteQueue::write_deferred()
{
    if (m_deferred.empty()) {
        return true;
    }
    try {
        std::vector<Error> left_out;
        Transaction transaction(*m_database);
        for (const Job& job : m_deferred) {
            if (auto wrong = write_one(job)) {
                left_out.push_back(std::move(*wrong));
            }
        }
        transaction.commit();
        m_deferred.clear();
        m_failing = false;
        for (const Error& wrong : left_out) {
            m_left_out = m_left_out ? m_left_out : wrong;
            tell(wrong);
        }
        return true;
    } catch (const SqlFailure& sql) {
        m_last_failure = to_error(sql, m_file);
    } catch (...) {
        m_last_failure = error_from_current_exception("Saving the session");
    }
    if (!std::exchange(m_failing, true)) {
        tell(m_last_failure);
    }
    return false;
}

/// Within the transaction of all: what is wrong with this one alone, which is then undone. What is wrong with the disk is thrown on.
std::optional<Error> WriteQueue::write_one(const Job& job)
{
    m_database->execute("SAVEPOINT one");
    std::optional<Error> wrong;
    try {
        job(*m_database);
    } catch (const SqlFailure& sql) {
        if (may_pass(sql)) {
            throw;
        }
        wrong = to_error(sql, m_file);
    } catch (const std::bad_alloc&) {
        throw;
    } catch (...) {
        wrong = error_from_current_exception("Saving the session");
    }
    m_database->execute(wrong ? "ROLLBACK TO one; RELEASE one" : "RELEASE one");
    return wrong;
}

void WriteQueue::tell(const Error& failure)
{
    log_error(failure);
    std::function<void(const Error&)> on_failure;
    {
        const std::lock_guard lock(m_mutex);
        on_failure = m_on_failure;
    }
    if (on_failure) {
        on_failure(failure);
    }
}

} // namespace retort
