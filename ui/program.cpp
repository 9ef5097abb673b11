#include "ui/program.h"

#include "core/model/model_spec.h"
#include "ui/main_window.h"
#include "ui/widgets/notice.h"
#include "ui/widgets/plain_label.h"
#include "ui/workbench.h"

#include <QFileDialog>
#include <QGuiApplication>
#include <QPushButton>
#include <QSettings>
#include <QTimer>
#include <cstdio>

namespace retort {

namespace {

/// The first thing seen is the session, not an empty page that it replaces; a library on a slow disk is not waited for.
void show_when_drawn(MainWindow& window, Workbench& workbench)
{
    constexpr int kPatience = 300; // ms
    QObject::connect(&workbench, &Workbench::sessionChanged, &window, &QWidget::show, Qt::SingleShotConnection);
    QTimer::singleShot(kPatience, &window, &QWidget::show);
}

void bring_to_front(QWidget& window, const QString& activation)
{
    if (!activation.isEmpty()) {
        qputenv("XDG_ACTIVATION_TOKEN", activation.toUtf8()); // Qt's Wayland plugin reads it from here when it asks for the front
    }
    window.setWindowState(window.windowState() & ~Qt::WindowMinimized);
    window.show();
    window.raise();
    window.activateWindow();
}

} // namespace

Program::Program(QObject* parent) : QObject(parent) {}

Program::~Program() = default;

bool Program::open(const std::filesystem::path& file)
{
    stand(open_library(file, recorded_session()));
    return m_library.store != nullptr;
}

void Program::stand(Library library)
{
    QGuiApplication::setQuitOnLastWindowClosed(false); // another takes its place
    m_window.reset();
    m_workbench.reset();
    m_engine.reset();
    m_library = std::move(library);
    QGuiApplication::setQuitOnLastWindowClosed(true);
    if (!m_library.store) {
        std::fprintf(stderr, "%s\n", m_library.trouble->message.c_str());
        return;
    }
    m_engine = std::make_unique<Worker>();
    m_workbench = std::make_unique<Workbench>(*m_library.store, m_catalogues, *m_engine);
    m_window = std::make_unique<MainWindow>(*m_workbench);
    m_window->setLibrary(to_qt(m_library.wanted.string()), m_library.kept());
    show_when_drawn(*m_window, *m_workbench);
    m_workbench->start();
    if (m_library.trouble && m_library.kept()) {
        Q_EMIT m_workbench->problem(*m_library.trouble);
    } else if (m_library.trouble) {
        tellTrouble(*m_library.trouble);
    }
}

/// Why nothing is saved, and the ways out.
void Program::tellTrouble(const Error& trouble)
{
    Notice& notice = m_window->libraryNotice();
    notice.tell(tr("%1 What you do in this window is not saved.").arg(to_qt(trouble.message)));
    const auto offer = [this, &notice](const QString& text, const char* name, auto act) {
        QPushButton* button = notice.addAction(text);
        button->setObjectName(QLatin1String(name));
        connect(button, &QPushButton::clicked, this, act, Qt::QueuedConnection); // the window that holds the button may go
    };
    offer(tr("Try again"), "library_again", [this] { reopen(m_library.wanted); });
    offer(tr("Open read only"), "library_read_only", [this] { openReadOnly(); });
    offer(tr("Choose another place…"), "library_elsewhere", [this] { chooseAnother(); });
}

void Program::openReadOnly()
{
    auto copy = open_copy(m_library.wanted);
    if (!copy) {
        tellTrouble(copy.error());
        return;
    }
    stand(std::move(*copy));
    Notice& notice = m_window->libraryNotice();
    notice.tell(tr("%1 is open read only: everything in it can be looked at, and what you do in this window is not saved.")
                    .arg(to_qt(m_library.wanted.string())),
                Notice::Kind::Warning);
    QPushButton* elsewhere = notice.addAction(tr("Choose another place…"));
    elsewhere->setObjectName(QStringLiteral("library_elsewhere"));
    connect(elsewhere, &QPushButton::clicked, this, &Program::chooseAnother, Qt::QueuedConnection);
}

void Program::chooseAnother()
{
    auto* dialog = new QFileDialog(m_window.get(), tr("Where sessions are saved"));
    dialog->setObjectName(QStringLiteral("library_dialog"));
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setAcceptMode(QFileDialog::AcceptSave);
    dialog->setOption(QFileDialog::DontConfirmOverwrite); // a library that is there is opened, never written over
    dialog->setNameFilter(tr("Libraries (*.retort-db)"));
    dialog->setDefaultSuffix(QStringLiteral("retort-db"));
    connect(
        dialog, &QFileDialog::fileSelected, this,
        [this](const QString& file) {
            QSettings().setValue(QStringLiteral("library"), file); // the next start goes there too
            reopen(std::filesystem::path(file.toStdString()));
        },
        Qt::QueuedConnection);
    dialog->open();
}

void Program::reopen(const std::filesystem::path& file)
{
    stand(open_library(file, recorded_session()));
}

void Program::take(const StartRequest& request)
{
    if (m_workbench->session().id == 0) { // the session's own models are asked for first, so that these take their place
        connect(
            m_workbench.get(), &Workbench::sessionChanged, this, [this, request] { take(request); },
            static_cast<Qt::ConnectionType>(Qt::QueuedConnection | Qt::SingleShotConnection));
        return;
    }
    if (!request.teacher.isEmpty()) {
        m_window->openModel(Role::Teacher, request.teacher);
    }
    if (!request.student.isEmpty()) {
        m_window->openModel(Role::Student, request.student);
    }
    if (!request.model.isEmpty()) {
        m_window->offerModel(request.model);
    }
}

void Program::takeFromSecondStart(const StartRequest& request)
{
    take(request);
    bring_to_front(*m_window, request.activation);
}

} // namespace retort
