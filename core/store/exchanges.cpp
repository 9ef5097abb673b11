#include "core/store/exchanges.h"

#include "core/base/sha256.h"
#include "core/store/packing.h"
#include "core/store/row_tools.h"
#include "core/store/text_index.h"

#include <nlohmann/json.hpp>
#include <sqlite3.h>
#include <unordered_map>

namespace retort {

namespace {

constexpr std::int64_t kSnapshotsOfAPrompt = 16;

RowId session_of_prompt(Database& database, RowId prompt)
{
    Statement row = database.prepare("SELECT session_id FROM prompt WHERE id = ?");
    return row.with(prompt).step() ? row.integer(0) : 0;
}

std::vector<StoredToken> read_tokens(Database& database, RowId response)
{
    std::vector<StoredToken> tokens;
    Statement row = database.prepare("SELECT token_id, bytes, log_probability, entropy, rank FROM token WHERE response_id = ? ORDER BY position");
    row.with(response);
    while (row.step()) {
        tokens.push_back(
            {static_cast<TokenId>(row.integer(0)), row.text(1), static_cast<float>(row.real(2)), static_cast<float>(row.real(3)), row.integer(4)});
    }
    return tokens;
}

std::vector<StoredResponse> read_responses(Database& database, RowId prompt)
{
    std::vector<StoredResponse> responses;
    Statement row = database.prepare("SELECT r.id, r.model_id, r.role, r.model_name, m.sha256, m.identity, r.run_id, r.run_step, r.text, r.finish,"
                                     " r.settings_json, r.seed, r.prompt_tokens, r.first_token_ms, r.generation_ms"
                                     " FROM response r LEFT JOIN model m ON m.id = r.model_id WHERE r.prompt_id = ? ORDER BY r.id");
    row.with(prompt);
    while (row.step()) {
        StoredResponse response;
        response.id = row.integer(0);
        response.model_id = row.integer(1);
        response.role = row.text(2);
        response.model_name = row.text(3);
        response.model_sha256 = row.text(4);
        response.model_identity = row.text(5);
        response.run = row.integer(6);
        response.run_step = row.integer(7);
        response.text = row.text(8);
        response.finish = row.text(9);
        response.params_json = row.text(10);
        response.seed = static_cast<std::uint64_t>(row.integer(11));
        response.prompt_tokens = row.integer(12);
        response.first_token_ms = row.real(13);
        response.generation_ms = row.real(14);
        response.tokens = read_tokens(database, response.id);
        responses.push_back(std::move(response));
    }
    return responses;
}

/// The bytes of a blob whose checksum holds, unpacked.
template <class Value>
Result<Value> checked(const std::string& bytes, const std::string& sha256, Result<Value> (*unpack)(std::string_view))
{
    return sha256_hex(bytes) == sha256 ? unpack(bytes)
                                       : failure(Error::Kind::BadFile, "A stored distribution or comparison is damaged and was left out.");
}

void read_comparisons(Database& database, StoredPrompt& prompt)
{
    Statement row = database.prepare("SELECT c.id, c.response_id, c.text_of, c.positions, c.sha256, c.teacher, c.student, coalesce(t.fingerprint, '')"
                                     " FROM comparison c LEFT JOIN tokenizer t ON t.id = c.tokenizer_id WHERE c.prompt_id = ? ORDER BY c.id");
    row.with(prompt.id);
    while (row.step()) {
        if (auto comparison = checked<Comparison>(row.text(3), row.text(4), unpack_comparison)) {
            prompt.comparisons.push_back(
                {row.integer(0), row.integer(1), row.text(2), std::move(*comparison), {row.text(5), row.text(6), row.text(7)}});
        } else {
            prompt.notes.push_back(comparison.error().message);
        }
    }
}

StoredPrompt read_prompt(Database& database, RowId id)
{
    Statement row = database.prepare("SELECT messages_json, rendered, ids, created_at FROM prompt WHERE id = ?");
    if (!row.with(id).step()) {
        throw SqlFailure{SQLITE_NOTFOUND, "there is no exchange " + std::to_string(id)};
    }
    StoredPrompt prompt;
    prompt.id = id;
    prompt.messages = messages_from(row.text(0));
    prompt.rendered = row.text(1);
    if (auto ids = unpack_ids(row.text(2))) {
        prompt.ids = std::move(*ids);
    } else {
        prompt.notes.push_back(ids.error().message);
    }
    prompt.created_at = row.integer(3);
    prompt.responses = read_responses(database, id);
    read_comparisons(database, prompt);
    Statement place = database.prepare("SELECT text_of, position FROM snapshot WHERE prompt_id = ? ORDER BY id");
    place.with(id);
    while (place.step()) {
        prompt.snapshots.push_back({place.text(0), place.integer(1)});
    }
    return prompt;
}

std::optional<StoredSnapshot> read_snapshot(Database& database, RowId prompt, const SnapshotPlace& place)
{
    Statement row = database.prepare("SELECT s.content, s.sha256, s.teacher, s.student, coalesce(t.fingerprint, '') FROM snapshot s"
                                     " LEFT JOIN tokenizer t ON t.id = s.tokenizer_id WHERE s.prompt_id = ? AND s.text_of = ? AND s.position = ?");
    if (!row.with(prompt, place.text_of, place.position).step()) {
        return std::nullopt;
    }
    auto snapshot = checked<DistributionSnapshot>(row.text(0), row.text(1), unpack_snapshot);
    if (!snapshot) {
        return std::nullopt;
    }
    return StoredSnapshot{place.text_of, std::move(*snapshot), {row.text(2), row.text(3), row.text(4)}};
}

std::string settings_json(const GenerateSettings& settings)
{
    const SamplerSettings& sampler = settings.sampler;
    return dump({{"max_tokens", settings.max_tokens},
                 {"greedy", sampler.greedy},
                 {"temperature", sampler.temperature},
                 {"top_k", sampler.top_k},
                 {"top_p", sampler.top_p},
                 {"min_p", sampler.min_p},
                 {"repeat_penalty", sampler.repeat_penalty},
                 {"seed", sampler.seed}});
}

void insert_tokens(Database& database, RowId response, const std::vector<GeneratedToken>& tokens)
{
    Statement row =
        database.prepare("INSERT INTO token(response_id, position, token_id, bytes, log_probability, rank, entropy) VALUES (?, ?, ?, ?, ?, ?, ?)");
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        const GeneratedToken& one = tokens[i];
        row.with(response, static_cast<std::int64_t>(i), static_cast<std::int64_t>(one.id), std::as_bytes(std::span(one.bytes)),
                 static_cast<double>(one.log_probability), one.rank, static_cast<double>(one.entropy))
            .run();
    }
}

RowId insert_response(Database& database, RowId prompt, const Author& author, const std::string& role, const Answer& answer,
                      const GenerateSettings& settings)
{
    database
        .prepare(
            "INSERT INTO response(prompt_id, model_id, model_name, run_id, run_step, role, text, finish, settings_json, seed, prompt_tokens,"
            " first_token_ms, generation_ms, created_at) VALUES"
            " (?1, ?2, iif(?3 <> '', ?3, coalesce((SELECT name FROM model WHERE id = ?2), '')), ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)")
        .with(prompt, known(author.model), author.name, known(author.run), author.run == 0 ? std::nullopt : std::optional(author.step), role,
              answer.text, name_of(answer.finish), settings_json(settings), settings.sampler.seed, static_cast<std::int64_t>(answer.prompt.size()),
              answer.first_token_seconds * 1e3, (answer.first_token_seconds + answer.decode_seconds) * 1e3, now_ms())
        .run();
    const RowId id = database.last_row();
    insert_tokens(database, id, answer.tokens);
    index_response(database, id, answer.text);
    touch_session(database, session_of_prompt(database, prompt));
    return id;
}

RowId insert_comparison(Database& database, RowId prompt, const std::string& text_of, RowId response, const Comparison& comparison,
                        const Compared& of)
{
    const std::vector<std::byte> bytes = pack(comparison);
    database
        .prepare("INSERT INTO comparison(prompt_id, response_id, text_of, teacher, student, tokenizer_id, mean_kl, same_top, positions, sha256,"
                 " created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
        .with(prompt, response, text_of, of.teacher, of.student, tokenizer_row(database, of.tokenizer), comparison.mean_kl(),
              comparison.same_top_share(), std::span<const std::byte>(bytes), sha256_of(bytes), now_ms())
        .run();
    const RowId id = database.last_row();
    touch_session(database, session_of_prompt(database, prompt));
    return id;
}

void insert_snapshot(Database& database, RowId prompt, const StoredSnapshot& stored)
{
    const std::vector<std::byte> bytes = pack(stored.snapshot);
    // Looked at again, a place is the latest: hence a new row in the place of the old one.
    database
        .prepare("INSERT OR REPLACE INTO snapshot(prompt_id, text_of, position, content, sha256, created_at, teacher, student, tokenizer_id)"
                 " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)")
        .with(prompt, stored.text_of, stored.snapshot.position, std::span<const std::byte>(bytes), sha256_of(bytes), now_ms(), stored.of.teacher,
              stored.of.student, tokenizer_row(database, stored.of.tokenizer))
        .run();
    database.prepare("DELETE FROM snapshot WHERE prompt_id = ? AND id NOT IN (SELECT id FROM snapshot WHERE prompt_id = ? ORDER BY id DESC LIMIT ?)")
        .with(prompt, prompt, kSnapshotsOfAPrompt)
        .run();
}

RowId insert_prompt(Database& database, RowId session, const std::vector<ChatMessage>& messages, const Prompt& prompt)
{
    nlohmann::json json = nlohmann::json::array();
    for (const ChatMessage& message : messages) {
        json.push_back({{"role", message.role}, {"content", message.content}});
    }
    database.prepare("INSERT INTO prompt(session_id, messages_json, rendered, ids, created_at) VALUES (?, ?, ?, ?, ?)")
        .with(session, dump(json), prompt.rendered, std::span<const std::byte>(pack(std::span<const TokenId>(prompt.ids))), now_ms())
        .run();
    const RowId id = database.last_row();
    index_prompt(database, id, text_of(messages));
    touch_session(database, session);
    return id;
}

} // namespace

std::vector<ExchangeHead> read_exchange_heads(Database& database, RowId session)
{
    std::vector<ExchangeHead> heads;
    std::unordered_map<RowId, std::size_t> places;
    Statement row = database.prepare("SELECT id, messages_json, created_at FROM prompt WHERE session_id = ? ORDER BY id");
    row.with(session);
    while (row.step()) {
        places.emplace(row.integer(0), heads.size());
        heads.push_back({row.integer(0), messages_from(row.text(1)), row.integer(2), {}});
    }
    Statement who = database.prepare("SELECT r.prompt_id, r.model_name FROM prompt p JOIN response r ON r.prompt_id = p.id WHERE p.session_id = ?"
                                     " ORDER BY p.id, r.id");
    who.with(session);
    while (who.step()) {
        heads[places.at(who.integer(0))].answered_by.push_back(who.text(1));
    }
    return heads;
}

Result<StoredPrompt> ExchangeTable::read(RowId prompt)
{
    return m_queue.call([&](Database& db) { return read_prompt(db, prompt); });
}

Result<std::optional<StoredSnapshot>> ExchangeTable::snapshot(RowId prompt, const SnapshotPlace& place)
{
    return m_queue.call([&](Database& db) { return read_snapshot(db, prompt, place); });
}

Result<RowId> ExchangeTable::add_prompt(RowId session, const std::vector<ChatMessage>& messages, const Prompt& prompt)
{
    return m_queue.call([&](Database& db) { return insert_prompt(db, session, messages, prompt); });
}

Result<RowId> ExchangeTable::add_response(RowId prompt, const Author& author, const std::string& role, const Answer& answer,
                                          const GenerateSettings& settings)
{
    return m_queue.call([&](Database& db) { return insert_response(db, prompt, author, role, answer, settings); });
}

Result<RowId> ExchangeTable::add_comparison(RowId prompt, const std::string& text_of, RowId text_response, const Comparison& comparison,
                                            const Compared& of)
{
    return m_queue.call([&](Database& db) { return insert_comparison(db, prompt, text_of, text_response, comparison, of); });
}

void ExchangeTable::add_snapshot_later(RowId prompt, StoredSnapshot snapshot)
{
    m_queue.defer([prompt, snapshot = std::move(snapshot)](Database& db) { insert_snapshot(db, prompt, snapshot); });
}

} // namespace retort
