#include "ui/commands.h"

#include <QAbstractButton>
#include <QAbstractSlider>
#include <QAbstractSpinBox>
#include <QAction>
#include <QComboBox>
#include <QCoreApplication>
#include <QLineEdit>
#include <QMenu>
#include <QPlainTextEdit>
#include <QPointer>
#include <QRegularExpression>
#include <QSet>
#include <array>

namespace retort {

namespace {

constexpr const char* kListed = "listed";

/// Words that people use for the same thing; each row stands for its first, which a command's own text has.
const QList<QStringList>& other_words()
{
    static const QList<QStringList> words = {
        {"export", "save", "write", "picture", "image", "csv", "png", "svg", "pdf", "download"},
        {"save", "export", "write", "keep", "store"},
        {"copy", "clipboard", "csv", "export"},
        {"keep", "save", "stop", "finish", "end"},
        {"stop", "end", "cancel", "abort", "halt", "quit", "interrupt"},
        {"discard", "throw", "delete", "stop", "drop"},
        {"pause", "hold", "wait", "freeze"},
        {"resume", "continue", "go on"},
        {"distilling", "train", "teach", "learn", "fit", "start"},
        {"step", "advance"},
        {"run", "ask", "answer", "generate", "send", "submit", "prompt", "go"},
        {"alternative", "fork", "branch", "continue", "other", "candidate"},
        {"fork", "branch", "alternative", "continue"},
        {"difference", "divergence", "differ", "disagree"},
        {"colours", "theme", "scheme", "appearance", "color", "dark", "light"},
        {"light", "theme", "scheme", "colours", "bright"},
        {"dark", "theme", "scheme", "colours", "night"},
        {"temperature", "soften", "softening", "sharpness", "t"},
        {"tint", "colour", "color", "highlight", "heat"},
        {"sampler", "temperature", "seed", "top-p", "top-k", "random", "settings"},
        {"make", "create", "design", "build", "new", "cut"},
        {"new", "create", "begin", "start", "make"},
        {"open", "load", "choose", "file", "import"},
        {"eject", "unload", "close", "remove", "free"},
        {"rename", "title", "name"},
        {"bin", "delete", "remove", "trash", "throw"},
        {"delete", "purge", "remove", "bin"},
        {"swap", "exchange", "switch", "reverse"},
        {"full", "maximise", "maximize", "present", "projector"},
        {"maximise", "maximize", "full", "enlarge", "zoom", "large"},
        {"quit", "exit", "close", "end"},
        {"about", "version", "licence", "license", "diagnostics"},
        {"help", "keys", "shortcuts", "manual", "how"},
        {"sessions", "history", "find", "search", "library"},
        {"search", "find"},
        {"probe", "prompt", "sample"},
        {"steps", "length", "iterations"},
    };
    return words;
}

QString plain(QString text)
{
    text.remove(QLatin1Char('&'));
    if (text.endsWith(QChar(0x2026))) {
        text.chop(1);
    }
    return text.trimmed();
}

QStringList words_of(const QString& text)
{
    static const QRegularExpression kBetween(QStringLiteral("[^\\w\\-]+"), QRegularExpression::UseUnicodePropertiesOption);
    return text.toLower().split(kBetween, Qt::SkipEmptyParts);
}

bool begins_one(const QStringList& words, const QString& part)
{
    return std::ranges::any_of(words, [&part](const QString& word) { return word.startsWith(part); });
}

Command from(QAction& action, const QString& where, const std::function<void()>& go)
{
    return {plain(action.text()),
            where,
            action.shortcut().toString(QKeySequence::NativeText),
            action.toolTip() == action.text() ? QString() : action.toolTip(),
            action.isEnabled(),
            [action = QPointer<QAction>(&action), go] {
                if (go) {
                    go();
                }
                if (action) {
                    action->trigger();
                }
            }};
}

/// What a screen reader calls a button or field; else its text.
QString name_of(const QWidget& widget)
{
    const auto* button = qobject_cast<const QAbstractButton*>(&widget);
    return plain(widget.accessibleName().isEmpty() && button != nullptr ? button->text() : widget.accessibleName());
}

bool is_field(const QWidget& widget)
{
    return qobject_cast<const QComboBox*>(&widget) != nullptr || qobject_cast<const QAbstractSpinBox*>(&widget) != nullptr ||
           qobject_cast<const QAbstractSlider*>(&widget) != nullptr || qobject_cast<const QPlainTextEdit*>(&widget) != nullptr ||
           qobject_cast<const QLineEdit*>(&widget) != nullptr;
}

bool is_inside_of_qt(const QWidget& widget)
{
    return widget.objectName().startsWith(QLatin1String("qt_")) || qobject_cast<const QAbstractSpinBox*>(widget.parent()) != nullptr ||
           qobject_cast<const QComboBox*>(widget.parent()) != nullptr || qobject_cast<const QLineEdit*>(widget.parent()) != nullptr;
}

} // namespace

void mark_as_list(QMenu& menu)
{
    menu.setProperty(kListed, true);
}

QList<Command> commands_of(const QMenu& menu, const std::function<void()>& go)
{
    QList<Command> found;
    for (QAction* action : menu.actions()) {
        if (const auto* inner = action->menu<QMenu*>()) {
            if (!inner->property(kListed).toBool()) {
                found += commands_of(*inner, go);
            }
        } else if (!action->isSeparator() && !action->text().isEmpty()) {
            found << from(*action, plain(menu.title()), go);
        }
    }
    return found;
}

QList<Command> commands_of(QWidget& page, const QString& name, const std::function<void()>& go)
{
    QList<Command> found;
    QSet<QString> named;
    for (QAction* action : page.actions()) {
        if (!action->isSeparator() && !action->text().isEmpty()) {
            found << from(*action, name, go);
            named << found.back().name.toLower();
        }
    }
    QList<Command> fields;
    for (QWidget* widget : page.findChildren<QWidget*>()) {
        const QString called = name_of(*widget);
        const auto* button = qobject_cast<QAbstractButton*>(widget);
        if (called.isEmpty() || !widget->isVisibleTo(&page) || is_inside_of_qt(*widget) || named.contains(called.toLower()) ||
            (button == nullptr && !is_field(*widget))) {
            continue;
        }
        named << called.toLower();
        Command command{called, name, {}, widget->toolTip(), widget->isEnabled(), {}};
        command.act = [go, widget = QPointer<QWidget>(widget)] {
            go();
            if (auto* pressed = qobject_cast<QAbstractButton*>(widget.data())) {
                pressed->click();
            } else if (widget) {
                widget->setFocus(Qt::ShortcutFocusReason);
            }
        };
        (button != nullptr ? found : fields) << command;
    }
    return found + fields;
}

int match(const Command& command, const QString& query)
{
    const QString name = command.name.toLower();
    if (query.trimmed().isEmpty() || name.startsWith(query.trimmed().toLower())) {
        return 4;
    }
    const QStringList own = words_of(command.name);
    const QStringList told = words_of(command.tip) + words_of(command.where);
    QStringList others;
    for (const QStringList& row : other_words()) {
        if (own.contains(row.front())) {
            others += row;
        }
    }
    int worst = 3;
    for (const QString& part : words_of(query)) {
        const int here = begins_one(own, part) ? 3 : begins_one(others, part) ? 2 : begins_one(told, part) ? 1 : 0;
        worst = std::min(worst, here);
    }
    return worst;
}

} // namespace retort
