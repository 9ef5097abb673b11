#include "core/distil/run_check.h"

#include "core/base/files.h"
#include "core/base/memory.h"
#include "core/base/text_format.h"
#include "core/distil/catalogues.h"
#include "core/distil/head_loss.h"
#include "core/distil/precision.h"
#include "core/model/memory_estimate.h"

#include <algorithm>

namespace retort {
namespace {

constexpr std::uint64_t kLargestPlan = std::uint64_t{16} << 20;

Result<void> check_tokenizers(const Model& teacher, const Model& student)
{
    if (!teacher.has_tokenizer() || !student.has_tokenizer()) {
        if (teacher.spec().vocabulary == student.spec().vocabulary) {
            return {};
        }
        return failure(Error::Kind::Mismatch, "Without tokenizers to compare, teacher and student must have equally many pieces; they have " +
                                                  std::to_string(teacher.spec().vocabulary) + " and " + std::to_string(student.spec().vocabulary) +
                                                  ".");
    }
    const TokenizerMatch match = compare_tokenizers(teacher.tokenizer(), student.tokenizer());
    if (!match.same) {
        return failure(Error::Kind::Mismatch, "The student cannot learn from this teacher token by token: " + match.reason);
    }
    return {};
}

Result<void> check_lengths(const DistilPlan& plan, const Model& teacher, const Model& student)
{
    for (const Model* model : {&teacher, &student}) {
        if (plan.batch.length > model->spec().context) {
            return failure(Error::Kind::Usage, "batch.length is " + std::to_string(plan.batch.length) + ", but " + printable(model->info().name) +
                                                   " reads at most " + std::to_string(model->spec().context) + " tokens; shorten the sequences.");
        }
    }
    return {};
}

/// A plan that was not read from a file may name anything.
Result<void> check_names(const RunRequest& request)
{
    const Catalogues& known = request.known != nullptr ? *request.known : built_in_catalogues();
    const auto objective = known.objective(request.plan.objective);
    const auto optimiser = known.optimisers.choose(request.plan.optimiser.name, "optimiser.name");
    const auto schedule = known.schedules.choose(request.plan.schedule.kind, "schedule.kind");
    return !objective ? failure(objective.error()) : !optimiser ? failure(optimiser.error()) : !schedule ? failure(schedule.error()) : Result<void>();
}

Result<void> check_free_memory(const RunRequest& request, const Model& student)
{
    const std::uint64_t needed = training_memory(request.plan, request.teacher.spec(), student.spec());
    const std::uint64_t free = available_memory();
    if (free > 0 && needed > free) {
        return failure(Error::Kind::OutOfMemory, "This distillation would take " + format_bytes(needed) + " of memory and " + format_bytes(free) +
                                                     " are free; fewer or shorter sequences in a batch (and more accumulation) take less.");
    }
    return {};
}

} // namespace

Result<std::int64_t> check_request(const RunRequest& request, const Model& student)
{
    if (!request.data) {
        return failure(Error::Kind::Usage, "A distillation needs data to learn from.");
    }
    const Result<void> checked = check_tokenizers(request.teacher, student)
                                     .and_then([&] { return check_lengths(request.plan, request.teacher, student); })
                                     .and_then([&] { return check_names(request); })
                                     .and_then([&] { return check_free_memory(request, student); });
    if (!checked) {
        return failure(checked.error());
    }
    std::int64_t vocabulary = std::min(request.teacher.spec().vocabulary, student.spec().vocabulary);
    if (student.has_tokenizer()) {
        vocabulary = std::min(vocabulary, static_cast<std::int64_t>(student.tokenizer().size()));
    }
    return vocabulary;
}

std::vector<std::string> remarks_on(const RunRequest& request, const Model& student)
{
    std::vector<std::string> remarks;
    if (std::string remark = request.data->remark(request.plan.batch.length); !remark.empty()) {
        remarks.push_back(std::move(remark));
    }
    if (request.plan.evaluate.every > 0 && !request.data->has_held_out()) {
        remarks.push_back("The data holds nothing out (" + request.data->description() + "), so the student is not evaluated while it trains.");
    }
    if (!request.plan.probes.empty() && request.plan.probe_every > 0 && !student.has_tokenizer()) {
        remarks.emplace_back("The student has no tokenizer, so the probes of the plan are not answered.");
    }
    return remarks;
}

Result<TrainingState> state_to_resume(const RunRequest& request)
{
    auto state = read_training_state(request.resume_from);
    if (!state) {
        return state;
    }
    const std::string place = request.resume_from.string();
    if (state->teacher_sha256 != request.teacher.info().sha256) {
        return failure(Error::Kind::Mismatch, place + ": this checkpoint's run learned from another teacher than " +
                                                  printable(request.teacher.info().name) + "; a run is resumed with the teacher it began with.");
    }
    if (state->plan_sha256 == plan_identity(request.plan)) {
        return state;
    }
    // The version that wrote it may have had other defaults or hashed otherwise; the plan itself lies beside.
    auto text = read_text_file(request.resume_from / "plan.json", kLargestPlan);
    const auto theirs = text ? parse_plan(*text, (request.resume_from / "plan.json").string()) : failure(text.error());
    if (!theirs) {
        return failure(theirs.error());
    }
    const std::string difference = first_difference(*theirs, request.plan);
    if (difference.empty()) {
        return state;
    }
    return failure(Error::Kind::Mismatch, place + ": this checkpoint is of another plan, which differs in " + difference +
                                              "; a run is resumed with the plan it began with (plan.json beside the checkpoint).");
}

void complete_files(RunRequest& request)
{
    if (!request.files.tokenizer_json.empty()) {
        return;
    }
    if (auto teachers = save_options_of(request.teacher.info())) { // without them a checkpoint still resumes
        request.files.tokenizer_json = std::move(teachers->tokenizer_json);
        if (request.files.tokenizer_config_json.empty()) {
            request.files.tokenizer_config_json = std::move(teachers->tokenizer_config_json);
        }
    }
}

std::uint64_t training_memory(const DistilPlan& plan, const DecoderShape& teacher, const DecoderShape& student)
{
    const TrainingSizes sizes{.sequences = plan.batch.sequences,
                              .length = plan.batch.length,
                              .head_rows = std::min(head_rows(student.vocabulary), plan.batch.sequences * plan.batch.length),
                              .rounds = decide_precision(plan.precision) == TrainableNet::Precision::Bf16,
                              .copies = plan.probes.empty() ? 1 : 2};
    return training_memory(student, plan.objective.name == DistilPlan::kNoObjective ? nullptr : &teacher, sizes);
}

} // namespace retort
