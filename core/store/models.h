#pragma once
#include "core/base/error.h"
#include "core/store/session.h"
#include "core/store/write_queue.h"
#include "core/text/tokenizer.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace retort {

/// Models that took a role in a session, and the vocabularies that recorded ids are of. See SessionStore for threads and errors.
class ModelTable {
public:
    explicit ModelTable(WriteQueue& queue) : m_queue(queue) {}

    /// The model takes `role` in the session, under the name and at the place that `info` has now; any role will do. The row is the file's, known by
    /// its hash wherever it lies. A model without a hash is known by `identity`, for example "run UUID step 300"; without one it gets a row of its
    /// own.
    [[nodiscard]] Result<RowId> add(RowId session, const std::string& role, const ModelInfo& info, const std::string& tokenizer_fingerprint,
                                    const std::string& identity = {});

    /// Keeps the pieces of a vocabulary, once, so that what is recorded in its ids can be drawn without a model.
    void add_tokenizer_later(std::shared_ptr<const Tokenizer> tokenizer);
    /// The bytes of every id; empty when this vocabulary was not kept or is damaged.
    [[nodiscard]] Result<std::vector<std::string>> pieces(const std::string& fingerprint);

private:
    WriteQueue& m_queue;
};

/// The latest model in a role. On the store's thread.
[[nodiscard]] std::optional<StoredModel> read_model_in_role(Database& database, RowId session, const std::string& role);

} // namespace retort
