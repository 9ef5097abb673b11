#pragma once
#include "core/base/error.h"

#include <QString>

class QWidget;

namespace retort {

/// The widget as it looks, as a PDF of its size or a PNG of twice its pixels, by the ending of `path`. GUI thread.
[[nodiscard]] Result<void> save_picture(QWidget& widget, const QString& path);

/// What is said where a picture could not be written.
[[nodiscard]] Error unwritable_picture(const QString& path);

} // namespace retort
