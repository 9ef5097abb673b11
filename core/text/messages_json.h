#pragma once
#include "core/base/error.h"
#include "core/base/text_format.h"
#include "core/text/chat_template.h"

#include <string>
#include <vector>

namespace retort {

/// What may stand for a message's text: the text itself, or a list of parts of which each is {"type": "text", "text": ...}, joined. Json is
/// nlohmann's json or ordered_json. The error is a sentence's end.
template <class Json>
[[nodiscard]] Result<std::string> read_content(const Json& content)
{
    if (content.is_string()) {
        return content.template get<std::string>();
    }
    if (!content.is_array()) {
        return failure(Error::Kind::BadFile, std::string("has a \"content\" that is ") + content.type_name() +
                                                 R"(; it must be a text or a list of parts {"type": "text", "text": ...}.)");
    }
    std::string text;
    for (const Json& part : content) {
        if (part.is_object() && part.contains("text") && part["text"].is_string()) {
            text += part["text"].template get<std::string>();
            continue;
        }
        const bool named = part.is_object() && part.contains("type") && part["type"].is_string();
        return failure(Error::Kind::BadFile, "has a part " +
                                                 (named ? "of type \"" + printable(part["type"].template get<std::string>(), 40) + "\""
                                                        : std::string("without a \"text\"")) +
                                                 " in its content; only texts are read.");
    }
    return text;
}

template <class Json>
[[nodiscard]] Result<ChatMessage> read_message(const Json& message)
{
    if (!message.is_object()) {
        return failure(Error::Kind::BadFile, R"(is not an object with "role" and "content".)");
    }
    if (!message.contains("role") || !message["role"].is_string()) {
        return failure(Error::Kind::BadFile, R"(has no text "role".)");
    }
    for (const char* calls : {"tool_calls", "function_call"}) {
        if (message.contains(calls) && !message[calls].empty()) {
            return failure(Error::Kind::BadFile, std::string("calls tools (\"") + calls + "\"), which Retort does not write out; take the chat out.");
        }
    }
    if (!message.contains("content") || message["content"].is_null()) {
        return failure(Error::Kind::BadFile, std::string("has ") + (message.contains("content") ? "null for" : "no") + " \"content\".");
    }
    auto content = read_content(message["content"]);
    return content ? Result<ChatMessage>(ChatMessage{message["role"].template get<std::string>(), *std::move(content)})
                   : failure(std::move(content.error()));
}

/// [{"role": ..., "content": ...}, ...] as chat files write it. `place` begins the messages, which name the message by its number, from 1.
template <class Json>
[[nodiscard]] Result<std::vector<ChatMessage>> read_messages(const Json& list, const std::string& place)
{
    if (!list.is_array()) {
        return failure(Error::Kind::BadFile,
                       place + R"(: messages are a list of objects with "role" and "content"; this is )" + list.type_name() + ".");
    }
    std::vector<ChatMessage> messages;
    for (const Json& item : list) {
        auto message = read_message(item);
        if (!message) {
            return failure(message.error().kind, place + ": message " + std::to_string(messages.size() + 1) + " " + message.error().message);
        }
        messages.push_back(*std::move(message));
    }
    return messages;
}

} // namespace retort
