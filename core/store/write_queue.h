#pragma once
#include "core/base/error.h"
#include "core/store/database.h"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <filesystem>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <utility>

namespace retort {

/// The store's thread: the one place that touches the connection. Deferred writes gather for up to 250 ms and go in as one transaction; a call that
/// waits commits what was deferred before it first, so that everything lands in the order it was asked for.
///
/// What fails because of the disk stays and is tried again every second; the failure is told once. What would fail for good (a row that contradicts
/// another) is told and left out, so that it holds up nothing behind it.
class WriteQueue {
public:
    using Job = std::function<void(Database&)>; ///< may throw SqlFailure

    WriteQueue(std::unique_ptr<Database> database, std::filesystem::path file);
    ~WriteQueue(); ///< writes what waits, then ends the thread

    WriteQueue(const WriteQueue&) = delete;
    WriteQueue& operator=(const WriteQueue&) = delete;

    void set_on_failure(std::function<void(const Error&)> on_failure);

    void defer(Job job);

    /// Runs `work` (Database& to any value) in a transaction of its own and gives what it gave.
    template <class Work>
    auto call(Work work) -> Result<decltype(work(std::declval<Database&>()))>
    {
        using Value = decltype(work(std::declval<Database&>()));
        std::promise<Result<Value>> promise;
        auto future = promise.get_future();
        enqueue({[this, &promise, &work](Database& database) {
                     try {
                         Transaction transaction(database);
                         if constexpr (std::is_void_v<Value>) {
                             work(database);
                             transaction.commit();
                             promise.set_value({});
                         } else {
                             Value value = work(database);
                             transaction.commit();
                             promise.set_value(std::move(value));
                         }
                     } catch (const SqlFailure& sql) {
                         promise.set_value(tl::unexpected<Error>(to_error(sql, m_file)));
                     } catch (...) {
                         promise.set_value(tl::unexpected<Error>(error_from_current_exception("Saving the session")));
                     }
                 },
                 false});
        return future.get();
    }

    /// Waits until everything deferred so far is on the disk; the failure when it is not, or when something was left out since the last flush.
    [[nodiscard]] Result<void> flush();

    [[nodiscard]] const std::filesystem::path& file() const { return m_file; }

private:
    struct Entry {
        Job job;
        bool deferred = false;
    };

    void enqueue(Entry entry);
    void work(const std::stop_token& stop);
    // On the store's thread:
    bool write_deferred(); ///< false when it could not
    std::optional<Error> write_one(const Job& job);
    void tell(const Error& failure);

    std::unique_ptr<Database> m_database;
    std::filesystem::path m_file;

    std::mutex m_mutex;
    std::condition_variable_any m_changed;
    std::deque<Entry> m_entries;
    std::function<void(const Error&)> m_on_failure;

    std::deque<Job> m_deferred; // the store's thread only
    bool m_failing = false;
    Error m_last_failure;
    std::optional<Error> m_left_out; // the first since the last flush

    std::jthread m_thread; // last, so that it starts with everything above in place
};

} // namespace retort
