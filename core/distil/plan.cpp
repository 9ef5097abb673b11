#include "core/distil/plan.h"

#include "core/base/sha256.h"
#include "core/base/text_format.h"
#include "core/distil/catalogues.h"
#include "core/distil/plan_fields.h"
#include "core/text/json_problem.h"

#include <algorithm>

namespace retort {
namespace {

using nlohmann::json;

constexpr double kLarge = 1e12;

/// `{"from": MODEL}`, `{"layers": "every 2"}`, `{"layers": [0, 3]}` or the sizes of a fresh one.
void read_student(PlanFields fields, DistilPlan::Student& student)
{
    const json* layers = fields.find("layers");
    fields.read("from", student.from);
    if (layers != nullptr && layers->is_string()) {
        fields.read("layers", student.layers);
        if (student.layers.rfind("every ", 0) != 0) {
            fields.complain(fields.place("layers") + " is \"" + printable(student.layers) + "\"; as a text it is written \"every 2\".");
        }
    } else if (layers != nullptr && layers->is_array()) {
        fields.read("layers", student.layer_list, 0, 1023);
        if (student.layer_list.empty()) {
            fields.complain(fields.place("layers") + " is empty; a student needs at least one layer.");
        }
    } else if (!fields.has("from")) {
        DistilPlan::Student::Fresh fresh;
        fields.read_choice("architecture", fresh.architecture, {"llama"});
        fields.read("layers", fresh.layers, 1, 1024);
        fields.read("width", fresh.width, 1, 65536);
        fields.read("heads", fresh.heads, 1, 1024);
        fields.read("kv_heads", fresh.kv_heads, 1, 1024);
        fields.read("ffn", fresh.ffn, 1, 1 << 20);
        fields.read("init_seed", fresh.init_seed);
        student.fresh = fresh;
    }
    if (fields.has("from") && layers != nullptr) {
        fields.complain("student has both \"from\" and \"layers\"; it is either taken over or cut.");
    }
    fields.refuse_others();
}

void read_data(PlanFields fields, DistilPlan::Data& data, const Catalogues& known)
{
    fields.read_choice("kind", data.kind, known.data_kinds.names());
    fields.read("seed", data.seed);
    fields.read("files", data.files);
    fields.refuse_others();
}

/// A share that is mixed in; at 0 or 1 of gjsd nothing would be left to learn.
void read_share(PlanFields& fields, const char* name, double& share, double least, const DistilPlan::Objective& objective, const Catalogues& known)
{
    const ObjectiveKind* kind = known.objectives.find(objective.name);
    if (fields.has(name) && kind != nullptr && std::ranges::find(kind->options, name) == kind->options.end()) {
        fields.complain(fields.place(name) + " is no option of the objective \"" + objective.name + "\".");
    }
    fields.read(name, share, least, 0.999);
}

void read_objective(PlanFields fields, DistilPlan::Objective& objective, const Catalogues& known)
{
    std::vector<std::string> names = known.objectives.names();
    names.emplace_back(DistilPlan::kNoObjective);
    fields.read_choice("name", objective.name, names);
    fields.read("temperature", objective.temperature, 0.01, 1000);
    fields.read("alpha_cross_entropy", objective.alpha_cross_entropy, 0, 1);
    read_share(fields, "beta", objective.beta, 0.001, objective, known);
    read_share(fields, "alpha", objective.alpha, 0, objective, known);
    fields.refuse_others();
}

void read_optimiser(PlanFields fields, DistilPlan::Optimiser& optimiser, const Catalogues& known)
{
    fields.read_choice("name", optimiser.name, known.optimisers.names());
    fields.read("lr", optimiser.lr, 0, 100);
    if (const json* betas = fields.find("betas")) {
        const auto fits = [](const json& beta) { return beta.is_number() && beta.get<double>() >= 0 && beta.get<double>() < 1; };
        if (betas->is_array() && betas->size() == 2 && std::ranges::all_of(*betas, fits)) {
            optimiser.beta1 = betas->at(0).get<double>();
            optimiser.beta2 = betas->at(1).get<double>();
        } else {
            fields.complain(fields.place("betas") + " is not a list of two numbers from 0 to below 1.");
        }
    }
    fields.read("eps", optimiser.eps, 0, 1);
    fields.read("weight_decay", optimiser.weight_decay, 0, 100);
    fields.read("clip_norm", optimiser.clip_norm, 0, kLarge);
    fields.refuse_others();
}

void read_schedule(PlanFields fields, DistilPlan::Schedule& schedule, const Catalogues& known)
{
    fields.read_choice("kind", schedule.kind, known.schedules.names());
    fields.read("warmup_steps", schedule.warmup_steps, 0, 1'000'000'000);
    fields.read("final_fraction", schedule.final_fraction, 0, 1);
    fields.refuse_others();
}

void read_batch(PlanFields fields, DistilPlan::BatchShape& batch)
{
    fields.read("sequences", batch.sequences, 1, 1 << 16);
    fields.read("length", batch.length, 2, 1 << 20);
    fields.read("accumulate", batch.accumulate, 1, 1 << 16);
    fields.refuse_others();
}

void read_stop(PlanFields fields, DistilPlan::Stop& stop)
{
    fields.read("plateau_steps", stop.plateau_steps, 0, 1'000'000'000);
    if (const json* below = fields.find("loss_below"); below != nullptr && !below->is_null()) {
        double limit = 0;
        fields.read("loss_below", limit, -kLarge, kLarge);
        stop.loss_below = limit;
    }
    fields.refuse_others();
}

DistilPlan read_plan(const json& root, const Catalogues& known, std::optional<std::string>& problem)
{
    DistilPlan plan;
    PlanFields fields(root, "", problem);
    fields.read("teacher", plan.teacher);
    for (const char* needed : {"teacher", "student", "data"}) {
        if (!fields.has(needed)) {
            fields.complain(std::string("the plan has no \"") + needed + "\", which has no default.");
        }
    }
    read_student(fields.object("student"), plan.student);
    read_data(fields.object("data"), plan.data, known);
    read_objective(fields.object("objective"), plan.objective, known);
    read_optimiser(fields.object("optimiser"), plan.optimiser, known);
    read_schedule(fields.object("schedule"), plan.schedule, known);
    fields.read("steps", plan.steps, 1, 1'000'000'000);
    read_batch(fields.object("batch"), plan.batch);
    fields.read_choice("precision", plan.precision, {"auto", "fp32", "bf16"});
    fields.read("seed", plan.seed);
    PlanFields evaluate = fields.object("evaluate");
    evaluate.read("every", plan.evaluate.every, 0, 1'000'000'000);
    evaluate.read("sequences", plan.evaluate.sequences, 1, 1 << 20);
    evaluate.refuse_others();
    fields.read("probes", plan.probes);
    fields.read("probe_every", plan.probe_every, 0, 1'000'000'000);
    PlanFields checkpoint = fields.object("checkpoint");
    checkpoint.read("every_s", plan.checkpoint.every_s, 0, kLarge);
    checkpoint.read("keep", plan.checkpoint.keep, 1, 1000);
    checkpoint.refuse_others();
    read_stop(fields.object("stop"), plan.stop);
    fields.refuse_others();
    return plan;
}

json student_json(const DistilPlan::Student& student)
{
    if (!student.from.empty()) {
        return {{"from", student.from}};
    }
    if (!student.layers.empty()) {
        return {{"layers", student.layers}};
    }
    if (!student.layer_list.empty()) {
        return {{"layers", student.layer_list}};
    }
    const DistilPlan::Student::Fresh fresh = student.fresh.value_or(DistilPlan::Student::Fresh{});
    return {{"architecture", fresh.architecture}, {"layers", fresh.layers}, {"width", fresh.width},        {"heads", fresh.heads},
            {"kv_heads", fresh.kv_heads},         {"ffn", fresh.ffn},       {"init_seed", fresh.init_seed}};
}

/// Without the options that are as they are by default, which most objectives do not have.
nlohmann::ordered_json objective_json(const DistilPlan::Objective& objective)
{
    const DistilPlan::Objective defaults;
    nlohmann::ordered_json fields = {
        {"name", objective.name}, {"temperature", objective.temperature}, {"alpha_cross_entropy", objective.alpha_cross_entropy}};
    if (objective.beta != defaults.beta) {
        fields["beta"] = objective.beta;
    }
    if (objective.alpha != defaults.alpha) {
        fields["alpha"] = objective.alpha;
    }
    return fields;
}

} // namespace

Result<DistilPlan> parse_plan(std::string_view text, std::string_view origin)
{
    return parse_plan(text, origin, built_in_catalogues());
}

Result<DistilPlan> parse_plan(std::string_view text, std::string_view origin, const Catalogues& known)
{
    const json root = json::parse(text, nullptr, false);
    if (root.is_discarded()) {
        return failure(Error::Kind::BadFile, printable(origin) + " " + json_problem(text) + "; a plan is one JSON object.");
    }
    std::optional<std::string> problem;
    DistilPlan plan = read_plan(root, known, problem);
    if (problem) {
        return failure(Error::Kind::Usage, printable(origin) + ": " + *problem);
    }
    return plan;
}

std::string to_json(const DistilPlan& plan)
{
    nlohmann::ordered_json root;
    root["teacher"] = plan.teacher;
    root["student"] = student_json(plan.student);
    root["data"] = {{"kind", plan.data.kind}, {"seed", plan.data.seed}, {"files", plan.data.files}};
    root["objective"] = objective_json(plan.objective);
    const DistilPlan::Optimiser& optimiser = plan.optimiser;
    root["optimiser"] = {{"name", optimiser.name},
                         {"lr", optimiser.lr},
                         {"betas", json::array({optimiser.beta1, optimiser.beta2})},
                         {"eps", optimiser.eps},
                         {"weight_decay", optimiser.weight_decay},
                         {"clip_norm", optimiser.clip_norm}};
    root["schedule"] = {{"kind", plan.schedule.kind}, {"warmup_steps", plan.schedule.warmup_steps}, {"final_fraction", plan.schedule.final_fraction}};
    root["steps"] = plan.steps;
    root["batch"] = {{"sequences", plan.batch.sequences}, {"length", plan.batch.length}, {"accumulate", plan.batch.accumulate}};
    root["precision"] = plan.precision;
    root["seed"] = plan.seed;
    root["evaluate"] = {{"every", plan.evaluate.every}, {"sequences", plan.evaluate.sequences}};
    root["probes"] = plan.probes;
    root["probe_every"] = plan.probe_every;
    root["checkpoint"] = {{"every_s", plan.checkpoint.every_s}, {"keep", plan.checkpoint.keep}};
    root["stop"] = {{"plateau_steps", plan.stop.plateau_steps}, {"loss_below", nullptr}};
    if (plan.stop.loss_below) {
        root["stop"]["loss_below"] = *plan.stop.loss_below;
    }
    return root.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

std::string plan_identity(const DistilPlan& plan)
{
    json fields = json::parse(to_json(plan)).flatten();
    const json defaults = json::parse(to_json(DistilPlan{})).flatten();
    for (const auto& item : defaults.items()) {
        if (const auto found = fields.find(item.key()); found != fields.end() && *found == item.value()) {
            fields.erase(found);
        }
    }
    return sha256_hex(fields.dump());
}

std::string first_difference(const DistilPlan& one, const DistilPlan& other)
{
    const json ours = json::parse(to_json(one)).flatten();
    const json theirs = json::parse(to_json(other)).flatten();
    for (const auto* plan : {&ours, &theirs}) {
        for (const auto& item : plan->items()) {
            if (!ours.contains(item.key()) || !theirs.contains(item.key()) || ours[item.key()] != theirs[item.key()]) {
                std::string field = item.key().substr(1);
                std::ranges::replace(field, '/', '.');
                return field;
            }
        }
    }
    return {};
}

double learning_rate(const DistilPlan& plan, std::int64_t step)
{
    return learning_rate(plan, step, built_in_catalogues());
}

double learning_rate(const DistilPlan& plan, std::int64_t step, const Catalogues& known)
{
    const DistilPlan::Schedule& schedule = plan.schedule;
    if (step < schedule.warmup_steps) {
        return plan.optimiser.lr * static_cast<double>(step + 1) / static_cast<double>(schedule.warmup_steps);
    }
    const double span = static_cast<double>(std::max<std::int64_t>(1, plan.steps - schedule.warmup_steps));
    const ScheduleKind* kind = known.schedules.find(schedule.kind);
    return kind == nullptr ? plan.optimiser.lr
                           : plan.optimiser.lr * kind->factor(schedule, std::min(1.0, static_cast<double>(step - schedule.warmup_steps) / span));
}

} // namespace retort
