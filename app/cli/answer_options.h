#pragma once
#include "app/cli/shell.h"
#include "core/inference/generator.h"

namespace retort::cli {

/// How answers are written: the options that generate and compare share.
void add_answer_options(CLI::App& command, GenerateSettings& settings);

/// A line about what may make this model's numbers others than its author meant; none where its load report has nothing to say.
void warn_of(const Shell& shell, const ModelInfo& info);

/// A model loaded and laid out, with all it takes to answer.
[[nodiscard]] Result<RunningModel> load(const Shell& shell, const std::string& spec, Net::Precision precision, std::stop_token stop = {});
/// As load(), and refuses a model without a tokenizer, which cannot read a prompt.
[[nodiscard]] Result<RunningModel> load_to_answer(const Shell& shell, const std::string& spec, std::stop_token stop = {},
                                                  Net::Precision precision = Net::Precision::Fast);

[[nodiscard]] Json to_json(const GeneratedToken& token);
/// {text, ids, finish, ...}: what generate ends with and compare has twice.
[[nodiscard]] Json to_json(const Answer& answer);

} // namespace retort::cli
