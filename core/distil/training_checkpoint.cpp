#include "core/distil/training_checkpoint.h"

#include "core/base/files.h"
#include "core/base/sha256.h"
#include "core/base/text_format.h"
#include "core/model/safetensors.h"

#include <algorithm>
#include <cstdio>
#include <fcntl.h>
#include <functional>
#include <nlohmann/json.hpp>
#include <numeric>
#include <unistd.h>
#include <utility>
#include <vector>

namespace retort {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kLargestStateFile = 1 << 20;

std::string folder_name(std::int64_t step)
{
    char name[32];
    std::snprintf(name, sizeof name, "step-%06lld", static_cast<long long>(step));
    return name;
}

std::string state_json(const TrainingState& state)
{
    const nlohmann::ordered_json json = {{"run", state.run},
                                         {"step", state.step},
                                         {"segment", state.segment},
                                         {"tokens", state.tokens},
                                         {"active_ms", state.active_ms},
                                         {"smoothed_loss", state.smoothed_loss},
                                         {"best_loss", state.best_loss},
                                         {"best_step", state.best_step},
                                         {"precision", state.precision},
                                         {"plan_sha256", state.plan_sha256},
                                         {"teacher_sha256", state.teacher_sha256},
                                         {"model_sha256", state.model_sha256},
                                         {"moments_sha256", state.moments_sha256}};
    return json.dump(2) + "\n";
}

/// The two moments under their names in the file, "exp_avg." and "exp_avg_sq." before the weight's.
std::vector<std::pair<std::string, std::span<float>>> moments_of(Student& training)
{
    return {{"exp_avg", training.exp_avg()}, {"exp_avg_sq", training.exp_avg_sq()}};
}

std::span<float> part_of(std::span<float> flat, const ParameterLayout::Named& weight)
{
    const auto count = std::accumulate(weight.shape.begin(), weight.shape.end(), std::int64_t{1}, std::multiplies<>());
    return flat.subspan(static_cast<std::size_t>(weight.offset), static_cast<std::size_t>(count));
}

Result<void> write_moments(const fs::path& path, Student& training)
{
    WeightSet file;
    for (const auto& [moment, flat] : moments_of(training)) {
        for (const ParameterLayout::Named& weight : training.net().layout().named()) {
            file.emplace(moment + "." + weight.name, weight_from_floats(weight.shape, part_of(flat, weight)));
        }
    }
    return write_safetensors(path, file);
}

Result<void> check_hash(const fs::path& path, const std::string& expected)
{
    auto hash = sha256_of_file(path);
    if (!hash) {
        return failure(std::move(hash.error()));
    }
    if (*hash != expected) {
        return failure(Error::Kind::BadFile,
                       path.string() + ": its sha256 is not the one that training.json noted; the checkpoint is damaged, an older one may be whole.");
    }
    return {};
}

Result<void> take_moments(const fs::path& path, Student& training)
{
    auto content = read_safetensors(path);
    if (!content) {
        return failure(std::move(content.error()));
    }
    if (content->tensors.contains("exp_avg")) {
        return failure(Error::Kind::Mismatch, path.string() +
                                                  ": Retort 0.1.0 wrote the optimiser's moments without the names of their weights, so they "
                                                  "cannot be told apart safely. Begin a new run with this checkpoint as student.from.");
    }
    for (const auto& [moment, flat] : moments_of(training)) {
        for (const ParameterLayout::Named& weight : training.net().layout().named()) {
            const std::string name = moment + "." + weight.name;
            const auto found = content->tensors.find(name);
            if (found == content->tensors.end() || found->second.shape != weight.shape) {
                return failure(Error::Kind::Mismatch, path.string() + (found == content->tensors.end() ? ": there is no " : ": another shape has ") +
                                                          printable(name) + "; checkpoint and plan belong to different runs.");
            }
            decode_rows(found->second, 0, found->second.rows(), part_of(flat, weight));
        }
    }
    return {};
}

Result<nlohmann::json> read_state(const fs::path& path)
{
    auto text = read_text_file(path, kLargestStateFile);
    if (!text) {
        return failure(std::move(text.error()));
    }
    nlohmann::json json = nlohmann::json::parse(*text, nullptr, false);
    if (!json.is_object()) {
        return failure(Error::Kind::BadFile, path.string() + ": this is no JSON object; the checkpoint is damaged.");
    }
    return json;
}

Result<void> write_parts(const fs::path& folder, const Model& student, const SaveOptions& files, const DistilPlan& plan, Student& training,
                         TrainingState& state)
{
    if (auto saved = save_model(student, folder, files); !saved) {
        return saved;
    }
    if (auto written = write_moments(folder / "training.safetensors", training); !written) {
        return written;
    }
    auto model_hash = sha256_of_file(folder / "model.safetensors");
    auto moments_hash = sha256_of_file(folder / "training.safetensors");
    if (!model_hash || !moments_hash) {
        return failure(std::move(!model_hash ? model_hash.error() : moments_hash.error()));
    }
    state.model_sha256 = *model_hash;
    state.moments_sha256 = *moments_hash;
    if (auto written = write_file_atomically(folder / "plan.json", to_json(plan)); !written) {
        return written;
    }
    return write_file_atomically(folder / "training.json", state_json(state));
}

/// The uuid of the run that wrote the checkpoint in `folder`; empty when it cannot be told.
std::string run_of(const fs::path& folder)
{
    const auto json = read_state(folder / "training.json");
    return json ? json->value("run", std::string()) : std::string();
}

/// Where the checkpoint of `state` goes: a name that is free, or that this very run has used before.
fs::path place_for(const fs::path& parent, const TrainingState& state)
{
    std::error_code unknown;
    fs::path place = parent / folder_name(state.step);
    for (int number = 2; fs::exists(fs::symlink_status(place, unknown)) && run_of(place) != state.run; ++number) {
        place = parent / (folder_name(state.step) + "-" + std::to_string(number));
    }
    return place;
}

std::string part_ending(const std::string& run)
{
    return "." + run + ".part";
}

/// So that a loss of power does not take back a name that the library already knows. Where a file system cannot, there is nothing more to be done.
void sync_names(const fs::path& folder)
{
    if (const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); fd >= 0) {
        ::fsync(fd);
        ::close(fd);
    }
}

} // namespace

