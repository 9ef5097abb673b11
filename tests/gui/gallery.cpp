// Writes a picture of every page to build/gallery: light and dark, 1280 x 720, 960 x 600, at twice the scale, and with names as long as German ones.
// Whoever changes a page runs it and looks:  build/tests/gallery [folder]
#include "core/base/log.h"
#include "core/base/worker.h"
#include "core/distil/catalogues.h"
#include "tests/gui/tiny_demo.h"
#include "ui/main_window.h"
#include "ui/theme/theme.h"
#include "ui/workbench.h"

#include <QApplication>
#include <QDir>
#include <QElapsedTimer>
#include <QSettings>
#include <QStandardPaths>
#include <QTemporaryDir>
#include <QTest>
#include <cstdio>
#include <tuple>

namespace {

using namespace retort;

/// The event loop runs until `ready` or the time is over.
template <class Ready>
void wait_for(Ready ready, int limit_ms)
{
    QElapsedTimer timer;
    timer.start();
    while (!ready() && timer.elapsed() < limit_ms) {
        QTest::qWait(20);
    }
}

struct Shot {
    const char* name;
    Scheme scheme;
    QSize size;
    int stretch;
};

void take(const QDir& folder, const Shot& shot, const std::filesystem::path& demo, bool empty)
{
    QTemporaryDir library;
    auto store = SessionStore::open(std::filesystem::path(library.path().toStdString()) / "library.retort-db");
    if (!store) {
        log_error(store.error());
        return;
    }
    if (!empty) {
        if (auto added = add_sample_sessions(**store, demo, shot.stretch); !added) {
            log_error(added.error());
            return;
        }
    }
    const Catalogues catalogues = Catalogues::with_built_ins();
    Worker engine;
    Workbench workbench(**store, catalogues, engine);
    apply_theme(*qApp, shot.scheme);
    MainWindow window(workbench);
    window.setWindowState(Qt::WindowNoState);
    window.resize(shot.size);
    window.show();
    if (!empty) {
        workbench.start();
        wait_for([&] { return workbench.bothReady() && !workbench.sessions().empty(); }, 20'000);
        workbench.setCursor(TokenPlace{Role::Teacher, 5});
    }
    for (const auto& [page, name] :
         {std::pair{PageId::Models, "models"}, std::pair{PageId::Compare, "compare"}, std::pair{PageId::Distributions, "distributions"},
          std::pair{PageId::Distil, "distil"}, std::pair{PageId::Sessions, "sessions"}}) {
        window.showPage(page);
        if (window.page() != page) {
            continue;
        }
        QTest::qWait(empty ? 50 : 700);
        const QString path = folder.filePath(
            QStringLiteral("%1-%2%3.png").arg(QLatin1String(name), QLatin1String(shot.name), empty ? QStringLiteral("-empty") : QString()));
        window.grab().save(path);
        std::printf("%s\n", qPrintable(path));
    }
}

} // namespace

int main(int argc, char** argv)
{
    qputenv("QT_QPA_PLATFORM", "offscreen");
    const bool twice = argc > 2 && qstrcmp(argv[2], "--2x") == 0;
    if (twice) {
        qputenv("QT_SCALE_FACTOR", "2");
    }
    QStandardPaths::setTestModeEnabled(true);
    QApplication application(argc, argv);
    QApplication::setOrganizationName(QStringLiteral("retort-gallery"));
    QSettings::setDefaultFormat(QSettings::IniFormat);
    QTemporaryDir settings, resources;
    QSettings::setPath(QSettings::IniFormat, QSettings::UserScope, settings.path());
    const QDir folder(argc > 1 ? QString::fromLocal8Bit(argv[1]) : QStringLiteral(RETORT_BINARY_DIR "/gallery"));
    folder.mkpath(QStringLiteral("."));
    const std::filesystem::path demo(resources.path().toStdString());
    if (auto written = write_tiny_demo(demo); !written) {
        log_error(written.error());
        return 1;
    }
    qputenv("RETORT_RESOURCES", resources.path().toLocal8Bit());
    if (twice) {
        take(folder, {"light-2x", Scheme::Light, {1280, 800}, 0}, demo, false);
        return 0;
    }
    for (const Shot& shot :
         {Shot{"light", Scheme::Light, {1440, 900}, 0}, Shot{"dark", Scheme::Dark, {1440, 900}, 0}, Shot{"small", Scheme::Light, {1280, 720}, 0},
          Shot{"narrow", Scheme::Light, {960, 600}, 0}, Shot{"long", Scheme::Dark, {1280, 720}, 24}}) {
        take(folder, shot, demo, false);
    }
    take(folder, {"light", Scheme::Light, {1280, 720}, 0}, demo, true);
    return 0;
}
