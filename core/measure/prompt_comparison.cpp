#include "core/measure/prompt_comparison.h"

#include <algorithm>

namespace retort {

namespace {

Result<Answer> answer(const Reader& reader, const std::string& text, const GenerateSettings& settings, const std::stop_token& stop)
{
    auto given = whole_answer(reader.net, reader.model, make_text_prompt(reader.model, text).ids, settings, stop);
    return given && stop.stop_requested() ? Result<Answer>(cancelled()) : given;
}

Result<Comparison> compare_on(const Reader& teacher, const Reader& student, const Answer& answer, const std::stop_token& stop)
{
    std::vector<TokenId> ids = answer.prompt;
    std::ranges::transform(answer.tokens, std::back_inserter(ids), &GeneratedToken::id);
    return compare_on_text(teacher.net, student.net, ids, answer.prompt.size(), common_vocabulary(teacher, student), stop);
}

} // namespace

std::int64_t common_vocabulary(const Reader& teacher, const Reader& student)
{
    return std::min(vocabulary_of(teacher.model), vocabulary_of(student.model));
}

Result<PromptComparison> compare_on_prompt(const Reader& teacher, const Reader& student, const std::string& text, const GenerateSettings& settings,
                                           const std::stop_token& stop)
{
    PromptComparison compared;
    compared.prompt = make_text_prompt(teacher.model, text);
    for (const auto& [reader, kept] : {std::pair{&teacher, &compared.teacher}, {&student, &compared.student}}) {
        auto given = answer(*reader, text, settings, stop);
        if (!given) {
            return failure(std::move(given.error()));
        }
        *kept = std::move(*given);
    }
    for (const auto& [given, kept] : {std::pair{&compared.teacher, &compared.on_teacher}, {&compared.student, &compared.on_student}}) {
        auto comparison = compare_on(teacher, student, *given, stop);
        if (!comparison) {
            return failure(std::move(comparison.error()));
        }
        *kept = std::move(*comparison);
    }
    return compared;
}

} // namespace retort
