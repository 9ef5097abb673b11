#include "core/distil/output_folder.h"

#include "core/base/files.h"
#include "core/base/text_format.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace retort {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kLargestPlan = std::uint64_t{16} << 20;
constexpr const char* kCheckpoints = "checkpoints";
constexpr std::array<std::string_view, 8> kFilesOfAStudent = {"README.md",         "chat_template.jinja", "config.json",    "generation_config.json",
                                                              "model.safetensors", "plan.json",           "tokenizer.json", "tokenizer_config.json"};

/// By the names, and by the disk's own idea of what is the same: a file system that does not tell cases apart, a folder mounted twice.
bool same_place(const fs::path& one, const fs::path& other)
{
    std::error_code unknown;
    return one == other || fs::equivalent(one, other, unknown);
}

Result<void> refuse(const fs::path& folder, const std::string& reason)
{
    return failure(Error::Kind::Usage, folder.string() + " " + reason);
}

/// What the plan reads, each with what it is.
std::vector<std::pair<fs::path, const char*>> read_places(const DistilPlan& plan, const RunPlaces& places)
{
    std::vector<std::pair<fs::path, const char*>> read{{places.teacher, "the teacher"}, {places.student, "the student that the run begins with"}};
    for (const std::string& file : plan.data.files) {
        read.emplace_back(file, "a file to learn from");
    }
    std::erase_if(read, [](const auto& place) { return place.first.empty(); });
    return read;
}

/// Only a student that the same plan made may be replaced, and nothing else may lie beside it.
Result<void> check_contents(const fs::path& out, const DistilPlan& plan)
{
    constexpr const char* kRemedy = " Choose another folder for --out, or move that one away.";
    std::error_code code;
    if (!fs::exists(out, code)) {
        return {};
    }
    if (!fs::is_directory(out, code)) {
        return refuse(out, std::string("is a file, and a student is saved as a folder.") + kRemedy);
    }
    bool holds_a_student = false;
    for (const fs::directory_entry& entry : fs::directory_iterator(out, code)) {
        const std::string name = entry.path().filename().string();
        if (name == kCheckpoints) {
            continue;
        }
        if (std::ranges::find(kFilesOfAStudent, name) == kFilesOfAStudent.end()) {
            return refuse(out, "holds " + printable(name) + ", which is no part of a student, so nothing is saved there." + kRemedy);
        }
        holds_a_student = true;
    }
    if (!holds_a_student) {
        return {};
    }
    if (!fs::exists(out / "plan.json", code)) {
        return refuse(out, std::string("holds a model that Retort did not distil, so nothing is saved over it.") + kRemedy);
    }
    const auto text = read_text_file(out / "plan.json", kLargestPlan);
    const auto theirs = text ? parse_plan(*text, (out / "plan.json").string()) : failure(text.error());
    const std::string difference = theirs ? first_difference(*theirs, plan) : "plan.json, which cannot be read";
    if (!difference.empty()) {
        return refuse(out, "holds the student of another plan, which differs in " + difference + ", so nothing is saved over it." + kRemedy);
    }
    return {};
}

} // namespace

fs::path resolved(const fs::path& path)
{
    std::error_code code;
    fs::path whole = fs::weakly_canonical(fs::absolute(path, code), code);
    if (code) {
        whole = fs::absolute(path, code).lexically_normal();
    }
    return whole.has_filename() ? whole : whole.parent_path();
}

bool lies_within(const fs::path& inner, const fs::path& outer)
{
    const fs::path place = resolved(outer);
    for (fs::path at = resolved(inner); !at.empty(); at = at.parent_path()) {
        if (same_place(at, place)) {
            return true;
        }
        if (at == at.parent_path()) {
            break;
        }
    }
    return false;
}

Result<void> check_checkpoint_folder(const RunPlaces& places)
{
    if (places.checkpoints.empty()) {
        return {};
    }
    if (!places.resume_from.empty() && lies_within(places.checkpoints, places.resume_from)) {
        return refuse(places.checkpoints,
                      "is the checkpoint that the run is resumed from, so no others are written into it. Choose another folder with "
                      "--checkpoints.");
    }
    for (const auto& [model, what] : {std::pair(places.teacher, "teacher"), std::pair(places.student, "student that the run begins with")}) {
        if (!model.empty() && resolved(places.checkpoints) == resolved(model)) {
            return refuse(places.checkpoints, "is the " + std::string(what) +
                                                  ", so no checkpoints are written into it. Choose another folder with "
                                                  "--checkpoints.");
        }
    }
    return {};
}

Result<void> check_output_folder(const fs::path& out, const DistilPlan& plan, const RunPlaces& places)
{
    for (const auto& [place, what] : read_places(plan, places)) {
        if (lies_within(out, place) || lies_within(place, out)) {
            return refuse(out, (same_place(resolved(out), resolved(place)) ? "is "
                                : lies_within(out, place)                  ? "lies in "
                                                                           : "holds ") +
                                   std::string(what) + " (" + place.string() +
                                   "), which the plan reads, so nothing is saved there. Choose another folder for --out.");
        }
    }
    for (const auto& [place, what] :
         {std::pair(places.resume_from, "the checkpoint that the run is resumed from"), std::pair(places.checkpoints, "the folder of checkpoints")}) {
        if (!place.empty() && lies_within(out, place)) {
            return refuse(out, std::string("is, or lies in, ") + what + ", so nothing is saved there. Choose another folder for --out.");
        }
    }
    return check_contents(out, plan);
}

} // namespace retort
