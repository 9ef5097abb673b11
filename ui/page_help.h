#pragma once
#include "ui/commands.h"
#include "ui/page_id.h"

#include <QDialog>

namespace retort {

/// Help for one page: a paragraph, what the page's commands do, and their keys. Made from the commands the page really has.
class PageHelp : public QDialog {
    Q_OBJECT

public:
    PageHelp(const QString& page, const QString& paragraph, const QList<Command>& commands, QWidget* parent);
};

/// What one does on the page, and the keys that act inside its parts.
[[nodiscard]] QString paragraph_of(PageId page);

} // namespace retort
