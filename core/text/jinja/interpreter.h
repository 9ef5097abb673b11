#pragma once
#include "core/text/jinja/library.h"
#include "core/text/jinja/scopes.h"
#include "core/text/jinja/syntax.h"

namespace retort::jinja {

inline constexpr std::string_view kLoop = "loop";
inline constexpr std::string_view kCycle = "cycle";
inline constexpr std::string_view kChanged = "changed";

/// Runs one template once: statements in run.cpp, expressions and calls in evaluate.cpp. Throws Problem. One thread.
class Interpreter {
public:
    Interpreter(Names globals, std::int64_t now) : m_library{m_budget, now}, m_scopes(std::move(globals)) {}
    ~Interpreter();
    Interpreter(const Interpreter&) = delete;
    Interpreter& operator=(const Interpreter&) = delete;

    [[nodiscard]] std::string render(const Block& program);

private:
    /// What a statement says about the ones after it.
    enum class Flow { Next, Break, Continue };

    struct RunningLoop {
        const Statement* statement = nullptr;
        std::size_t depth = 1;
    };

    Flow run(const Block& block);
    Flow run(const Statement& statement);
    Flow run_if(const Statement& statement);
    void run_for(const Statement& statement);
    void loop_over(const Statement& statement, const Value& value, std::size_t depth);
    std::string loop_again(const Value& value);
    void run_set(const Statement& statement);
    void run_with(const Statement& statement);
    void bind(const std::vector<std::string>& targets, const Value& value);
    void assign(const std::string& target, Value value);
    void write(std::string_view text);
    std::string captured(const Block& block);

    Value evaluate(const Expression& node);
    Value part(const Expression& node, std::size_t i) { return evaluate(*node.parts[i]); }
    Arguments evaluate(const std::vector<Argument>& arguments);
    Value look_up(const std::string& name);
    Value list(const Expression& node);
    Value dict(const Expression& node);
    Value concatenate(const Expression& node);
    Value compare(const Expression& node);
    Value first_deciding(const Expression& node);
    Value slice(const Expression& node);
    Value filtered(Value value, const std::vector<FilterCall>& filters);
    Value call(const Expression& node);
    Value call_of_loop(const Value::Function& function, const Arguments& arguments);
    Value call_macro(const Macro& macro, const Arguments& arguments, const Macro* caller);
    Value make_namespace(const Arguments& arguments);

    Budget m_budget;
    Library m_library;
    Scopes m_scopes;
    std::vector<const Macro*> m_callers; ///< the call block of each macro that runs, null where it has none
    std::vector<std::shared_ptr<Names>> m_namespaces;
    std::vector<RunningLoop> m_loops; ///< the innermost last
    std::size_t m_loops_begun = 0;
    Names m_seen_by_loops; ///< what loop.changed was given last, by the loop's number
    std::string m_out;
    int m_depth = 0; ///< of evaluations within one another
};

} // namespace retort::jinja
