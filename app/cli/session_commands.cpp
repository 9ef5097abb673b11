#include "app/cli/commands.h"
#include "app/cli/run_record.h"

#include <ctime>
#include <memory>

namespace retort::cli {

namespace {

struct SessionOptions {
    std::string library;
    RowId id = 0;
    bool bin = false;
};

Result<std::unique_ptr<SessionStore>> open_library(const SessionOptions& options)
{
    const std::filesystem::path file = options.library.empty() ? default_library_path() : std::filesystem::path(options.library);
    if (!std::filesystem::exists(file)) {
        return failure(Error::Kind::Io, "There is no library at " + file.string() + ". Name one with --library FILE.");
    }
    return SessionStore::open(file, SessionStore::Mode::ReadOnly);
}

std::string date_of(std::int64_t ms)
{
    const std::time_t seconds = ms / 1000;
    std::tm local{};
    localtime_r(&seconds, &local);
    char text[32];
    std::strftime(text, sizeof text, "%Y-%m-%d %H:%M", &local);
    return text;
}

Json to_json(const SessionSummary& s)
{
    return {{"id", s.id},
            {"uuid", s.uuid},
            {"title", s.title},
            {"teacher", s.teacher},
            {"student", s.student},
            {"prompts", s.prompts},
            {"runs", s.runs},
            {"created_at", s.created_at},
            {"updated_at", s.updated_at},
            {"in_bin", s.in_bin},
            {"interrupted", s.has_interrupted_run}};
}

Result<void> list(const Shell& shell, const SessionOptions& options)
{
    const auto store = open_library(options);
    const auto sessions = store ? (*store)->sessions(options.bin) : failure(store.error());
    if (!sessions) {
        return failure(sessions.error());
    }
    for (const SessionSummary& session : *sessions) {
        if (shell.json()) {
            shell.print_json(to_json(session));
        } else {
            shell.print(std::to_string(session.id) + "\t" + date_of(session.updated_at) + "\t" + session.title + "\t" +
                        std::to_string(session.prompts) + " prompts, " + std::to_string(session.runs) + " runs\n");
        }
    }
    return {};
}

Json to_json(const StoredPrompt& prompt)
{
    Json messages = Json::array();
    for (const ChatMessage& message : prompt.messages) {
        messages.push_back({{"role", message.role}, {"content", message.content}});
    }
    Json responses = Json::array();
    for (const StoredResponse& response : prompt.responses) {
        responses.push_back({{"role", response.role},
                             {"text", response.text},
                             {"finish", response.finish},
                             {"tokens", response.tokens.size()},
                             {"first_token_ms", response.first_token_ms},
                             {"generation_ms", response.generation_ms}});
    }
    Json comparisons = Json::array();
    for (const StoredComparison& comparison : prompt.comparisons) {
        comparisons.push_back(
            {{"text_of", comparison.text_of}, {"mean_kl", comparison.comparison.mean_kl()}, {"same_top", comparison.comparison.same_top_share()}});
    }
    return {{"messages", std::move(messages)}, {"responses", std::move(responses)}, {"comparisons", std::move(comparisons)}};
}

Json to_json(const StoredRun& run)
{
    Json evaluations = Json::array();
    for (const EvaluationPoint& point : run.evaluations) {
        evaluations.push_back(cli::to_json(point));
    }
    Json plan = Json::parse(run.plan_json, nullptr, false);
    return {{"name", run.name},
            {"state", run.state},
            {"steps", run.last_step},
            {"total_steps", run.total_steps},
            {"active_ms", run.active_ms},
            {"error", run.error_text.empty() ? Json() : Json(run.error_text)},
            {"metrics", run.metrics.size()},
            {"evaluations", std::move(evaluations)},
            {"plan", plan.is_discarded() ? Json() : std::move(plan)}};
}

Result<void> show(const Shell& shell, const SessionOptions& options)
{
    const auto store = open_library(options);
    const auto session = store ? (*store)->session(options.id) : failure(store.error());
    if (!session) {
        return failure(session.error());
    }
    Json prompts = Json::array();
    for (const StoredPrompt& prompt : session->prompts) {
        prompts.push_back(to_json(prompt));
    }
    Json runs = Json::array();
    for (const StoredRun& run : session->runs) {
        runs.push_back(to_json(run));
    }
    Json whole = to_json(session->summary);
    whole["prompts"] = std::move(prompts);
    whole["runs"] = std::move(runs);
    if (shell.json()) {
        shell.print_json(whole);
    } else {
        shell.print(whole.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
    }
    return {};
}

Result<void> check(const Shell& shell, const SessionOptions& options)
{
    const auto store = open_library(options);
    const auto found = store ? (*store)->check() : failure(store.error());
    if (!found) {
        return failure(found.error());
    }
    if (shell.json()) {
        shell.print_json(Json{{"file", (*store)->file().string()}, {"found", *found}});
    } else {
        shell.print(*found + "\n");
    }
    return {};
}

} // namespace

void add_session(CLI::App& app, Shell& shell)
{
    CLI::App* session = app.add_subcommand("session", "The library of sessions");
    session->require_subcommand(1);
    const auto options = std::make_shared<SessionOptions>();
    const auto add = [&](const char* name, const char* does, const std::string& example, Result<void> (*run)(const Shell&, const SessionOptions&)) {
        CLI::App* command = shell.add_command(*session, name, does, example, [options, run](const Shell& s) { return run(s, *options); });
        command->add_option("--library", options->library, "The library's file; the window's own unless told otherwise")->option_text("FILE");
        return command;
    };
    add("list", "Sessions, latest change first", "retort-cli session list", list)->add_flag("--bin", options->bin, "Those in the bin");
    add("show", "One session whole", "retort-cli session show 3 --json", show)->add_option("ID", options->id, "As list shows it")->required();
    add("check", "Whether the library is sound", "retort-cli session check", check);
}

} // namespace retort::cli
