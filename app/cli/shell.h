#pragma once
#include "core/base/error.h"
#include "core/base/progress.h"

#include <CLI/CLI.hpp>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <mutex>
#include <nlohmann/json.hpp>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace retort::cli {

using Json = nlohmann::ordered_json; // keys come out in the order written: a person reads them too

enum ExitStatus : int { kDone = 0, kFailed = 1, kWrongUsage = 2, kInterrupted = 130 };

/// What the commands have in common: the options that all take, where they write, and how they end. Standard output gets answers and nothing else;
/// progress and messages go to standard error. One thread, except where said.
class Shell {
public:
    using Command = std::function<Result<void>(Shell&)>;

    /// A command with the common options, `example` below its --help, and `run` as what it does. Its own options are added to what comes back.
    CLI::App* add_command(CLI::App& parent, const std::string& name, const std::string& does, const std::string& example, Command run);

    /// Runs the command that was parsed and says how it ended. What it throws becomes a message like any other.
    [[nodiscard]] int run();

    [[nodiscard]] bool json() const { return m_json; }

    /// One line of JSON; text that is not UTF-8 becomes U+FFFD, numbers that are not finite null.
    void print_json(const Json& value) const;
    /// `text` as it is. Both go out at once, so that a reader at the other end of a pipe sees each line when it is made.
    void print(std::string_view text) const;
    /// A line on standard error; not with --quiet.
    void say(std::string_view line) const;

    /// For work that reports itself: a bar, when standard error is a terminal and --quiet is not given. Ctrl+C stops it when `stop` is an
    /// Interrupt's.
    [[nodiscard]] Progress progress(std::stop_token stop = {}) const;
    [[nodiscard]] bool draws_bars() const;

private:
    bool m_json = false;
    bool m_quiet = false;
    int m_threads = 0;
    std::string m_device = "auto";
    Command m_chosen;
};

/// While it lives, the first Ctrl+C (or SIGTERM) asks its token to stop instead of ending the process; a second one ends it. To be made before the
/// program has other threads.
class Interrupt {
public:
    Interrupt();
    ~Interrupt();
    Interrupt(const Interrupt&) = delete;
    Interrupt& operator=(const Interrupt&) = delete;

    [[nodiscard]] std::stop_token token() const { return m_source.get_token(); }
    [[nodiscard]] bool happened() const { return m_source.stop_requested(); }

private:
    std::stop_source m_source;
    std::jthread m_watcher;
};

/// A TEXT option: the text itself, `@file`, or `-` for standard input.
[[nodiscard]] Result<std::string> text_of(const std::string& option);

/// The lines of a JSON Lines file (`-`: standard input), each parsed; the message names the line that is not JSON.
[[nodiscard]] Result<std::vector<Json>> json_lines(const std::string& file);
/// A JSON file (`-`: standard input).
[[nodiscard]] Result<Json> json_file(const std::string& file);

} // namespace retort::cli
