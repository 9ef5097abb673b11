#include "app/cli/shell.h"

#include "core/base/files.h"
#include "core/base/log.h"
#include "core/base/text_format.h"
#include "core/kernels/team.h"
#include "core/text/json_problem.h"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <unistd.h>

namespace retort::cli {

namespace {

constexpr std::uint64_t kMostInput = std::uint64_t{256} << 20;

Result<std::string> standard_input()
{
    std::string text;
    char buffer[1 << 16];
    for (std::size_t got = 0; (got = std::fread(buffer, 1, sizeof buffer, stdin)) > 0;) {
        text.append(buffer, got);
        if (text.size() > kMostInput) {
            return failure(Error::Kind::Usage,
                           "Standard input is longer than " + format_bytes(kMostInput) + ", which is more than this command reads.");
        }
    }
    return text;
}

Result<std::string> content_of(const std::string& file)
{
    return file == "-" ? standard_input() : read_text_file(file, kMostInput);
}

std::string name_of(const std::string& file)
{
    return file == "-" ? "standard input" : file;
}

Result<Json> parsed(std::string_view text, const std::string& where)
{
    Json json = Json::parse(text, nullptr, false);
    if (json.is_discarded()) {
        return failure(Error::Kind::BadFile, where + " " + json_problem(text) + ".");
    }
    return json;
}

/// Draws "Reading tensors [#####     ] 48 %" over itself, and clears the line at the end.
class Bar {
public:
    ~Bar()
    {
        if (m_drawn) {
            std::fputs("\r\x1b[K", stderr);
        }
    }
    void draw(std::string_view stage, double fraction)
    {
        constexpr int kWidth = 30;
        const int percent = std::clamp(static_cast<int>(fraction * 100.0), 0, 100);
        if (percent == m_percent && stage == m_stage) {
            return;
        }
        m_percent = percent;
        m_stage = stage;
        m_drawn = true;
        const int full = percent * kWidth / 100;
        const std::string bar = std::string(static_cast<std::size_t>(full), '#') + std::string(static_cast<std::size_t>(kWidth - full), ' ');
        std::fprintf(stderr, "\r\x1b[K%.*s [%s] %d %%", static_cast<int>(stage.size()), stage.data(), bar.c_str(), percent);
        std::fflush(stderr);
    }

private:
    bool m_drawn = false;
    int m_percent = -1;
    std::string m_stage;
};

} // namespace

CLI::App* Shell::add_command(CLI::App& parent, const std::string& name, const std::string& does, const std::string& example, Command run)
{
    CLI::App* command = parent.add_subcommand(name, does);
    command->footer("Example:\n  " + example);
    command->add_flag("--json", m_json, "Write JSON to standard output and nothing else there");
    command->add_flag("--quiet,-q", m_quiet, "No progress and no remarks on standard error");
    command->add_option("--threads", m_threads, "Processors to use; all of them unless told otherwise")->check(CLI::Range(1, 1024))->option_text("N");
    command->add_option("--device", m_device, "Where to compute")->check(CLI::IsMember({"auto", "cpu", "cuda"}))->option_text("auto|cpu|cuda");
    command->callback([this, run = std::move(run)] { m_chosen = run; });
    return command;
}

int Shell::run()
{
    if (m_quiet) {
        set_log_level(LogLevel::Failure);
    }
    if (m_device == "cuda") {
        std::fputs("This build of Retort computes on processors only. Leave --device out.\n", stderr);
        return kFailed;
    }
    if (m_threads > 0) {
        use_threads(m_threads);
    }
    const Result<void> done = guard("Running the command", [this] { return m_chosen(*this); });
    std::fflush(stdout);
    if (done) {
        return kDone;
    }
    std::fprintf(stderr, "%s\n", done.error().message.c_str());
    return done.error().kind == Error::Kind::Cancelled ? kInterrupted : kFailed;
}

void Shell::print_json(const Json& value) const
{
    print(value.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
}

void Shell::print(std::string_view text) const
{
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
}

void Shell::say(std::string_view line) const
{
    if (!m_quiet) {
        std::fprintf(stderr, "%.*s\n", static_cast<int>(line.size()), line.data());
    }
}

bool Shell::draws_bars() const
{
    return !m_quiet && isatty(STDERR_FILENO) == 1;
}

Progress Shell::progress(std::stop_token stop) const
{
    Progress progress;
    progress.stop = std::move(stop);
    if (draws_bars()) {
        progress.report = [bar = std::make_shared<Bar>()](std::string_view stage, double fraction) { bar->draw(stage, fraction); };
    }
    return progress;
}

Interrupt::Interrupt()
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr); // threads made from here on inherit it, so that only the watcher takes them
    m_watcher = std::jthread([this, signals](const std::stop_token& end) {
        constexpr timespec kPatience{0, 100'000'000};
        while (!end.stop_requested()) {
            if (sigtimedwait(&signals, nullptr, &kPatience) > 0 && !m_source.request_stop()) {
                std::_Exit(kInterrupted); // the second time: the person does not want to wait for a clean end
            }
        }
    });
}

Interrupt::~Interrupt() = default;

Result<std::string> text_of(const std::string& option)
{
    if (option == "-") {
        return standard_input();
    }
    return option.starts_with('@') ? read_text_file(option.substr(1), kMostInput) : Result<std::string>(option);
}

Result<Json> json_file(const std::string& file)
{
    const auto text = content_of(file);
    return text ? parsed(*text, name_of(file)) : failure(text.error());
}

Result<std::vector<Json>> json_lines(const std::string& file)
{
    const auto text = content_of(file);
    if (!text) {
        return failure(text.error());
    }
    std::vector<Json> values;
    std::size_t line = 1;
    for (std::size_t begin = 0; begin < text->size(); ++line) {
        const std::size_t end = std::min(text->find('\n', begin), text->size());
        const std::string_view content = std::string_view(*text).substr(begin, end - begin);
        begin = end + 1;
        if (content.find_first_not_of(" \t\r") == std::string_view::npos) {
            continue;
        }
        auto value = parsed(content, name_of(file) + ", line " + std::to_string(line));
        if (!value) {
            return failure(value.error());
        }
        values.push_back(*std::move(value));
    }
    return values;
}

} // namespace retort::cli
