#include "core/store/rows.h"

#include "core/base/sha256.h"
#include "core/store/packing.h"

#include <array>
#include <chrono>
#include <nlohmann/json.hpp>
#include <random>
#include <sqlite3.h>

namespace retort {

namespace {

constexpr std::int64_t kSnapshotsOfAPrompt = 16;

std::string sha256_of(std::span<const std::byte> bytes)
{
    Sha256 hash;
    hash.add(bytes);
    return hash.hex();
}

/// JSON of hostile or broken text: invalid UTF-8 becomes U+FFFD instead of an exception.
std::string dump(const nlohmann::json& json)
{
    return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

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

RowId session_of_prompt(Database& database, RowId prompt)
{
    Statement row = database.prepare("SELECT session_id FROM prompt WHERE id = ?");
    return row.with(prompt).step() ? row.integer(0) : 0;
}

SessionSummary summary_from(Statement& row)
{
    SessionSummary summary;
    summary.id = row.integer(0);
    summary.uuid = row.text(1);
    summary.title = row.text(2);
    summary.teacher = row.text(3);
    summary.student = row.text(4);
    summary.prompts = row.integer(5);
    summary.runs = row.integer(6);
    summary.created_at = row.integer(7);
    summary.updated_at = row.integer(8);
    summary.in_bin = !row.is_null(9);
    summary.has_interrupted_run = row.integer(10) != 0;
    return summary;
}

#define RETORT_SUMMARY_COLUMNS                                                                                                                       \
    "SELECT s.id, s.uuid, s.title,"                                                                                                                  \
    " coalesce((SELECT m.name FROM session_model sm JOIN model m ON m.id = sm.model_id WHERE sm.session_id = s.id AND sm.role = 'teacher'"           \
    "  ORDER BY sm.id DESC LIMIT 1), ''),"                                                                                                           \
    " coalesce((SELECT m.name FROM session_model sm JOIN model m ON m.id = sm.model_id WHERE sm.session_id = s.id AND sm.role = 'student'"           \
    "  ORDER BY sm.id DESC LIMIT 1), ''),"                                                                                                           \
    " (SELECT count(*) FROM prompt p WHERE p.session_id = s.id), (SELECT count(*) FROM run r WHERE r.session_id = s.id),"                            \
    " s.created_at, s.updated_at, s.binned_at, EXISTS(SELECT 1 FROM run r WHERE r.session_id = s.id AND r.state = 'interrupted') FROM session s "

std::optional<StoredModel> read_model_in_role(Database& database, RowId session, const char* role)
{
    Statement row =
        database.prepare("SELECT m.id, m.name, m.path, m.format, m.sha256, m.tokenizer_fingerprint, m.dtype, m.family, m.config_json, m.licence,"
                         " m.parameters, m.file_bytes FROM session_model sm JOIN model m ON m.id = sm.model_id"
                         " WHERE sm.session_id = ? AND sm.role = ? ORDER BY sm.id DESC LIMIT 1");
    if (!row.with(session, role).step()) {
        return std::nullopt;
    }
    return StoredModel{row.integer(0),
                       row.text(1),
                       row.text(2),
                       row.text(3),
                       row.text(4),
                       row.text(5),
                       row.text(6),
                       row.text(7),
                       row.text(8),
                       row.text(9),
                       static_cast<std::uint64_t>(row.integer(10)),
                       static_cast<std::uint64_t>(row.integer(11))};
}

std::vector<ChatMessage> messages_from(const std::string& json)
{
    std::vector<ChatMessage> messages;
    const auto parsed = nlohmann::json::parse(json, nullptr, false);
    if (parsed.is_array()) {
        for (const auto& message : parsed) {
            if (message.is_object()) {
                messages.push_back({message.value("role", ""), message.value("content", "")});
            }
        }
    }
    return messages;
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
    Statement row = database.prepare("SELECT r.id, r.model_id, r.role, r.text, r.finish, r.settings_json, r.seed, r.prompt_tokens, r.first_token_ms,"
                                     " r.generation_ms, m.name, m.sha256 FROM response r JOIN model m ON m.id = r.model_id"
                                     " WHERE r.prompt_id = ? ORDER BY r.id");
    row.with(prompt);
    while (row.step()) {
        StoredResponse response;
        response.id = row.integer(0);
        response.model_id = row.integer(1);
        response.role = row.text(2);
        response.text = row.text(3);
        response.finish = row.text(4);
        response.params_json = row.text(5);
        response.seed = static_cast<std::uint64_t>(row.integer(6));
        response.prompt_tokens = row.integer(7);
        response.first_token_ms = row.real(8);
        response.generation_ms = row.real(9);
        response.model_name = row.text(10);
        response.model_sha256 = row.text(11);
        response.tokens = read_tokens(database, response.id);
        responses.push_back(std::move(response));
    }
    return responses;
}

/// The bytes of a blob whose checksum holds, unpacked; else a note and nothing.
template <class Value>
std::optional<Value> checked(const std::string& bytes, const std::string& sha256, Result<Value> (*unpack)(std::string_view),
                             std::vector<std::string>& notes)
{
    Result<Value> value = sha256_hex(bytes) == sha256
                              ? unpack(bytes)
                              : failure(Error::Kind::BadFile, "A stored distribution or comparison is damaged and was left out.");
    if (!value) {
        notes.push_back(value.error().message);
        return std::nullopt;
    }
    return std::move(*value);
}

void read_comparisons(Database& database, StoredPrompt& prompt, std::vector<std::string>& notes)
{
    Statement row = database.prepare("SELECT id, response_id, text_of, positions, sha256 FROM comparison WHERE prompt_id = ? ORDER BY id");
    row.with(prompt.id);
    while (row.step()) {
        if (auto comparison = checked<Comparison>(row.text(3), row.text(4), unpack_comparison, notes)) {
            prompt.comparisons.push_back({row.integer(0), row.integer(1), row.text(2), std::move(*comparison)});
        }
    }
    Statement snapshots = database.prepare("SELECT text_of, content, sha256 FROM snapshot WHERE prompt_id = ? ORDER BY id");
    snapshots.with(prompt.id);
    while (snapshots.step()) {
        if (auto snapshot = checked<DistributionSnapshot>(snapshots.text(1), snapshots.text(2), unpack_snapshot, notes)) {
            prompt.snapshots.push_back({snapshots.text(0), std::move(*snapshot)});
        }
    }
}

std::vector<StoredPrompt> read_prompts(Database& database, RowId session, std::vector<std::string>& notes)
{
    std::vector<StoredPrompt> prompts;
    Statement row = database.prepare("SELECT id, messages_json, rendered, ids, created_at FROM prompt WHERE session_id = ? ORDER BY id");
    row.with(session);
    while (row.step()) {
        StoredPrompt prompt;
        prompt.id = row.integer(0);
        prompt.messages = messages_from(row.text(1));
        prompt.rendered = row.text(2);
        if (auto ids = unpack_ids(row.text(3))) {
            prompt.ids = std::move(*ids);
        } else {
            notes.push_back(ids.error().message);
        }
        prompt.created_at = row.integer(4);
        prompt.responses = read_responses(database, prompt.id);
        read_comparisons(database, prompt, notes);
        prompts.push_back(std::move(prompt));
    }
    return prompts;
}

} // namespace

std::int64_t now_ms()
{
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::string new_uuid()
{
    // Version 4 of RFC 9562: random but for the version and variant bits.
    std::random_device random;
    std::array<std::uint32_t, 4> words{};
    for (auto& word : words) {
        word = random();
    }
    words[1] = (words[1] & 0xFFFF0FFFu) | 0x00004000u;
    words[2] = (words[2] & 0x3FFFFFFFu) | 0x80000000u;
    std::array<char, 40> text{};
    std::snprintf(text.data(), text.size(), "%08x-%04x-%04x-%04x-%04x%08x", words[0], words[1] >> 16, words[1] & 0xFFFF, words[2] >> 16,
                  words[2] & 0xFFFF, words[3]);
    return text.data();
}

RowId insert_session(Database& database, const std::string& title)
{
    const std::int64_t now = now_ms();
    database.prepare("INSERT INTO session(uuid, title, created_at, updated_at) VALUES (?, ?, ?, ?)").with(new_uuid(), title, now, now).run();
    return database.last_row();
}

std::vector<SessionSummary> read_sessions(Database& database, bool in_bin)
{
    std::vector<SessionSummary> sessions;
    Statement row = database.prepare(RETORT_SUMMARY_COLUMNS "WHERE (s.binned_at IS NOT NULL) = ? ORDER BY s.updated_at DESC, s.id DESC");
    row.with(in_bin);
    while (row.step()) {
        sessions.push_back(summary_from(row));
    }
    return sessions;
}

SessionContent read_session(Database& database, RowId id)
{
    SessionContent content;
    Statement row = database.prepare(RETORT_SUMMARY_COLUMNS "WHERE s.id = ?");
    if (!row.with(id).step()) {
        throw SqlFailure{SQLITE_ERROR, "there is no session " + std::to_string(id)};
    }
    content.summary = summary_from(row);
    Statement view = database.prepare("SELECT view_state FROM session WHERE id = ?");
    if (view.with(id).step()) {
        content.view_state_json = view.text(0);
    }
    content.teacher = read_model_in_role(database, id, "teacher");
    content.student = read_model_in_role(database, id, "student");
    content.prompts = read_prompts(database, id, content.notes);
    content.runs = read_runs(database, id);
    return content;
}

void touch_session(Database& database, RowId id)
{
    database.prepare("UPDATE session SET updated_at = ? WHERE id = ?").with(now_ms(), id).run();
}

RowId insert_model(Database& database, RowId session, const std::string& role, const ModelInfo& info, const std::string& tokenizer_fingerprint)
{
    // A file is known by its content wherever it lies; a model that lives only in memory, by its name and shape.
    const std::string identity = info.sha256.empty() ? "memory:" + info.name + ":" + config_of(info.spec) : info.sha256;
    database
        .prepare("INSERT INTO model(identity, name, path, format, sha256, family, dtype, parameters, file_bytes, tokenizer_fingerprint, config_json, "
                 "licence,"
                 " derived_from, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
                 " ON CONFLICT(identity) DO UPDATE SET name = excluded.name, path = excluded.path")
        .with(identity, info.name, info.path, info.format, info.sha256, info.spec.family, info.dtype, info.parameters, info.file_bytes,
              tokenizer_fingerprint, config_of(info.spec), info.licence, info.derived_from, now_ms())
        .run();
    Statement row = database.prepare("SELECT id FROM model WHERE identity = ?");
    row.with(identity).step();
    const RowId model = row.integer(0);
    database.prepare("INSERT INTO session_model(session_id, model_id, role, since) VALUES (?, ?, ?, ?)").with(session, model, role, now_ms()).run();
    touch_session(database, session);
    return model;
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
    touch_session(database, session);
    return id;
}

RowId insert_response(Database& database, RowId prompt, RowId model, const std::string& role, const Answer& answer, const GenerateSettings& settings)
{
    const SamplerSettings& sampler = settings.sampler;
    const std::string json = dump({{"max_tokens", settings.max_tokens},
                                   {"greedy", sampler.greedy},
                                   {"temperature", sampler.temperature},
                                   {"top_k", sampler.top_k},
                                   {"top_p", sampler.top_p},
                                   {"min_p", sampler.min_p},
                                   {"repeat_penalty", sampler.repeat_penalty},
                                   {"seed", sampler.seed}});
    database
        .prepare("INSERT INTO response(prompt_id, model_id, role, text, finish, settings_json, seed, prompt_tokens, first_token_ms, generation_ms, "
                 "created_at)"
                 " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
        .with(prompt, model, role, answer.text, name_of(answer.finish), json, sampler.seed, static_cast<std::int64_t>(answer.prompt.size()),
              answer.first_token_seconds * 1e3, (answer.first_token_seconds + answer.decode_seconds) * 1e3, now_ms())
        .run();
    const RowId id = database.last_row();
    Statement token =
        database.prepare("INSERT INTO token(response_id, position, token_id, bytes, log_probability, rank, entropy) VALUES (?, ?, ?, ?, ?, ?, ?)");
    for (std::size_t i = 0; i < answer.tokens.size(); ++i) {
        const GeneratedToken& one = answer.tokens[i];
        token.with(id, static_cast<std::int64_t>(i), static_cast<std::int64_t>(one.id), std::as_bytes(std::span(one.bytes)),
                   static_cast<double>(one.log_probability), one.rank, static_cast<double>(one.entropy));
        token.run();
    }
    touch_session(database, session_of_prompt(database, prompt));
    return id;
}

RowId insert_comparison(Database& database, RowId prompt, const std::string& text_of, RowId response, const Comparison& comparison)
{
    const std::vector<std::byte> bytes = pack(comparison);
    database
        .prepare("INSERT INTO comparison(prompt_id, response_id, text_of, mean_kl, same_top, positions, sha256, created_at) VALUES (?, ?, ?, ?, ?, "
                 "?, ?, ?)")
        .with(prompt, response, text_of, comparison.mean_kl(), comparison.same_top_share(), std::span<const std::byte>(bytes), sha256_of(bytes),
              now_ms())
        .run();
    const RowId id = database.last_row();
    touch_session(database, session_of_prompt(database, prompt));
    return id;
}

void insert_snapshot(Database& database, RowId prompt, const std::string& text_of, const DistributionSnapshot& snapshot)
{
    const std::vector<std::byte> bytes = pack(snapshot);
    database.prepare("INSERT OR REPLACE INTO snapshot(prompt_id, text_of, position, content, sha256, created_at) VALUES (?, ?, ?, ?, ?, ?)")
        .with(prompt, text_of, snapshot.position, std::span<const std::byte>(bytes), sha256_of(bytes), now_ms())
        .run();
    database.prepare("DELETE FROM snapshot WHERE prompt_id = ? AND id NOT IN (SELECT id FROM snapshot WHERE prompt_id = ? ORDER BY id DESC LIMIT ?)")
        .with(prompt, prompt, kSnapshotsOfAPrompt)
        .run();
}

} // namespace retort
