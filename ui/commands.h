#pragma once
#include <QList>
#include <QString>
#include <functional>

class QMenu;
class QWidget;

namespace retort {

/// Something that can be done in the window, found by name: an action of a menu or a page, or a button or field that a page shows.
struct Command {
    QString name;                ///< "Stop and keep"
    QString where;               ///< the menu or page it belongs to, "Distil"
    QString keys;                ///< as the system writes them; may be empty
    QString tip;                 ///< what it does
    bool enabled = true;         ///< it can be done now
    std::function<void()> act{}; ///< goes to its page first
};

/// What `menu` and its submenus have, in their order; one that lists what somebody did is left out. `go` shows the page of a page's own menu.
[[nodiscard]] QList<Command> commands_of(const QMenu& menu, const std::function<void()>& go = {});

/// What the page has that no menu has: its actions, then its buttons that can be seen, then its fields, which are gone to. `go` shows the page.
[[nodiscard]] QList<Command> commands_of(QWidget& page, const QString& name, const std::function<void()>& go);

/// Marks a menu as a list of what somebody did (recent files, earlier questions), whose lines are no commands.
void mark_as_list(QMenu& menu);

/// How well `query` names the command: 0 not at all, larger is better. Every word of it begins a word of the name, of what the command does or where
/// it is, or of another word for one of these: "branch" finds "Fork", "colour" and "dark" find the schemes.
[[nodiscard]] int match(const Command& command, const QString& query);

} // namespace retort
