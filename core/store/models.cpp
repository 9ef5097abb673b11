#include "core/store/models.h"

#include "core/base/sha256.h"
#include "core/base/uuid.h"
#include "core/store/packing.h"
#include "core/store/row_tools.h"

#include <nlohmann/json.hpp>

namespace retort {

namespace {

std::string config_of(const DecoderShape& spec)
{
    return dump({{"model_type", spec.family},
                 {"num_hidden_layers", spec.layers},
                 {"hidden_size", spec.width},
                 {"num_attention_heads", spec.heads},
                 {"num_key_value_heads", spec.kv_heads},
                 {"head_dim", spec.head_dim},
                 {"intermediate_size", spec.ffn},
                 {"vocab_size", spec.vocabulary},
                 {"max_position_embeddings", spec.context},
                 {"tie_word_embeddings", spec.tied}});
}

RowId insert_model(Database& database, RowId session, const std::string& role, const ModelInfo& info, const std::string& tokenizer_fingerprint,
                   const std::string& named_identity)
{
    const std::string own = named_identity.empty() ? "memory " + new_uuid() : named_identity;
    const std::string& identity = info.sha256.empty() ? own : info.sha256;
    database
        .prepare("INSERT INTO model(identity, name, path, format, sha256, family, dtype, parameters, file_bytes, tokenizer_fingerprint, config_json,"
                 " licence, derived_from, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT(identity) DO NOTHING")
        .with(identity, info.name, info.path, info.format, info.sha256, info.spec.family, info.dtype, info.parameters, info.file_bytes,
              tokenizer_fingerprint, config_of(info.spec), info.licence, info.derived_from, now_ms())
        .run();
    Statement row = database.prepare("SELECT id FROM model WHERE identity = ?");
    row.with(identity).step();
    const RowId model = row.integer(0);
    database.prepare("INSERT INTO session_model(session_id, model_id, role, name, path, since) VALUES (?, ?, ?, ?, ?, ?)")
        .with(session, model, role, info.name, info.path, now_ms())
        .run();
    touch_session(database, session);
    return model;
}

void insert_tokenizer(Database& database, const Tokenizer& tokenizer)
{
    if (tokenizer_row(database, tokenizer.fingerprint())) {
        return;
    }
    std::vector<std::string> pieces(tokenizer.size());
    for (std::size_t id = 0; id < pieces.size(); ++id) {
        pieces[id] = tokenizer.bytes(static_cast<TokenId>(id));
    }
    const std::vector<std::byte> bytes = pack(pieces);
    database.prepare("INSERT INTO tokenizer(fingerprint, pieces, sha256) VALUES (?, ?, ?)")
        .with(tokenizer.fingerprint(), std::span<const std::byte>(bytes), sha256_of(bytes))
        .run();
}

std::vector<std::string> read_pieces(Database& database, const std::string& fingerprint)
{
    Statement row = database.prepare("SELECT pieces, sha256 FROM tokenizer WHERE fingerprint = ?");
    if (!row.with(fingerprint).step() || sha256_hex(row.text(0)) != row.text(1)) {
        return {};
    }
    auto pieces = unpack_pieces(row.text(0));
    return pieces ? std::move(*pieces) : std::vector<std::string>();
}

} // namespace

std::optional<StoredModel> read_model_in_role(Database& database, RowId session, const std::string& role)
{
    Statement row = database.prepare("SELECT m.id, sm.name, sm.path, m.identity, m.format, m.sha256, m.tokenizer_fingerprint, m.dtype, m.family,"
                                     " m.config_json, m.licence, m.derived_from, m.parameters, m.file_bytes FROM session_model sm"
                                     " JOIN model m ON m.id = sm.model_id WHERE sm.session_id = ? AND sm.role = ? ORDER BY sm.id DESC LIMIT 1");
    if (!row.with(session, role).step()) {
        return std::nullopt;
    }
    StoredModel model;
    model.id = row.integer(0);
    int column = 0;
    for (std::string* text : {&model.name, &model.path, &model.identity, &model.format, &model.sha256, &model.tokenizer_fingerprint, &model.dtype,
                              &model.family, &model.config_json, &model.licence, &model.derived_from}) {
        *text = row.text(++column);
    }
    model.parameters = static_cast<std::uint64_t>(row.integer(++column));
    model.file_bytes = static_cast<std::uint64_t>(row.integer(++column));
    return model;
}

Result<RowId> ModelTable::add(RowId session, const std::string& role, const ModelInfo& info, const std::string& tokenizer_fingerprint,
                              const std::string& identity)
{
    return m_queue.call([&](Database& db) { return insert_model(db, session, role, info, tokenizer_fingerprint, identity); });
}

void ModelTable::add_tokenizer_later(std::shared_ptr<const Tokenizer> tokenizer)
{
    m_queue.defer([tokenizer = std::move(tokenizer)](Database& db) { insert_tokenizer(db, *tokenizer); });
}

Result<std::vector<std::string>> ModelTable::pieces(const std::string& fingerprint)
{
    return m_queue.call([&](Database& db) { return read_pieces(db, fingerprint); });
}

} // namespace retort
