#include "core/desk/session_keeper.h"

#include <future>

namespace retort {

SessionKeeper::SessionKeeper(SessionStore& store, std::function<void(const Result<void>&)> done) : m_store(store), m_done(std::move(done)) {}

SessionKeeper::~SessionKeeper()
{
    std::promise<void> written;
    m_thread.post([&written](std::stop_token /*stop*/) { written.set_value(); });
    written.get_future().wait();
}

void SessionKeeper::write(Entry entry)
{
    m_thread.post([this, entry = std::move(entry)](std::stop_token /*stop*/) {
        m_done(guard("Saving the session", [&] { return entry(m_store, m_ledger); }));
    });
}

} // namespace retort
