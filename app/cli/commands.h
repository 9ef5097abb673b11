#pragma once
#include "app/cli/shell.h"

namespace retort::cli {

// Each adds one family of commands to the program: its options, its help, and what it does.
void add_doctor(CLI::App& app, Shell& shell);
void add_info(CLI::App& app, Shell& shell);
void add_text_commands(CLI::App& app, Shell& shell); ///< tokenize, detokenize, render
void add_logits(CLI::App& app, Shell& shell);
void add_generate(CLI::App& app, Shell& shell);
void add_compare(CLI::App& app, Shell& shell);
void add_score(CLI::App& app, Shell& shell);
void add_distil(CLI::App& app, Shell& shell);
void add_objectives(CLI::App& app, Shell& shell);
void add_bench(CLI::App& app, Shell& shell); ///< bench decode, prefill, distil, tokenize
void add_world(CLI::App& app, Shell& shell);   ///< world sample, world truth
void add_session(CLI::App& app, Shell& shell); ///< session list, show, check

} // namespace retort::cli
