#include "core/base/cpu.h"
#include "core/base/files.h"
#include "core/base/log.h"
#include "core/base/worker.h"
#include "core/model/model_spec.h"
#include "core/distil/catalogues.h"
#include "core/store/first_library.h"
#include "core/store/session_store.h"
#include "ui/main_window.h"
#include "ui/theme/theme.h"
#include "ui/workbench.h"

#include <QApplication>
#include <QCommandLineParser>
#include <QSettings>
#include <QSocketNotifier>
#include <QTimer>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <unistd.h>

namespace {

int g_signal_pipe[2] = {-1, -1}; // a signal handler can reach nothing else

void on_signal(int /*signal*/)
{
    const char byte = 1;
    [[maybe_unused]] const ssize_t written = ::write(g_signal_pipe[1], &byte, 1);
}

/// SIGTERM and SIGINT end the program as closing the window does: what was written stays, a run ends after its step.
void quit_on_signals(QApplication& application)
{
    if (::pipe(g_signal_pipe) != 0) {
        return;
    }
    auto* notifier = new QSocketNotifier(g_signal_pipe[0], QSocketNotifier::Read, &application);
    QObject::connect(notifier, &QSocketNotifier::activated, &application, [] { QApplication::closeAllWindows(); });
    struct sigaction action {};
    action.sa_handler = on_signal;
    action.sa_flags = SA_RESTART;
    ::sigaction(SIGTERM, &action, nullptr);
    ::sigaction(SIGINT, &action, nullptr);
}

/// Qt aborts without a display; a person is better served by a sentence.
bool has_display(int argc, char** argv)
{
    const auto set = [](const char* name) {
        const char* value = std::getenv(name);
        return value != nullptr && *value != '\0';
    };
    for (int i = 1; i < argc; ++i) {
        const std::string_view argument(argv[i]);
        if (argument == "-platform" || argument == "--platform" || argument == "--help" || argument == "-h" || argument == "--version" ||
            argument == "-v") {
            return true;
        }
    }
    return set("DISPLAY") || set("WAYLAND_DISPLAY") || set("QT_QPA_PLATFORM");
}

/// The first thing seen is the session, not an empty page that it replaces; a library on a slow disk is not waited for.
void show_when_drawn(retort::MainWindow& window, retort::Workbench& workbench)
{
    constexpr int kPatience = 300; // ms
    QObject::connect(&workbench, &retort::Workbench::sessionChanged, &window, &QWidget::show, Qt::SingleShotConnection);
    QTimer::singleShot(kPatience, &window, &QWidget::show);
}

int fail(const retort::Error& error)
{
    std::fprintf(stderr, "%s\n", error.message.c_str());
    return 1;
}

} // namespace

int main(int argc, char** argv)
{
    using namespace retort;
    keep_freed_memory();
    if (!has_display(argc, argv)) {
        std::fputs("Retort's window needs a display, and none is set (DISPLAY, WAYLAND_DISPLAY). retort-cli does the same work without one.\n",
                   stderr);
        return 1;
    }
    for (int i = 1; i < argc; ++i) { // --help and --version are answered anywhere
        const std::string_view argument(argv[i]);
        if (argument == "--help" || argument == "-h" || argument == "--version" || argument == "-v") {
            ::setenv("QT_QPA_PLATFORM", "offscreen", 0);
        }
    }
    QApplication application(argc, argv);
    QApplication::setApplicationName(QStringLiteral("retort"));
    QApplication::setApplicationDisplayName(QStringLiteral("Retort"));
    QApplication::setApplicationVersion(QStringLiteral(RETORT_VERSION));
    QApplication::setOrganizationName(QStringLiteral("retort"));
    QApplication::setDesktopFileName(QStringLiteral("io.github.retort.Retort"));

    QCommandLineParser parser;
    parser.setApplicationDescription(QStringLiteral("A workbench for teacher-student distillation."));
    parser.addHelpOption();
    parser.addVersionOption();
    parser.addPositionalArgument(QStringLiteral("library"), QStringLiteral("The file of sessions to open; without it, your own library."),
                                 QStringLiteral("[library]"));
    parser.process(application);
    const QStringList files = parser.positionalArguments();
    const std::filesystem::path library = files.isEmpty() ? default_library_path() : std::filesystem::path(files.front().toStdString());

    std::error_code ignored;
    std::filesystem::create_directories(library.parent_path(), ignored); // open() says it better when this fails
    const auto begun = begin_library_with(recorded_session(), library);
    auto store = SessionStore::open(library);
    if (!store) {
        return fail(store.error());
    }
    const Catalogues catalogues = Catalogues::with_built_ins();
    Worker engine;
    Workbench workbench(**store, catalogues, engine);
    apply_theme(application, static_cast<Scheme>(QSettings().value(QStringLiteral("scheme"), 0).toInt()));
    MainWindow window(workbench);
    quit_on_signals(application);
    show_when_drawn(window, workbench);
    workbench.start();
    if (!begun) {
        Q_EMIT workbench.problem({begun.error().kind,
                                  "The recorded demo session could not be shown, so Retort begins with an empty library: " + begun.error().message,
                                  {}});
    }
    return QApplication::exec();
}
