#include "ui/widgets/export.h"

#include "core/base/files.h"
#include "core/base/text_format.h"
#include "ui/widgets/export_picture.h"
#include "ui/widgets/notice.h"
#include "ui/widgets/plain_label.h"
#include "ui/widgets/table_text.h"

#include <QClipboard>
#include <QFileDialog>
#include <QFileInfo>
#include <QGuiApplication>
#include <QMenu>
#include <QPointer>
#include <QStandardPaths>
#include <QWhatsThis>
#include <cmath>

namespace retort {

namespace {

const QString kCsv = QStringLiteral("csv"), kPng = QStringLiteral("png"), kPdf = QStringLiteral("pdf");

/// The endings that this export can be written with, the default first.
QStringList endings_of(const Export& what)
{
    QStringList endings;
    if (!what.table.isEmpty()) {
        endings << kCsv;
    }
    if (what.make_drawing) {
        endings << kPng << kPdf;
    }
    return endings;
}

QString filter_of(const QString& ending)
{
    const QString name = ending == kCsv   ? QCoreApplication::translate("Export", "Table")
                         : ending == kPng ? QCoreApplication::translate("Export", "Picture")
                                          : QCoreApplication::translate("Export", "Page");
    return QStringLiteral("%1 (*.%2)").arg(name, ending);
}

constexpr const char* kTeller = "exportNotice"; ///< a page's property

Notice* teller_of(const QWidget& part)
{
    for (const QWidget* at = &part; at != nullptr; at = at->parentWidget()) {
        if (auto* notice = qobject_cast<Notice*>(at->property(kTeller).value<QObject*>())) {
            return notice;
        }
    }
    return nullptr;
}

void tell(QWidget& near, const Result<QString>& written)
{
    Notice* notice = teller_of(near);
    if (notice == nullptr) {
        return;
    }
    if (written) {
        notice->tell(QCoreApplication::translate("Export", "Saved as %1").arg(*written), Notice::Kind::Note);
    } else {
        notice->tell(written.error());
    }
}

void copy(const Export& what, QChar separator)
{
    QGuiApplication::clipboard()->setText(table_text(what.table, separator));
}

} // namespace

void offer_export(QWidget& widget, ExportOf what)
{
    widget.setContextMenuPolicy(Qt::CustomContextMenu);
    QObject::connect(&widget, &QWidget::customContextMenuRequested, &widget, [&widget, what = std::move(what)](const QPoint& place) {
        auto* menu = new QMenu(&widget);
        menu->setAttribute(Qt::WA_DeleteOnClose);
        add_export_actions(*menu, widget, what);
        menu->popup(widget.mapToGlobal(place));
    });
}

void tell_exports(QWidget& page, Notice& notice)
{
    page.setProperty(kTeller, QVariant::fromValue<QObject*>(&notice));
}

void add_export_actions(QMenu& menu, QWidget& widget, const ExportOf& what)
{
    const Export now = what();
    const auto add = [&](const QString& text, const char* name, bool possible, auto act) {
        QAction* action = menu.addAction(text);
        action->setObjectName(QLatin1String(name));
        action->setEnabled(possible);
        QObject::connect(action, &QAction::triggered, &widget, act);
    };
    const bool table = now.table.size() > 1;
    menu.setObjectName(QStringLiteral("exportMenu"));
    add(QCoreApplication::translate("Export", "&Copy as table"), "copyTable", table, [what] { copy(what(), QLatin1Char('\t')); });
    add(QCoreApplication::translate("Export", "Copy as CS&V"), "copyCsv", table, [what] { copy(what(), QLatin1Char(',')); });
    add(QCoreApplication::translate("Export", "&Export…"), "exportTo", table || now.make_drawing,
        [&widget, what] { ask_where_to_export(widget, what()); });
    if (!now.explanation.isEmpty()) {
        add(QCoreApplication::translate("Export", "E&xplain"), "explain", true, [&widget, text = now.explanation] {
            QWhatsThis::showText(widget.mapToGlobal(widget.rect().center()), QStringLiteral("<p>%1</p>").arg(text.toHtmlEscaped()), &widget);
        });
    }
}

void ask_where_to_export(QWidget& near, const Export& what)
{
    const QStringList endings = endings_of(what);
    auto* dialog = new QFileDialog(near.window(), QCoreApplication::translate("Export", "Export"));
    dialog->setObjectName(QStringLiteral("exportDialog"));
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setAcceptMode(QFileDialog::AcceptSave);
    QStringList filters;
    for (const QString& ending : endings) {
        filters << filter_of(ending);
    }
    dialog->setNameFilters(filters);
    dialog->setDirectory(QStandardPaths::writableLocation(QStandardPaths::DocumentsLocation));
    dialog->setDefaultSuffix(endings.value(0)); // so that it asks before it writes over a file, whose name without an ending was typed
    dialog->selectFile(what.name);
    QObject::connect(dialog, &QFileDialog::filterSelected, dialog, [dialog, filters, endings](const QString& filter) {
        dialog->setDefaultSuffix(endings.value(static_cast<int>(filters.indexOf(filter))));
    });
    QObject::connect(dialog, &QFileDialog::fileSelected, &near,
                     [&near, dialog, what](const QString& path) { tell(near, export_to(what, path, dialog->defaultSuffix())); });
    dialog->open();
}

Result<QString> export_to(const Export& what, const QString& path, const QString& ending)
{
    const QStringList known = endings_of(what);
    QString whole = path;
    if (QFileInfo(path).suffix().isEmpty()) {
        whole = (path.endsWith(QLatin1Char('.')) ? path.chopped(1) : path) + QLatin1Char('.') + (ending.isEmpty() ? known.value(0) : ending);
    }
    const QString kind = QFileInfo(whole).suffix().toLower();
    if (!known.contains(kind)) {
        return failure(Error::Kind::Usage,
                       QCoreApplication::translate("Export", "%1: a file that ends in .%2 cannot be written. Choose a name that ends in .%3.")
                           .arg(QFileInfo(whole).fileName(), kind, known.join(QCoreApplication::translate("Export", " or .")))
                           .toStdString());
    }
    const Result<void> written =
        kind == kCsv ? write_file_atomically(whole.toStdString(), table_text(what.table, QLatin1Char(',')).toStdString()) : save_picture(what, whole);
    return written ? Result<QString>(whole) : failure(written.error());
}

QStringList piece_fields(const std::string& bytes)
{
    const bool text = valid_utf8_prefix(bytes) == bytes.size() && bytes.find('\0') == std::string::npos;
    return {text ? to_qt(bytes) : QString(), QString::fromLatin1(QByteArray::fromStdString(bytes).toHex())};
}

QString exact(double value)
{
    return std::isfinite(value) ? QString::number(value, 'g', 17) : QString();
}

} // namespace retort
