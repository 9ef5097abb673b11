#pragma once
#include "core/text/jinja/value.h"

namespace retort::jinja {

/// The names that a running template sees, block within block. One thread.
class Scopes {
public:
    /// `globals` stay; what the template sets outside of any block lies above them.
    explicit Scopes(Names globals);

    enum class Sees { Surroundings, TemplateOnly }; ///< a macro does not see its caller's names

    /// A block's own names, gone with it. Throws where blocks and calls nest too deep.
    class Inner {
    public:
        explicit Inner(Scopes& scopes, Sees sees = Sees::Surroundings);
        ~Inner() { m_scopes.m_scopes.pop_back(); }
        Inner(const Inner&) = delete;
        Inner& operator=(const Inner&) = delete;

    private:
        Scopes& m_scopes;
    };

    /// The innermost value of a name; null when there is none.
    [[nodiscard]] const Value* find(std::string_view name) const;
    /// In the innermost block.
    void set(const std::string& name, Value value) { set_member(m_scopes.back().names, name, std::move(value)); }

private:
    /// `floor` is the lowest scope still seen besides the two of the whole template.
    struct Scope {
        Names names;
        std::size_t floor = 0;
    };
    std::vector<Scope> m_scopes;
};

} // namespace retort::jinja
