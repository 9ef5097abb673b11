#include "core/text/jinja/library.h"
#include "core/text/jinja/run.h"
#include "core/text/message.h"

namespace retort::jinja {

namespace {

void check(const Expression* node);

void check(const std::vector<Argument>& arguments)
{
    for (const Argument& argument : arguments) {
        check(argument.value.get());
    }
}

void check(const Expression* node)
{
    if (!node) {
        return;
    }
    if (node->kind == Expression::Kind::Filter && !is_filter(node->text)) {
        throw Problem("the filter " + quoted(node->text) + " is not supported", node->line);
    }
    if (node->kind == Expression::Kind::Test && !is_test(node->text)) {
        throw Problem("the test " + quoted(node->text) + " is not supported", node->line);
    }
    for (const ExpressionPtr& part : node->parts) {
        check(part.get());
    }
    check(node->arguments);
}

} // namespace

void check_names(const Block& program)
{
    for (const Statement& statement : program) {
        check(statement.expression.get());
        check(statement.condition.get());
        for (const ExpressionPtr& value : statement.values) {
            check(value.get());
        }
        for (const FilterCall& filter : statement.filters) {
            if (!is_filter(filter.name)) {
                throw Problem("the filter " + quoted(filter.name) + " is not supported", statement.line);
            }
            check(filter.arguments);
        }
        for (const Branch& branch : statement.branches) {
            check(branch.condition.get());
            // As in Jinja, an unknown name inside an "if" is refused only when it is reached: templates keep what tools need in there.
            if (statement.kind != Statement::Kind::If) {
                check_names(branch.body);
            }
        }
        if (statement.macro) {
            for (const Parameter& parameter : statement.macro->parameters) {
                check(parameter.fallback.get());
            }
            check_names(statement.macro->body);
        }
    }
}

} // namespace retort::jinja
