#pragma once
#include <QList>
#include <QStringList>

namespace retort {

/// Rows of fields as text, a line each: for a clipboard with tabs between the fields, for a file with commas (RFC 4180). Fields that hold the
/// separator, a quotation mark or a line's end are quoted.
[[nodiscard]] QString table_text(const QList<QStringList>& rows, QChar separator);

} // namespace retort
