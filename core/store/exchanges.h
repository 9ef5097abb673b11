#pragma once
#include "core/base/error.h"
#include "core/store/session.h"
#include "core/store/write_queue.h"

#include <optional>
#include <string>
#include <vector>

namespace retort {

/// What was asked and answered, compared and looked at. See SessionStore for threads and errors.
class ExchangeTable {
public:
    explicit ExchangeTable(WriteQueue& queue) : m_queue(queue) {}

    [[nodiscard]] Result<StoredPrompt> read(RowId prompt);
    /// Both distributions at a place of StoredPrompt::snapshots; empty when they are gone or damaged.
    [[nodiscard]] Result<std::optional<StoredSnapshot>> snapshot(RowId prompt, const SnapshotPlace& place);

    [[nodiscard]] Result<RowId> add_prompt(RowId session, const std::vector<ChatMessage>& messages, const Prompt& prompt);
    [[nodiscard]] Result<RowId> add_response(RowId prompt, const Author& author, const std::string& role, const Answer& answer,
                                             const GenerateSettings& settings);
    [[nodiscard]] Result<RowId> add_comparison(RowId prompt, const std::string& text_of, RowId text_response, const Comparison& comparison,
                                               const Compared& of = {});
    /// Keeps the distributions of a position that was looked at; the latest 16 of a prompt stay.
    void add_snapshot_later(RowId prompt, StoredSnapshot snapshot);

private:
    WriteQueue& m_queue;
};

/// The session's exchanges as its list shows them. On the store's thread.
[[nodiscard]] std::vector<ExchangeHead> read_exchange_heads(Database& database, RowId session);

} // namespace retort
