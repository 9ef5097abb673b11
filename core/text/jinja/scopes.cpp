#include "core/text/jinja/scopes.h"

#include "core/text/jinja/budget.h"

namespace retort::jinja {

namespace {

constexpr std::size_t kOfTemplate = 2; // the globals, and the template's own names

} // namespace

Scopes::Scopes(Names globals)
{
    m_scopes.push_back({std::move(globals), 0});
    m_scopes.push_back({{}, 0});
}

Scopes::Inner::Inner(Scopes& scopes, Sees sees) : m_scopes(scopes)
{
    std::vector<Scope>& stack = scopes.m_scopes;
    if (stack.size() > Budget::kDeepest) {
        throw Problem("it calls or nests deeper than 100 levels", 0);
    }
    stack.push_back({{}, sees == Sees::TemplateOnly ? stack.size() : stack.back().floor});
}

const Value* Scopes::find(std::string_view name) const
{
    const std::size_t floor = m_scopes.back().floor;
    for (std::size_t i = m_scopes.size(); i-- > 0;) {
        if (i < kOfTemplate || i >= floor) {
            if (const Value* value = find_member(m_scopes[i].names, name)) {
                return value;
            }
        }
    }
    return nullptr;
}

} // namespace retort::jinja
