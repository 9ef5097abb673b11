#pragma once
#include "core/base/error.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace retort {

/// Everything that decides a distillation, as written in a plan file (format: the command line's documentation; every field but models and data has
/// this default). The same plan, models and seed give the same run on the same machine.
struct DistilPlan {
    static constexpr const char* kNoObjective = "none";

    std::string teacher;

    struct Student {
        std::string from{};                     ///< a model to go on from; or
        std::string layers{};                   ///< cut from the teacher: "every 2"; or
        std::vector<std::int64_t> layer_list{}; ///< cut from the teacher: these layers; or
        struct Fresh {
            std::string architecture = "llama";
            std::int64_t layers = 2, width = 96, heads = 4, kv_heads = 2, ffn = 256;
            std::uint64_t init_seed = 1;
        };
        std::optional<Fresh> fresh{}; ///< random weights of these sizes, the teacher's tokenizer
    } student;

    struct Data {
        std::string kind = "world"; ///< one of the catalogue: world, text, jsonl, token_batches
        std::uint64_t seed = 1;
        std::vector<std::string> files;
    } data;

    struct Objective {
        std::string name = "forward_kl"; ///< one of the catalogue, or "none": cross-entropy alone (alpha 1), no teacher
        double temperature = 2.0;
        double alpha_cross_entropy = 0.3; ///< loss = alpha CE + (1 - alpha) T^2 divergence (T for the total variation distance)
        double beta = 0.5;                ///< of gjsd: the teacher's share of the mixture
        double alpha = 0.1;               ///< of skewed_kl and skewed_reverse_kl: the share that is mixed in
    } objective;

    struct Optimiser {
        std::string name = "adamw";
        double lr = 1e-3;
        double beta1 = 0.9, beta2 = 0.95, eps = 1e-8;
        double weight_decay = 0.1; ///< on tensors of two or more dimensions
        double clip_norm = 1.0;
    } optimiser;

    struct Schedule {
        std::string kind = "cosine"; ///< one of the catalogue
        std::int64_t warmup_steps = 20;
        double final_fraction = 0.1;
    } schedule;

    std::int64_t steps = 600;
    struct BatchShape {
        std::int64_t sequences = 16, length = 128, accumulate = 1;
    } batch;
    std::string precision = "auto"; ///< auto (measured once at start), fp32, bf16
    std::uint64_t seed = 7;
    struct Evaluate {
        std::int64_t every = 50, sequences = 32;
    } evaluate;
    std::vector<std::string> probes;
    std::int64_t probe_every = 50;
    struct Checkpoint {
        double every_s = 60;
        std::int64_t keep = 2;
    } checkpoint;
    struct Stop {
        std::int64_t plateau_steps = 0;
        std::optional<double> loss_below;
    } stop;
};

struct Catalogues;

/// Unknown fields are an error that names the nearest known one; ranges are checked; what is chosen by name must be in `known`, which is the
/// built-ins where it is not given.
[[nodiscard]] Result<DistilPlan> parse_plan(std::string_view json, std::string_view origin);
[[nodiscard]] Result<DistilPlan> parse_plan(std::string_view json, std::string_view origin, const Catalogues& known);
[[nodiscard]] std::string to_json(const DistilPlan& plan);

/// What a plan is told by, in its checkpoints and beside its student: sha-256 over the fields that differ from their defaults, in alphabetical order.
/// A field that a later version adds changes nothing.
[[nodiscard]] std::string plan_identity(const DistilPlan& plan);
/// The first field in which two plans differ, "batch.length"; empty when there is none.
[[nodiscard]] std::string first_difference(const DistilPlan& one, const DistilPlan& other);

/// Step `step` (from 0) of `plan`: below warm-up lr (step + 1) / warmup, then lr times what the schedule of that kind gives.
[[nodiscard]] double learning_rate(const DistilPlan& plan, std::int64_t step);
[[nodiscard]] double learning_rate(const DistilPlan& plan, std::int64_t step, const Catalogues& known);

} // namespace retort
