// retort-cli: the engine without a window, for scripts and machines without a screen. Links no Qt.

#include "app/cli/commands.h"
#include "core/base/cpu.h"

int main(int argc, char** argv)
{
    retort::keep_freed_memory();

    CLI::App app("Retort without a window: models, answers, comparisons and distillation, by the same engine.", "retort-cli");
    app.set_version_flag("--version", "retort-cli " RETORT_VERSION);
    app.require_subcommand(1);
    app.footer("A MODEL is a Hugging Face folder, a .gguf file, demo:teacher, demo:student (untrained) or demo:distilled.\n"
               "A TEXT is the text itself, @file, or - for standard input.\n"
               "Exit status: 0 done, 1 failed, 2 wrong usage, 130 interrupted.\n"
               "Example:\n  retort-cli generate demo:teacher --prompt \"Mia has a red\"");
    retort::cli::Shell shell;
    using namespace retort::cli;
    for (const auto add : {add_doctor, add_info, add_text_commands, add_logits, add_generate, add_compare, add_score, add_distil, add_objectives,
                           add_bench, add_world, add_session}) {
        add(app, shell);
    }
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& asked) {
        return app.exit(asked) == 0 ? kDone : kWrongUsage; // --help and --version come this way too, with 0
    }
    return shell.run();
}
