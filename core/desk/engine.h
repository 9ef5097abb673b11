#pragma once
#include "core/data/world/world.h"
#include "core/desk/exchange.h"
#include "core/desk/role_state.h"
#include "core/distil/objective.h"
#include "core/distil/run.h"
#include "core/inference/comparison.h"
#include "core/inference/generator.h"
#include "core/model/net.h"

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace retort {

/// The models in both roles, laid out for running, and what is done with them. Made by the workbench, touched only by tasks of the engine's Worker.
class Engine {
public:
    /// Loads `spec` into `role` in place of who was there; he stays when it does not succeed. `head` hears what the file's head says, before the
    /// weights are read.
    [[nodiscard]] Result<ModelFacts> load(Role role, const std::string& spec, const Progress& progress,
                                          const std::function<void(const ModelInfo&, const MemoryEstimate&)>& head);
    void eject(Role role);
    void swap();
    /// A new student from the teacher, in memory only.
    [[nodiscard]] Result<ModelFacts> create_student(const DistilPlan& plan);

    struct Asking {
        Question question;
        /// What the answers begin with instead of the models' own choice; the same ids for both, each with its own model's view of them.
        std::array<std::vector<GeneratedToken>, 2> kept;
    };
    /// Called on the engine thread as things happen; a role without a model is never mentioned.
    struct AskReport {
        std::function<void(Role, const std::string& model_name, const Prompt&)> started;
        std::function<void(Role, std::vector<GeneratedToken>)> tokens; ///< at most 40 times a second each
        std::function<void(Role, Result<Answer>)> finished;
    };
    /// Both models answer, a token each in turn.
    void ask(const Asking& asking, const AskReport& report, std::stop_token stop);

    /// Both models on `answer`; its positions are the answer's tokens.
    [[nodiscard]] Result<Comparison> compare(const Answer& answer, std::stop_token stop);
    [[nodiscard]] Result<DistributionSnapshot> snapshot(std::vector<TokenId> context, std::stop_token stop);

    /// The run for `plan` with the models that stand in the roles now.
    [[nodiscard]] Result<std::shared_ptr<DistillationRun>> make_run(const DistilPlan& plan, const Catalogues& known,
                                                                    const std::filesystem::path& checkpoints,
                                                                    const std::filesystem::path& resume_from, std::int64_t segment,
                                                                    const std::string& uuid);
    /// From now on the student is the one that `run` trains, until end_run().
    void begin_run(std::shared_ptr<DistillationRun> run) { m_run = std::move(run); }
    /// `keep`: the student as it is now takes the student's place; the run's last checkpoint is where it lies on disk.
    [[nodiscard]] Result<std::optional<ModelFacts>> end_run(bool keep, const std::string& name);

private:
    struct Seat {
        Model model;
        std::unique_ptr<Net> net;
    };
    [[nodiscard]] Result<void> seat(Role role, Model model, const Progress& progress);
    [[nodiscard]] Seat* at(Role role);
    [[nodiscard]] Result<void> refresh_half_trained();
    [[nodiscard]] std::int64_t vocabulary_limit();
    [[nodiscard]] std::shared_ptr<const WorldTruth> truth();

    std::array<std::optional<Seat>, 2> m_seats;
    std::shared_ptr<DistillationRun> m_run;
    std::optional<Seat> m_half_trained; ///< the student in training as of the latest question
    std::shared_ptr<const WorldTruth> m_truth;
    std::string m_truth_of; ///< fingerprint of the tokenizer that m_truth was made for
};

} // namespace retort
