#include "ui/about_dialog.h"

#include "core/base/cpu.h"
#include "core/base/memory.h"
#include "core/base/text_format.h"
#include "core/model/model_spec.h"
#include "ui/built_with.h"
#include "ui/theme/icons.h"
#include "ui/widgets/fact_list.h"
#include "ui/widgets/plain_label.h"
#include "ui/widgets/scrolled.h"

#include <QApplication>
#include <QClipboard>
#include <QDialogButtonBox>
#include <QDir>
#include <QPushButton>
#include <QScreen>
#include <QScrollArea>
#include <QSettings>
#include <QSysInfo>
#include <QVBoxLayout>

namespace retort {

namespace {

using Lines = QList<std::pair<QString, QString>>;

QString with_tilde(const QString& path)
{
    const QString home = QDir::homePath();
    return path.startsWith(home + QLatin1Char('/')) ? QLatin1Char('~') + path.sliced(home.size()) : path;
}

Lines paths(const QString& library)
{
    return {{AboutDialog::tr("Sessions"), with_tilde(library)},
            {AboutDialog::tr("Program"), with_tilde(QCoreApplication::applicationFilePath())},
            {AboutDialog::tr("Demo models"), with_tilde(to_qt(resources_folder().string()))},
            {AboutDialog::tr("Settings"), with_tilde(QSettings().fileName())}};
}

Lines machine()
{
    const CpuDescription cpu = describe_cpu();
    QStringList instructions;
    for (const std::string& name : cpu.instructions) {
        instructions << to_qt(name);
    }
    Lines lines = {
        {AboutDialog::tr("System"), QStringLiteral("%1, %2").arg(QSysInfo::prettyProductName(), QSysInfo::kernelVersion())},
        {AboutDialog::tr("Processor"), QStringLiteral("%1 x %2 (%3)").arg(cpu.processors).arg(to_qt(cpu.model), instructions.join(QLatin1Char(' ')))},
        {AboutDialog::tr("Memory"),
         AboutDialog::tr("%1, %2 free, %3 used by Retort")
             .arg(to_qt(format_bytes(total_memory())), to_qt(format_bytes(available_memory())), to_qt(format_bytes(resident_memory())))},
        {AboutDialog::tr("Window system"), QGuiApplication::platformName()}};
    for (const QScreen* screen : QGuiApplication::screens()) {
        lines << std::pair(
            AboutDialog::tr("Screen"),
            QStringLiteral("%1x%2 at %3x").arg(screen->geometry().width()).arg(screen->geometry().height()).arg(screen->devicePixelRatio()));
    }
    return lines;
}

FactList* listed(const Lines& lines)
{
    auto* list = new FactList;
    for (const auto& [name, value] : lines) {
        list->add(name, value);
    }
    return list;
}

} // namespace

QString diagnostics(const QString& library)
{
    QStringList said = {QStringLiteral("Retort %1").arg(QCoreApplication::applicationVersion())};
    for (const BuiltWith& part : built_with()) {
        said << part.name + QLatin1Char(' ') + part.version;
    }
    for (const auto& [name, value] : machine() + paths(library)) {
        said << name + QStringLiteral(": ") + value;
    }
    return said.join(QLatin1Char('\n')) + QLatin1Char('\n');
}

AboutDialog::AboutDialog(const QString& library, QWidget* parent) : QDialog(parent)
{
    setObjectName(QStringLiteral("about_dialog"));
    setWindowTitle(tr("About Retort"));
    setAttribute(Qt::WA_DeleteOnClose);
    auto* content = new QWidget;
    auto* rows = new QVBoxLayout(content);
    rows->setContentsMargins(0, 0, space::s, 0);
    rows->setSpacing(space::s);
    auto* head = new QHBoxLayout;
    auto* mark = new QLabel;
    mark->setPixmap(program_icon().pixmap(48));
    head->addWidget(mark);
    auto* title = new QVBoxLayout;
    title->addWidget(plain_label(tr("Retort %1").arg(QCoreApplication::applicationVersion()), Type::Title));
    title->addWidget(wrapped_label(tr("A workbench for teacher-student distillation. GPL-3.0-or-later."), Type::Body, "muted"));
    head->addLayout(title, 1);
    rows->addLayout(head);
    Lines libraries;
    for (const BuiltWith& part : built_with()) {
        libraries << std::pair(part.name + QLatin1Char(' ') + part.version, QStringLiteral("%1, %2").arg(part.licence, part.does));
    }
    for (const auto& [heading, lines] :
         {std::pair(tr("Built with"), libraries), std::pair(tr("Where things are"), paths(library)), std::pair(tr("This machine"), machine())}) {
        rows->addSpacing(space::s);
        rows->addWidget(plain_label(heading, Type::Heading));
        rows->addLayout(listed(lines));
    }
    rows->addStretch();

    auto* buttons = new QDialogButtonBox(QDialogButtonBox::Close);
    QPushButton* copy = buttons->addButton(tr("Copy diagnostics"), QDialogButtonBox::ActionRole);
    copy->setObjectName(QStringLiteral("copy_diagnostics"));
    copy->setToolTip(tr("Versions, machine and paths, for a report of a fault. Nothing of your sessions"));
    connect(copy, &QPushButton::clicked, this, [library, copy] {
        QGuiApplication::clipboard()->setText(diagnostics(library));
        copy->setText(tr("Copied"));
    });
    connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::close);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(space::l, space::l, space::l, space::l);
    column->addWidget(scrolled(content), 1);
    column->addWidget(buttons);
    resize(QSize(620, 640).boundedTo(parent->size() - QSize(space::xl, space::xl)));
}

} // namespace retort
