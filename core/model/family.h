#pragma once
#include "core/model/arch_spec.h"
#include "core/model/config_json.h"
#include "core/model/gguf.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace retort {

/// A family of models: how its files' words become an ArchSpec and the canonical weights. A new family is one more row of families() and the
/// functions it names; the readers know no family.
struct Family {
    std::string_view model_type;        ///< in config.json
    std::string_view gguf_architecture; ///< general.architecture; empty when such files do not exist
    void (*fill_from_config)(ConfigFields& fields, ArchSpec& spec) = nullptr;
    void (*fill_from_gguf)(GgufFields& fields, ArchSpec& spec) = nullptr;
    /// The canonical name of a GGUF tensor; empty for one that is no weight of this family.
    std::optional<std::string> (*canonical_name)(std::string_view gguf_name) = nullptr;
    /// Whether GGUF files of it hold q and k rows in the order of interleaved RoPE.
    bool gguf_interleaves_rope = false;
};

[[nodiscard]] std::span<const Family> families();
/// Null when unknown.
[[nodiscard]] const Family* family_of_model_type(std::string_view model_type);
[[nodiscard]] const Family* family_of_gguf(std::string_view architecture);
/// "llama, mistral", for messages.
[[nodiscard]] std::string known_model_types();
[[nodiscard]] std::string known_gguf_architectures();

} // namespace retort
