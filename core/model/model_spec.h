#pragma once
#include "core/base/error.h"
#include "core/base/progress.h"
#include "core/model/model.h"

#include <array>
#include <filesystem>
#include <memory>
#include <string_view>

namespace retort {

/// Where the files lie that come with the program (demo models, lessons): $RETORT_RESOURCES when set, else ../share/retort beside the executable's
/// folder when that is there (installed), else the `resources` folder of the source tree it was built from.
[[nodiscard]] std::filesystem::path resources_folder();

/// A model that comes with Retort.
struct DemoModel {
    std::string_view spec;
    const char* folder; ///< in resources/demo
    const char* name;   ///< for people
};
inline constexpr std::array kDemoModels = {DemoModel{"demo:teacher", "alembic", "Alembic (demo)"},
                                           DemoModel{"demo:student", "receiver", "Receiver (demo, untrained)"},
                                           DemoModel{"demo:distilled", "receiver-distilled", "Receiver (demo, distilled)"}};

/// The library of the recorded session that comes with Retort.
[[nodiscard]] std::filesystem::path recorded_session();

/// Whether `spec` is meant for one of them: found again by this name wherever Retort is installed.
[[nodiscard]] bool is_demo_spec(std::string_view spec);

/// What a person writes for a model, to the file or folder that load_model() reads: a path, `demo:teacher`, `demo:student` (untrained) or
/// `demo:distilled`. A path that begins with ~/ is in the home folder. Fails with what was expected when the word before the colon is unknown, and
/// when nothing is there.
[[nodiscard]] Result<std::filesystem::path> resolve_model(std::string_view spec);

/// inspect_model() and load_model() of what resolve_model() finds; a demo model is named for people, "Alembic (demo)". What they say of a
/// file names the whole path of it.
[[nodiscard]] Result<ModelInfo> inspect_model_spec(std::string_view spec);
[[nodiscard]] Result<Model> load_model_spec(std::string_view spec, const Progress& progress = {});

/// Only the tokenizer: of a model, of a folder with a tokenizer.json or tokenizer.model and perhaps nothing else, of such a file, or of a GGUF file,
/// vocabulary-only ones too.
[[nodiscard]] Result<std::shared_ptr<const Tokenizer>> load_tokenizer_spec(std::string_view spec);

/// The same, null where there is none: that a tokenizer cannot be read is an error, that a model has none is not.
[[nodiscard]] Result<std::shared_ptr<const Tokenizer>> find_tokenizer_spec(std::string_view spec);

} // namespace retort
