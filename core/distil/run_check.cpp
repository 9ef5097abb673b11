#include "core/distil/run_check.h"

#include "core/base/memory.h"
#include "core/base/text_format.h"
#include "core/distil/head_loss.h"

#include <algorithm>

namespace retort {
namespace {

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

Result<void> check_objective(const RunRequest& request)
{
    const std::string& name = request.plan.objective.name;
    const bool known = name == "none" || (request.objective ? request.objective->name() == name : name == "forward_kl");
    if (!known) {
        return failure(Error::Kind::Usage, "objective.name is \"" + printable(name) + "\", which is none of the objectives that are registered.");
    }
    return {};
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

/// Numbers kept for each position: what a layer's forward pass leaves.
std::uint64_t layer_values(const ArchSpec& spec)
{
    return static_cast<std::uint64_t>(3 * spec.width + 2 * spec.query_width() + 2 * spec.kv_width() + 3 * spec.ffn);
}

} // namespace

Result<std::int64_t> check_request(const RunRequest& request, const Model& student)
{
    if (!request.data) {
        return failure(Error::Kind::Usage, "A distillation needs data to learn from.");
    }
    const Result<void> checked = check_tokenizers(request.teacher, student)
                                     .and_then([&] { return check_lengths(request.plan, request.teacher, student); })
                                     .and_then([&] { return check_objective(request); })
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

std::uint64_t training_memory(const DistilPlan& plan, const ArchSpec& teacher, const ArchSpec& student)
{
    const auto rows = static_cast<std::uint64_t>(plan.batch.sequences * plan.batch.length);
    const std::uint64_t each = plan.precision == "fp32" ? 4 : 2;
    // Parameters, gradients and two moments in float, with the rounded copy and the product's scratch where there are such.
    std::uint64_t bytes = student.parameters() * 16 + (each == 2 ? student.parameters() * 2 : 0);
    bytes += rows * static_cast<std::uint64_t>(student.layers) * (layer_values(student) * each + static_cast<std::uint64_t>(8 * student.width));
    bytes += rows * (layer_values(student) * each + static_cast<std::uint64_t>(8 * student.width));
    const auto head = static_cast<std::uint64_t>(head_rows(student.vocabulary) * student.vocabulary);
    bytes += head * each + static_cast<std::uint64_t>(student.vocabulary * student.width) * (each == 2 ? 2 : 0);
    if (plan.objective.name != "none") {
        bytes += teacher.parameters() * each + rows * (layer_values(teacher) * each + static_cast<std::uint64_t>(8 * teacher.width)) + head * each;
    }
    return bytes;
}

} // namespace retort
