#include "ui/widgets/ask_for_model.h"

#include <QCoreApplication>
#include <QFileDialog>
#include <QFileInfo>
#include <QRegularExpression>
#include <QSettings>

namespace retort {

namespace {

constexpr qsizetype kMostRecent = 10;

QString tr(const char* text)
{
    return QCoreApplication::translate("AskForModel", text);
}

void write(const QList<RecentModel>& models)
{
    QStringList lines;
    for (const RecentModel& model : models) {
        lines << QLatin1String(name_of(model.role)) + QLatin1Char(' ') + model.path;
    }
    QSettings().setValue(QStringLiteral("recent_models"), lines);
}

} // namespace

void ask_for_model(QWidget& parent, Role role, std::function<void(const QString&)> opened)
{
    auto* dialog = new QFileDialog(&parent, role == Role::Teacher ? tr("Open a teacher") : tr("Open a student"));
    dialog->setObjectName(QStringLiteral("open_model_dialog"));
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setFileMode(QFileDialog::ExistingFile);
    dialog->setDirectory(QSettings().value(QStringLiteral("last_folder")).toString());
    dialog->setNameFilters({tr("Models (*.gguf *.safetensors config.json)"), tr("All files (*)")});
    QObject::connect(dialog, &QFileDialog::fileSelected, &parent, [opened = std::move(opened)](const QString& path) {
        QSettings().setValue(QStringLiteral("last_folder"), QFileInfo(path).absolutePath());
        opened(path);
    });
    dialog->open();
}

void ask_where_to_save(QWidget& parent, const QString& name, std::function<void(const QString&)> chosen)
{
    auto* dialog = new QFileDialog(&parent, tr("Save the model as a folder"));
    dialog->setObjectName(QStringLiteral("save_model_dialog"));
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setAcceptMode(QFileDialog::AcceptSave);
    dialog->setOption(QFileDialog::DontConfirmOverwrite); // nothing is written over: whoever saves refuses a folder that is not empty
    dialog->setDirectory(QSettings().value(QStringLiteral("last_folder")).toString());
    static const QRegularExpression kOther(QStringLiteral("[^\\w.-]+"), QRegularExpression::UseUnicodePropertiesOption);
    dialog->selectFile(QString(name).replace(kOther, QStringLiteral("-")));
    QObject::connect(dialog, &QFileDialog::fileSelected, &parent, [chosen = std::move(chosen)](const QString& path) {
        QSettings().setValue(QStringLiteral("last_folder"), QFileInfo(path).absolutePath());
        chosen(path);
    });
    dialog->open();
}

QList<RecentModel> recent_models()
{
    QList<RecentModel> models;
    for (const QString& line : QSettings().value(QStringLiteral("recent_models")).toStringList()) {
        for (const Role role : kRoles) {
            if (const QString word = QLatin1String(name_of(role)) + QLatin1Char(' '); line.startsWith(word)) {
                models << RecentModel{line.sliced(word.size()), role};
            }
        }
    }
    return models;
}

void remember_model(const RecentModel& model)
{
    QList<RecentModel> models = recent_models();
    models.removeAll(model);
    models.prepend(model);
    models.resize(std::min(models.size(), kMostRecent));
    write(models);
}

void forget_recent_models()
{
    write({});
}

} // namespace retort