Result<CheckpointNote> write_checkpoint(const fs::path& parent, const Model& student, const SaveOptions& files, const DistilPlan& plan,
                                        Student& training, TrainingState state)
{
    std::error_code error;
    const fs::path home = fs::weakly_canonical(fs::absolute(parent, error), error);
    const fs::path place = place_for(home, state);
    const fs::path part = home / (folder_name(state.step) + part_ending(state.run));
    fs::remove_all(part, error);
    fs::create_directories(part, error);
    if (error) {
        return failure(Error::Kind::Io, part.string() + ": the folder of a checkpoint cannot be made (" + error.message() + ").");
    }
    if (auto written = write_parts(part, student, files, plan, training, state); !written) {
        fs::remove_all(part, error);
        return failure(std::move(written.error()));
    }
    CheckpointNote note{.step = state.step, .path = place.string(), .sha256 = state.model_sha256};
    for (const fs::directory_entry& file : fs::directory_iterator(part)) {
        note.bytes += file.file_size();
    }
    note.weights_bytes = fs::file_size(part / "model.safetensors", error);
    fs::remove_all(place, error);
    fs::rename(part, place, error);
    if (error) {
        return failure(Error::Kind::Io, place.string() + ": the finished checkpoint cannot be put in its place (" + error.message() + ").");
    }
    sync_names(home);
    return note;
}

Result<TrainingState> read_training_state(const fs::path& folder)
{
    auto json = read_state(folder / "training.json");
    if (!json) {
        return failure(std::move(json.error()));
    }
    try {
        return TrainingState{.run = json->value("run", std::string()),
                             .step = json->at("step"),
                             .segment = json->at("segment"),
                             .tokens = json->at("tokens"),
                             .active_ms = json->at("active_ms"),
                             .smoothed_loss = json->at("smoothed_loss"),
                             .best_loss = json->at("best_loss"),
                             .best_step = json->at("best_step"),
                             .precision = json->at("precision"),
                             .plan_sha256 = json->at("plan_sha256"),
                             .teacher_sha256 = json->at("teacher_sha256"),
                             .model_sha256 = json->at("model_sha256"),
                             .moments_sha256 = json->at("moments_sha256")};
    } catch (const nlohmann::json::exception& exception) {
        return failure(Error::Kind::BadFile,
                       (folder / "training.json").string() + ": a field is missing or of another type; the checkpoint is damaged.", exception.what());
    }
}

Result<void> restore(const fs::path& folder, const TrainingState& state, Student& training)
{
    if (auto checked = check_hash(folder / "model.safetensors", state.model_sha256); !checked) {
        return checked;
    }
    if (auto checked = check_hash(folder / "training.safetensors", state.moments_sha256); !checked) {
        return checked;
    }
    auto weights = read_safetensors(folder / "model.safetensors");
    if (!weights) {
        return failure(std::move(weights.error()));
    }
    if (auto loaded = training.net().load(weights->tensors, folder.string()); !loaded) {
        return loaded;
    }
    if (auto taken = take_moments(folder / "training.safetensors", training); !taken) {
        return taken;
    }
    training.resume_at(state.step);
    return {};
}

void prune_checkpoints(const fs::path& parent, const std::string& run, std::int64_t keep)
{
    struct Own {
        std::int64_t segment = 0, step = 0; ///< in this order they were written: what a resume gave up has higher steps and an earlier segment
        fs::path folder;
    };
    std::error_code error;
    std::vector<Own> own;
    for (const fs::directory_entry& entry : fs::directory_iterator(parent, error)) {
        if (entry.path().filename().string().ends_with(part_ending(run))) {
            fs::remove_all(entry.path(), error);
        } else if (const auto state = read_state(entry.path() / "training.json"); state && state->value("run", std::string()) == run) {
            own.push_back({state->value("segment", std::int64_t{0}), state->value("step", std::int64_t{0}), entry.path()});
        }
    }
    std::ranges::sort(own, {}, [](const Own& one) { return std::pair(one.segment, one.step); });
    for (std::size_t i = 0; i + static_cast<std::size_t>(keep) < own.size(); ++i) {
        fs::remove_all(own[i].folder, error);
    }
}

std::size_t checkpoints_of_others(const fs::path& parent, const std::string& run)
{
    std::error_code error;
    std::size_t count = 0;
    for (const fs::directory_entry& entry : fs::directory_iterator(parent, error)) {
        const bool whole = fs::exists(entry.path() / "training.json", error) && entry.path().extension() != ".part";
        count += whole && run_of(entry.path()) != run ? 1 : 0;
    }
    return count;
}

} // namespace retort
