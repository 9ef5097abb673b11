#include "core/distil/training_checkpoint.h"

#include "core/base/files.h"
#include "core/base/sha256.h"
#include "core/model/safetensors.h"

#include <algorithm>
#include <cstdio>
#include <fcntl.h>
#include <nlohmann/json.hpp>
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
    const nlohmann::ordered_json json = {{"step", state.step},
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

Result<void> write_moments(const fs::path& path, Student& training)
{
    const std::vector<std::int64_t> shape{static_cast<std::int64_t>(training.exp_avg().size())};
    WeightSet moments;
    moments.emplace("exp_avg", weight_from_floats(shape, training.exp_avg()));
    moments.emplace("exp_avg_sq", weight_from_floats(shape, training.exp_avg_sq()));
    return write_safetensors(path, moments);
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
    const auto take = [&](const char* name, std::span<float> to) {
        const auto found = content->tensors.find(name);
        if (found == content->tensors.end() || found->second.values() != static_cast<std::int64_t>(to.size())) {
            return false;
        }
        decode_rows(found->second, 0, found->second.rows(), to);
        return true;
    };
    if (!take("exp_avg", training.exp_avg()) || !take("exp_avg_sq", training.exp_avg_sq())) {
        return failure(Error::Kind::Mismatch, path.string() + ": the moments are not of a student with " + std::to_string(training.exp_avg().size()) +
                                                  " numbers; checkpoint and plan belong to different runs.");
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
    const fs::path place = parent / folder_name(state.step);
    const fs::path part = parent / (folder_name(state.step) + ".part");
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
    fs::remove_all(place, error);
    fs::rename(part, place, error);
    if (error) {
        return failure(Error::Kind::Io, place.string() + ": the finished checkpoint cannot be put in its place (" + error.message() + ").");
    }
    sync_names(parent);
    return note;
}

Result<TrainingState> read_training_state(const fs::path& folder)
{
    auto json = read_state(folder / "training.json");
    if (!json) {
        return failure(std::move(json.error()));
    }
    try {
        return TrainingState{.step = json->at("step"),
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

void prune_checkpoints(const fs::path& parent, std::int64_t keep)
{
    std::error_code error;
    std::vector<fs::path> whole;
    for (const fs::directory_entry& entry : fs::directory_iterator(parent, error)) {
        const std::string name = entry.path().filename().string();
        if (!name.starts_with("step-")) {
            continue;
        }
        if (name.ends_with(".part")) {
            fs::remove_all(entry.path(), error);
        } else {
            whole.push_back(entry.path());
        }
    }
    std::ranges::sort(whole, {}, [](const fs::path& path) { return std::pair(path.filename().string().size(), path.filename().string()); });
    while (static_cast<std::int64_t>(whole.size()) > keep) {
        fs::remove_all(whole.front(), error);
        whole.erase(whole.begin());
    }
}

} // namespace retort
