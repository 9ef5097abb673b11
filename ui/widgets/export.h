#pragma once
#include "core/base/error.h"

#include <QList>
#include <QString>
#include <QStringList>
#include <functional>

class QMenu;
class QWidget;

namespace retort {

class Notice;

/// What a table or a figure gives away: as a table, as a picture, and in words. Made when it is asked for, of what is shown then.
struct Export {
    QString name;                                ///< of the file without its ending: "distribution"
    QString title;                               ///< heads the picture
    QStringList facts{};                         ///< below it: models, token, context, temperature
    QList<QStringList> table{};                  ///< the header first; empty: there is none
    std::function<QWidget*()> make_drawing = {}; ///< a widget for the picture alone, with all rows and nothing to press; empty: there is none
    QString explanation{};                       ///< what is to be seen here; empty: nothing to say
};
using ExportOf = std::function<Export()>;

/// Gives `widget` a context menu (right button, Shift+F10, Menu key): copy, copy as CSV, export, explain. The one way out for all that is shown.
void offer_export(QWidget& widget, ExportOf what);
/// The same at the end of a menu that has more.
void add_export_actions(QMenu& menu, QWidget& widget, const ExportOf& what);

/// From now on `notice` says what becomes of exports from `page` and all its parts.
void tell_exports(QWidget& page, Notice& notice);

/// Asks for a place, writes there, and says so in the notice of the page that `near` stands on.
void ask_where_to_export(QWidget& near, const Export& what);

/// Writes the table as .csv (UTF-8, RFC 4180: one table, the first line names the columns) or the picture as .png or .pdf, by the ending of `path`; a
/// name without one gets `ending`, any other is refused. Gives back the path it wrote. GUI thread.
[[nodiscard]] Result<QString> export_to(const Export& what, const QString& path, const QString& ending = {});

/// The bytes of a piece for a table: as text where they are some, and in hex, which is exact always.
[[nodiscard]] QStringList piece_fields(const std::string& bytes);
/// A number with all its digits, with a point, whatever the language; empty for what is no number.
[[nodiscard]] QString exact(double value);

} // namespace retort
