#pragma once
#include "core/base/error.h"
#include "core/base/progress.h"
#include "core/model/model.h"

#include <filesystem>
#include <memory>
#include <string_view>

namespace retort {

/// Where the files lie that come with the program (demo models, lessons): $RETORT_RESOURCES when set, else ../share/retort beside the executable's
/// folder when that is there (installed), else the `resources` folder of the source tree it was built from.
[[nodiscard]] std::filesystem::path resources_folder();

/// What a person writes for a model, to the file or folder that load_model() reads: a path, `demo:teacher` or `demo:student`. A path that begins with
/// ~/ is in the home folder. Fails with what was expected when the word before the colon is unknown, and when nothing is there.
[[nodiscard]] Result<std::filesystem::path> resolve_model(std::string_view spec);

/// inspect_model() and load_model() of what resolve_model() finds; a demo model keeps its short name.
[[nodiscard]] Result<ModelInfo> inspect_model_spec(std::string_view spec);
[[nodiscard]] Result<Model> load_model_spec(std::string_view spec, const Progress& progress = {});

/// Only the tokenizer: of a model, of a folder with a tokenizer.json and perhaps nothing else, of a tokenizer.json, or of a GGUF file,
/// vocabulary-only ones too.
[[nodiscard]] Result<std::shared_ptr<const Tokenizer>> load_tokenizer_spec(std::string_view spec);

} // namespace retort
