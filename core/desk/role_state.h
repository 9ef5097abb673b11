#pragma once
#include "core/base/error.h"
#include "core/desk/role.h"
#include "core/model/memory_estimate.h"
#include "core/model/model.h"
#include "core/store/session.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace retort {

/// What stands in a role. Plain values; the GUI thread's.
struct RoleState {
    enum class Phase {
        Empty,      ///< nobody
        Remembered, ///< the session names a model that is not in memory
        Loading,
        Ready,
        Failed,
    };

    Phase phase = Phase::Empty;
    std::string spec{};                      ///< path or "demo:teacher": what was asked for, what Load again would open
    std::optional<ModelInfo> info{};         ///< known from the file's head on, so already while loading
    std::optional<StoredModel> remembered{}; ///< what the session knows of it
    std::optional<MemoryEstimate> estimate{};
    std::string tokenizer_kind{}, tokenizer_fingerprint{}; ///< empty without a tokenizer
    std::size_t tokenizer_size = 0;
    std::string stage{}; ///< while Loading: "Reading tensors"
    double fraction = 0;
    std::optional<Error> error{}; ///< what the latest attempt came to; who stood here before stays, so it may be set while Ready

    [[nodiscard]] bool ready() const { return phase == Phase::Ready; }
    [[nodiscard]] std::string name() const;         ///< empty when Empty
    [[nodiscard]] std::uint64_t parameters() const; ///< 0 when unknown
    [[nodiscard]] std::uint64_t bytes() const;      ///< of the file; 0 when unknown
};

/// What the window may know of a model in memory; safe on any thread.
struct ModelFacts {
    ModelInfo info;
    std::shared_ptr<const Tokenizer> tokenizer; ///< null when the model came without one
};

} // namespace retort
