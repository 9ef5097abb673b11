#pragma once
#include "core/desk/recording.h"
#include "core/inference/generator.h"

#include <QJsonObject>
#include <QString>

namespace retort {

// What the session remembers of how it was looked at, as JSON, and words about what was recorded.

[[nodiscard]] QJsonObject to_json(const GenerateSettings& settings); ///< without stop tokens
/// What `view` names and is in range; the rest as in `settings`.
[[nodiscard]] GenerateSettings settings_from(const QJsonObject& view, GenerateSettings settings);

[[nodiscard]] QString recorded_on(const Recording& recording);      ///< "recorded 22 Nov 2026"
[[nodiscard]] QString recorded_on_what(const Recording& recording); ///< "Recorded on 22 Nov 2026, Intel(R) Xeon(R) Processor, 2 processors"

} // namespace retort
