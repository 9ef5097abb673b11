#pragma once
#include "core/inference/comparison.h"
#include "core/inference/generator.h"
#include "core/model/net.h"

#include <stop_token>
#include <string>

namespace retort {

/// A model laid out to answer; both outlive it.
struct Reader {
    const Model& model;
    Net& net;
};

/// The two answers to one prompt, and what both models make of each.
struct PromptComparison {
    Prompt prompt;
    Answer teacher, student;
    Comparison on_teacher, on_student;
};

/// Both models answer `text`, plain, one after the other; then each reads both answers. They cut text alike. The calling thread's work.
[[nodiscard]] Result<PromptComparison> compare_on_prompt(const Reader& teacher, const Reader& student, const std::string& text,
                                                         const GenerateSettings& settings, const std::stop_token& stop = {});

/// As many of the vocabulary's pieces as both models' tokenizers have.
[[nodiscard]] std::int64_t common_vocabulary(const Reader& teacher, const Reader& student);

} // namespace retort
