#include "core/base/cpu.h"
#include "core/store/session_store.h"
#include "ui/program.h"
#include "ui/theme/theme.h"

#include <QApplication>
#include <QCommandLineParser>
#include <QDir>
#include <QFileInfo>
#include <QSettings>
#include <QSocketNotifier>
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

struct Asked {
    std::filesystem::path library;
    retort::StartRequest models;
};

/// A path means the same in the first window, wherever that one was started.
QString absolute(const QString& model)
{
    return model.isEmpty() || model.startsWith(QLatin1String("demo:")) ? model : QDir::current().absoluteFilePath(model);
}

/// Whether a file named without an option is a library of sessions, and not a model: by its first bytes, or by its name where there is no file yet.
bool is_library(const QString& file)
{
    constexpr int kMagic = 15;
    QFile content(file);
    if (content.exists() && !QFileInfo(file).isDir() && content.open(QIODevice::ReadOnly)) {
        return content.read(kMagic) == "SQLite format 3";
    }
    return file.endsWith(QLatin1String(".retort-db"));
}

std::filesystem::path own_library()
{
    const QString chosen = QSettings().value(QStringLiteral("library")).toString();
    const bool named = qEnvironmentVariableIsSet("RETORT_LIBRARY");
    return named || chosen.isEmpty() ? retort::default_library_path() : std::filesystem::path(chosen.toStdString());
}

Asked read_arguments(const QApplication& application)
{
    QCommandLineParser parser;
    parser.setApplicationDescription(QStringLiteral("A workbench for teacher-student distillation."));
    parser.addHelpOption();
    parser.addVersionOption();
    const QCommandLineOption library(QStringLiteral("library"), QStringLiteral("The file of sessions; without it, your own library."),
                                     QStringLiteral("file"));
    const QCommandLineOption teacher(QStringLiteral("teacher"), QStringLiteral("Open this model as the teacher."), QStringLiteral("model"));
    const QCommandLineOption student(QStringLiteral("student"), QStringLiteral("Open this model as the student."), QStringLiteral("model"));
    parser.addOptions({library, teacher, student});
    parser.addPositionalArgument(QStringLiteral("file"),
                                 QStringLiteral("A library of sessions (.retort-db), or a model: a .gguf file or a Hugging Face folder."),
                                 QStringLiteral("[file]"));
    parser.process(application);

    Asked asked{own_library(), {}};
    if (!parser.positionalArguments().isEmpty()) {
        const QString file = parser.positionalArguments().front();
        if (is_library(file)) {
            asked.library = std::filesystem::path(file.toStdString());
        } else {
            asked.models.model = absolute(file);
        }
    }
    if (parser.isSet(library)) {
        asked.library = std::filesystem::path(parser.value(library).toStdString());
    }
    asked.models.teacher = absolute(parser.value(teacher));
    asked.models.student = absolute(parser.value(student));
    asked.models.activation = qEnvironmentVariable("XDG_ACTIVATION_TOKEN");
    return asked;
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

    const Asked asked = read_arguments(application);
    SingleInstance instance(asked.library);
    if (instance.handOver(asked.models)) {
        return 0;
    }
    apply_theme(application, static_cast<Scheme>(QSettings().value(QStringLiteral("scheme"), 0).toInt()));
    Program program;
    QObject::connect(&instance, &SingleInstance::startedAgain, &program, &Program::takeFromSecondStart);
    quit_on_signals(application);
    if (!program.open(asked.library)) {
        return 1;
    }
    program.take(asked.models);
    return QApplication::exec();
}
