#include "ui/command_palette.h"

#include "ui/theme/theme.h"
#include "ui/widgets/plain_label.h"

#include <QEvent>
#include <QKeyEvent>
#include <QLineEdit>
#include <QListView>
#include <QMenu>
#include <QPainter>
#include <QPointer>
#include <QSortFilterProxyModel>
#include <QStandardItemModel>
#include <QStyledItemDelegate>
#include <QVBoxLayout>

namespace retort {

namespace {

constexpr int kActionRole = Qt::UserRole + 1;
constexpr int kShortcutRole = Qt::UserRole + 2;

/// The command's name left, its keys right.
class CommandDelegate : public QStyledItemDelegate {
public:
    using QStyledItemDelegate::QStyledItemDelegate;

    void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override
    {
        QStyledItemDelegate::paint(painter, option, index);
        painter->save();
        painter->setPen(Theme::of(option.palette).muted);
        painter->drawText(option.rect.adjusted(0, 0, -space::m, 0), static_cast<int>(Qt::AlignVCenter | Qt::AlignRight),
                          index.data(kShortcutRole).toString());
        painter->restore();
    }

    [[nodiscard]] QSize sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const override
    {
        return {QStyledItemDelegate::sizeHint(option, index).width(), option.fontMetrics.height() + space::l};
    }
};

QString plain_text(const QAction& action)
{
    QString text = action.text();
    text.remove(QLatin1Char('&'));
    return text;
}

} // namespace

void CommandPalette::open(QWidget& window, const QList<QAction*>& actions)
{
    auto* palette = new CommandPalette(window, actions);
    palette->setAttribute(Qt::WA_DeleteOnClose);
    palette->show();
    palette->m_search->setFocus();
}

CommandPalette::CommandPalette(QWidget& window, const QList<QAction*>& actions)
    : QDialog(&window), m_search(new QLineEdit), m_list(new QListView), m_matches(new QSortFilterProxyModel(this))
{
    setObjectName(QStringLiteral("command_palette_dialog"));
    setWindowTitle(tr("Find a command"));
    auto* commands = new QStandardItemModel(this);
    for (QAction* action : actions) {
        if (!action->isEnabled() || action->text().isEmpty() || action->isSeparator() || action->menu<QMenu*>() != nullptr) {
            continue;
        }
        auto* item = new QStandardItem(plain_text(*action));
        item->setData(QVariant::fromValue(QPointer<QAction>(action)), kActionRole);
        item->setData(action->shortcut().toString(QKeySequence::NativeText), kShortcutRole);
        item->setToolTip(action->toolTip().toHtmlEscaped());
        item->setEditable(false);
        commands->appendRow(item);
    }
    m_matches->setSourceModel(commands);
    m_matches->setFilterCaseSensitivity(Qt::CaseInsensitive);
    m_list->setModel(m_matches);
    m_list->setItemDelegate(new CommandDelegate(m_list));
    m_list->setAccessibleName(tr("Commands"));
    m_list->setUniformItemSizes(true);
    m_list->setCurrentIndex(m_matches->index(0, 0));
    m_search->setPlaceholderText(tr("Type a part of a command's name"));
    m_search->setAccessibleName(tr("Command to find"));
    m_search->setObjectName(QStringLiteral("command_search"));
    m_search->installEventFilter(this);

    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(space::m, space::m, space::m, space::m);
    column->setSpacing(space::s);
    column->addWidget(m_search);
    column->addWidget(m_list);
    m_nothing = wrapped_label({}, Type::Body, "muted");
    m_nothing->setObjectName(QStringLiteral("command_nothing"));
    m_nothing->setAlignment(Qt::AlignCenter);
    m_nothing->hide();
    column->addWidget(m_nothing, 1);
    resize(520, 420);
    move(window.mapToGlobal(QPoint((window.width() - width()) / 2, 96)));

    connect(m_search, &QLineEdit::textChanged, this, [this](const QString& text) {
        m_matches->setFilterFixedString(text);
        m_list->setCurrentIndex(m_matches->index(0, 0));
        m_list->setVisible(m_matches->rowCount() > 0);
        m_nothing->setVisible(m_matches->rowCount() == 0);
        m_nothing->setText(tr("No command has “%1” in its name.").arg(text));
    });
    connect(m_search, &QLineEdit::returnPressed, this, &CommandPalette::act);
    connect(m_list, &QListView::activated, this, &CommandPalette::act);
}

bool CommandPalette::eventFilter(QObject* watched, QEvent* event)
{
    if (watched == m_search && event->type() == QEvent::KeyPress) {
        const int key = static_cast<QKeyEvent*>(event)->key();
        if (key == Qt::Key_Down || key == Qt::Key_Up) {
            const int row = m_list->currentIndex().row() + (key == Qt::Key_Down ? 1 : -1);
            m_list->setCurrentIndex(m_matches->index(std::clamp(row, 0, std::max(0, m_matches->rowCount() - 1)), 0));
            return true;
        }
    }
    return QDialog::eventFilter(watched, event);
}

void CommandPalette::act()
{
    const auto action = m_list->currentIndex().data(kActionRole).value<QPointer<QAction>>();
    close();
    if (action) {
        action->trigger();
    }
}

} // namespace retort
