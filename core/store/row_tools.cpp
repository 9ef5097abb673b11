#include "core/store/row_tools.h"

#include "core/base/sha256.h"

#include <chrono>
#include <nlohmann/json.hpp>

namespace retort {

std::int64_t now_ms()
{
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::string sha256_of(std::span<const std::byte> bytes)
{
    Sha256 hash;
    hash.add(bytes);
    return hash.hex();
}

std::string dump(const nlohmann::json& json)
{
    return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::vector<ChatMessage> messages_from(const std::string& json)
{
    const auto text_in = [](const nlohmann::json& message, const char* key) {
        const auto found = message.find(key);
        return found != message.end() && found->is_string() ? found->get<std::string>() : std::string();
    };
    std::vector<ChatMessage> messages;
    const auto parsed = nlohmann::json::parse(json, nullptr, false);
    if (parsed.is_array()) {
        for (const auto& message : parsed) {
            if (message.is_object()) {
                messages.push_back({text_in(message, "role"), text_in(message, "content")});
            }
        }
    }
    return messages;
}

void touch_session(Database& database, RowId session)
{
    database.prepare("UPDATE session SET updated_at = ? WHERE id = ?").with(now_ms(), session).run();
}

std::optional<RowId> tokenizer_row(Database& database, const std::string& fingerprint)
{
    Statement row = database.prepare("SELECT id FROM tokenizer WHERE fingerprint = ?");
    return row.with(fingerprint).step() ? std::optional(row.integer(0)) : std::nullopt;
}

} // namespace retort
