#include "app/cli/commands.h"
#include "app/cli/run_record.h"

#include "core/base/text_format.h"

#include <ctime>
#include <memory>

namespace retort::cli {

namespace {

struct SessionOptions {
    std::string library;
    RowId id = 0;
    bool bin = false, remove_unwanted = false;
    std::vector<std::string> words;
    std::string file;
};

std::filesystem::path library_of(const SessionOptions& options)
{
    return options.library.empty() ? default_library_path() : std::filesystem::path(options.library);
}

Result<std::unique_ptr<SessionStore>> open_library(const SessionOptions& options)
{
    const std::filesystem::path file = library_of(options);
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
    const auto sessions = store ? (*store)->sessions().list(options.bin) : failure(store.error());
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
            {"uuid", run.uuid},
            {"state", run.state},
            {"error", run.error_text.empty() ? Json() : Json(run.error_text)},
            {"discarded", run.discarded},
            {"steps", run.last_step},
            {"total_steps", run.total_steps},
            {"active_ms", run.active_ms},
            {"error", run.error_text.empty() ? Json() : Json(run.error_text)},
            {"metrics", run.metrics.size()},
            {"evaluations", std::move(evaluations)},
            {"plan", plan.is_discarded() ? Json() : std::move(plan)}};
}

Result<Json> whole_session(SessionStore& store, RowId id)
{
    const auto session = store.sessions().read(id);
    if (!session) {
        return failure(session.error());
    }
    Json prompts = Json::array();
    for (const ExchangeHead& head : session->prompts) {
        const auto prompt = store.exchanges().read(head.id);
        if (!prompt) {
            return failure(prompt.error());
        }
        prompts.push_back(to_json(*prompt));
    }
    Json runs = Json::array();
    for (const StoredRun& head : session->runs) {
        const auto run = store.runs().read(head.id);
        if (!run) {
            return failure(run.error());
        }
        runs.push_back(to_json(*run));
    }
    Json whole = to_json(session->summary);
    whole["prompts"] = std::move(prompts);
    whole["runs"] = std::move(runs);
    return whole;
}

Result<void> show(const Shell& shell, const SessionOptions& options)
{
    const auto store = open_library(options);
    const auto whole = store ? whole_session(**store, options.id) : failure(store.error());
    if (!whole) {
        return failure(whole.error());
    }
    if (shell.json()) {
        shell.print_json(*whole);
    } else {
        shell.print(whole->dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
    }
    return {};
}

Result<void> search(const Shell& shell, const SessionOptions& options)
{
    std::string words;
    for (const std::string& word : options.words) {
        words += (words.empty() ? "" : " ") + word;
    }
    const auto store = open_library(options);
    const auto hits = store ? (*store)->sessions().search(words) : failure(store.error());
    if (!hits) {
        return failure(hits.error());
    }
    for (const SearchHit& hit : *hits) {
        const char* where = hit.prompt == 0 ? "title" : hit.role.empty() ? "prompt" : hit.role.c_str();
        if (shell.json()) {
            shell.print_json(Json{{"session", hit.session},
                                  {"title", hit.session_title},
                                  {"prompt", hit.prompt == 0 ? Json() : Json(hit.prompt)},
                                  {"in", where},
                                  {"snippet", hit.snippet},
                                  {"words", hit.words}});
        } else {
            shell.print(std::to_string(hit.session) + "\t" + hit.session_title + "\t" + where + "\t" + hit.snippet + "\n");
        }
    }
    if (hits->empty()) {
        shell.say("No session has all of these words.");
    }
    return {};
}

Result<void> export_to_file(const Shell& shell, const SessionOptions& options)
{
    std::filesystem::path file = options.file.empty() ? "session-" + std::to_string(options.id) : options.file;
    if (!file.has_extension()) {
        file += ".retort";
    }
    if (std::filesystem::exists(file)) {
        return failure(Error::Kind::Usage, file.string() + " is there already. Name another file with --to, or move it aside.");
    }
    const auto store = open_library(options);
    if (auto written = store ? (*store)->export_session(options.id, file) : failure(store.error()); !written) {
        return written;
    }
    if (shell.json()) {
        shell.print_json(Json{{"file", file.string()}, {"bytes", std::filesystem::file_size(file)}});
    } else {
        shell.print("Session " + std::to_string(options.id) + " is in " + file.string() + ", without the weights of its models.\n");
    }
    return {};
}

Result<void> import_from_file(const Shell& shell, const SessionOptions& options)
{
    const auto store = SessionStore::open(library_of(options)); // a first library is made
    const auto session = store ? (*store)->import_session(options.file) : failure(store.error());
    if (!session) {
        return failure(session.error());
    }
    if (shell.json()) {
        shell.print_json(Json{{"session", *session}, {"library", (*store)->file().string()}});
    } else {
        shell.print(options.file + " is session " + std::to_string(*session) + " of " + (*store)->file().string() + " now.\n");
    }
    return {};
}

/// Which checkpoints take room, and which of them no run wants any more.
void print_checkpoints(const Shell& shell, const std::vector<CheckpointFolder>& folders)
{
    std::uint64_t unwanted = 0;
    for (const CheckpointFolder& folder : folders) {
        const char* why = folder.wanted ? "" : folder.run != 0 ? ", of a run that was discarded" : ", of no run in this library";
        shell.print(format_bytes(folder.bytes) + "\t" + folder.folder + (folder.run_name.empty() ? "" : "\t" + folder.run_name) + why + "\n");
        unwanted += folder.removable ? folder.bytes : 0;
    }
    if (unwanted > 0) {
        shell.print(format_bytes(unwanted) + " can be freed with: retort-cli session check --remove-unwanted\n");
    }
}

Json to_json(const CheckpointFolder& folder)
{
    return {{"folder", folder.folder},
            {"bytes", folder.bytes},
            {"run", folder.run == 0 ? Json() : Json(folder.run)},
            {"session", folder.session == 0 ? Json() : Json(folder.session)},
            {"wanted", folder.wanted},
            {"removable", folder.removable}};
}

Result<void> check(const Shell& shell, const SessionOptions& options)
{
    std::uint64_t freed = 0;
    if (options.remove_unwanted) {
        // As a writer, so that no run is writing checkpoints meanwhile.
        const auto writer = SessionStore::open(library_of(options));
        auto removed = writer ? (*writer)->runs().remove_unwanted_checkpoints() : failure(writer.error());
        if (!removed) {
            return failure(std::move(removed.error()));
        }
        freed = *removed;
    }
    const auto store = open_library(options);
    const auto found = store ? (*store)->check() : failure(store.error());
    const auto folders = found ? (*store)->runs().checkpoint_folders() : failure(found.error());
    if (!folders) {
        return failure(folders.error());
    }
    if (shell.json()) {
        Json checkpoints = Json::array();
        for (const CheckpointFolder& folder : *folders) {
            checkpoints.push_back(to_json(folder));
        }
        shell.print_json(
            Json{{"file", (*store)->file().string()}, {"found", *found}, {"checkpoints", std::move(checkpoints)}, {"freed_bytes", freed}});
        return {};
    }
    shell.print(*found + "\n");
    if (options.remove_unwanted) {
        shell.print(format_bytes(freed) + " of checkpoints were removed.\n");
    }
    print_checkpoints(shell, *folders);
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
    add("search", "Titles, prompts and answers that have all of these words", "retort-cli session search red kite", search)
        ->add_option("WORDS", options->words, "Each as the beginning of a word")
        ->required();
    CLI::App* to_file = add("export", "One session as a file of its own", "retort-cli session export 3 --to kite.retort", export_to_file);
    to_file->add_option("ID", options->id, "As list shows it")->required();
    to_file->add_option("--to", options->file, "session-ID.retort unless told otherwise")->option_text("FILE");
    add("import", "Take in a session that was exported", "retort-cli session import kite.retort", import_from_file)
        ->add_option("FILE", options->file, "As export wrote it")
        ->required();
    add("check", "Whether the library is sound, and what its checkpoints take", "retort-cli session check", check)
        ->add_flag("--remove-unwanted", options->remove_unwanted, "Remove checkpoints of discarded runs and of none, for good");
}

} // namespace retort::cli
