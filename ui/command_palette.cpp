#include "ui/command_palette.h"

#include "ui/theme/theme.h"
#include "ui/widgets/plain_label.h"

#include <QEvent>
#include <QKeyEvent>
#include <QLineEdit>
#include <QListView>
#include <QPainter>
#include <QStandardItemModel>
#include <QStyledItemDelegate>
#include <QVBoxLayout>
#include <algorithm>
#include <functional>
#include <vector>

namespace retort {

namespace {

constexpr int kCommandRole = Qt::UserRole + 1; ///< index of the command
constexpr int kShortcutRole = Qt::UserRole + 2;

/// The command's name left, its keys and where it is right.
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

} // namespace

void CommandPalette::open(QWidget& window, QList<Command> commands)
{
    auto* palette = new CommandPalette(window, std::move(commands));
    palette->setAttribute(Qt::WA_DeleteOnClose);
    palette->show();
    palette->m_search->setFocus();
}

CommandPalette::CommandPalette(QWidget& window, QList<Command> commands)
    : QDialog(&window), m_commands(std::move(commands)), m_search(new QLineEdit), m_list(new QListView), m_found(new QStandardItemModel(this))
{
    setObjectName(QStringLiteral("command_palette_dialog"));
    setWindowTitle(tr("Find a command"));
    m_list->setModel(m_found);
    m_list->setItemDelegate(new CommandDelegate(m_list));
    m_list->setAccessibleName(tr("Commands"));
    m_list->setUniformItemSizes(true);
    m_list->setEditTriggers(QAbstractItemView::NoEditTriggers);
    m_search->setPlaceholderText(tr("Type a part of a command's name, or another word for it"));
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

    find({});
    connect(m_search, &QLineEdit::textChanged, this, &CommandPalette::find);
    connect(m_search, &QLineEdit::returnPressed, this, &CommandPalette::act);
    connect(m_list, &QListView::activated, this, &CommandPalette::act);
}

/// The best first, what cannot be done now last; in the menus' order where they are alike.
void CommandPalette::find(const QString& query)
{
    std::vector<std::pair<int, qsizetype>> found;
    for (qsizetype i = 0; i < m_commands.size(); ++i) {
        if (const int how_well = match(m_commands[i], query); how_well > 0) {
            found.emplace_back(m_commands[i].enabled ? how_well : how_well - 10, i);
        }
    }
    std::ranges::stable_sort(found, std::ranges::greater(), &std::pair<int, qsizetype>::first);
    m_found->clear();
    for (const auto& [how_well, i] : found) {
        const Command& command = m_commands[i];
        auto* item = new QStandardItem(command.name);
        item->setData(i, kCommandRole);
        item->setData(command.keys.isEmpty() ? command.where : QStringLiteral("%1   %2").arg(command.where, command.keys), kShortcutRole);
        item->setToolTip(command.enabled ? command.tip.toHtmlEscaped() : tr("Not now. %1").arg(command.tip).toHtmlEscaped());
        item->setEnabled(command.enabled);
        m_found->appendRow(item);
    }
    m_list->setCurrentIndex(m_found->index(0, 0));
    m_list->setVisible(!found.empty());
    m_nothing->setVisible(found.empty());
    m_nothing->setText(tr("No command is called “%1”, and none does that.").arg(query));
}

bool CommandPalette::eventFilter(QObject* watched, QEvent* event)
{
    if (watched == m_search && event->type() == QEvent::KeyPress) {
        const int key = static_cast<QKeyEvent*>(event)->key();
        if (key == Qt::Key_Down || key == Qt::Key_Up) {
            const int row = m_list->currentIndex().row() + (key == Qt::Key_Down ? 1 : -1);
            m_list->setCurrentIndex(m_found->index(std::clamp(row, 0, std::max(0, m_found->rowCount() - 1)), 0));
            return true;
        }
    }
    return QDialog::eventFilter(watched, event);
}

void CommandPalette::act()
{
    const QModelIndex chosen = m_list->currentIndex();
    if (!chosen.isValid() || !chosen.flags().testFlag(Qt::ItemIsEnabled)) {
        return;
    }
    const std::function<void()> act = m_commands[chosen.data(kCommandRole).toLongLong()].act;
    close();
    act();
}

} // namespace retort
