#include "ui/page_help.h"

#include "ui/theme/theme.h"
#include "ui/widgets/plain_label.h"
#include "ui/widgets/scrolled.h"

#include <QDialogButtonBox>
#include <QGridLayout>
#include <QScrollArea>
#include <QVBoxLayout>

namespace retort {

PageHelp::PageHelp(const QString& page, const QString& paragraph, const QList<Command>& commands, QWidget* parent) : QDialog(parent)
{
    setObjectName(QStringLiteral("page_help"));
    setWindowTitle(tr("Help for %1").arg(page));
    setAttribute(Qt::WA_DeleteOnClose);
    auto* content = new QWidget;
    auto* rows = new QVBoxLayout(content);
    rows->setContentsMargins(0, 0, space::s, 0);
    rows->setSpacing(space::s);
    rows->addWidget(plain_label(page, Type::Title));
    QLabel* told = wrapped_label(paragraph);
    told->setObjectName(QStringLiteral("page_help_paragraph"));
    rows->addWidget(told);
    rows->addSpacing(space::s);
    auto* grid = new QGridLayout;
    grid->setHorizontalSpacing(space::l);
    grid->setVerticalSpacing(space::s);
    grid->setColumnStretch(2, 1);
    for (const Command& command : commands) {
        const int row = grid->rowCount();
        grid->addWidget(plain_label(command.keys, Type::Strong), row, 0, Qt::AlignTop);
        grid->addWidget(plain_label(command.name), row, 1, Qt::AlignTop);
        grid->addWidget(wrapped_label(command.tip, Type::Body, "muted"), row, 2, Qt::AlignTop);
    }
    rows->addLayout(grid);
    rows->addStretch();
    auto* buttons = new QDialogButtonBox(QDialogButtonBox::Close);
    connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::close);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(space::l, space::l, space::l, space::l);
    column->addWidget(scrolled(content), 1);
    column->addWidget(buttons);
    resize(QSize(640, 560).boundedTo(parent->size() - QSize(space::xl, space::xl)));
}

QString paragraph_of(PageId page)
{
    switch (page) {
    case PageId::Models:
        return PageHelp::tr(
            "Who teaches and who learns. Open a .gguf file or a Hugging Face folder for each, or drop one on the window: its left half is "
            "the teacher's, its right half the student's. The page says whether the two cut text alike and fit into memory, and makes "
            "a student from the teacher: some of its layers, or fresh weights of sizes of your choice.");
    case PageId::Compare:
        return PageHelp::tr(
            "Type a prompt and run it: both models answer the same text, a token each in turn. Left and Right move one cursor through "
            "both answers, Home and End go to their ends, and a click on a token or on the strip moves it there. Below stand both "
            "models' first choices at the cursor; Enter on one of them continues both answers from there.");
    case PageId::Distributions:
        return PageHelp::tr(
            "The whole next-token distributions of both models at the cursor of Compare, as mirrored bars. The slider softens both at a "
            "temperature without asking the models again; the figures say how far apart the two are, and the table which tokens make "
            "up the divergence.");
    case PageId::Distil:
        return PageHelp::tr(
            "Choose a student, data and steps, and start: the student learns from the teacher in the background. Pause at any time, ask "
            "the half-trained student on Compare, go on step by step, and stop to keep or discard it. The probe prompts are answered "
            "again as training goes on.");
    case PageId::Sessions:
        return PageHelp::tr(
            "Everything that was asked, answered and trained, saved without asking. Type to find words of titles, models, prompts and "
            "answers; Down leads into the list, Enter opens the chosen session, F2 renames it, Del moves it to the bin.");
    }
    return {};
}

} // namespace retort
