#include "core/text/jinja/library.h"

#include "core/text/jinja/call.h"
#include "core/text/message.h"
#include "core/text/unicode.h"

namespace retort::jinja {

const Value* Arguments::find(std::size_t place, std::string_view name) const
{
    if (place < placed.size()) {
        return &placed[place];
    }
    return find_member(named, name);
}

bool Call::flag(std::size_t place, std::string_view called) const
{
    const Value* value = argument(place, called);
    return value && value->truth();
}

std::int64_t Call::integer_or(std::size_t place, std::string_view called, std::int64_t absent) const
{
    const Value* value = argument(place, called);
    return value && value->integer() ? *value->integer() : absent;
}

const std::string& Call::needed_text(std::size_t place, std::string_view called) const
{
    const Value* value = argument(place, called);
    if (!value || !value->string()) {
        throw Problem(quoted(name) + " needs a string", 0);
    }
    return *value->string();
}

Value attribute(const Value& value, const std::string& name)
{
    if (value.is_undefined()) {
        throw Problem(quoted(value.as<Value::Undefined>()->name) + " is undefined and has no " + quoted(name), 0);
    }
    const Value* member = value.member(name);
    return member ? *member : Value::undefined(name);
}

std::string Library::text_of(const Value& value) const
{
    if (value.string()) {
        return *value.string();
    }
    std::string text;
    append_text(text, value, false, Budget::kMostText);
    return budget.made(std::move(text));
}

List Library::items_of(const Value& value) const
{
    List items;
    if (const List* list = value.list()) {
        items = *list;
    } else if (const Dict* members = value.dict()) {
        for (const auto& [key, item] : *members) {
            items.push_back(key);
        }
    } else if (const std::string* text = value.string()) {
        budget.spend(text->size() / 4);
        for (std::size_t at = 0; at < text->size();) {
            const std::size_t length = code_point_at(*text, at).length;
            items.push_back(Value::text(text->substr(at, length)));
            at += length;
        }
    } else if (!value.is_undefined()) {
        throw Problem(value.kind() + " cannot be walked through", 0);
    }
    budget.spend(items.size() / 4);
    return items;
}

} // namespace retort::jinja
