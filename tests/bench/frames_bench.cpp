// How late the window gets: a heartbeat every 10 ms on its thread while the demo's student is distilled and the curve falls, while the half-trained
// student also answers on Compare, and while both models answer alone.
//
//   frames_bench [seconds]   of each of the three, 20 by default
//
// The window is the real one on Qt's offscreen platform: it lays out and paints into memory, no display needed. A gap near 10 ms is a beat on time;
// whatever is above was work on the window's thread, or another program's turn on the processor. The design asks for no gap above 50 ms.
#include "core/base/cpu.h"
#include "core/base/log.h"
#include "core/base/worker.h"
#include "core/distil/catalogues.h"
#include "ui/main_window.h"
#include "ui/theme/theme.h"
#include "ui/workbench.h"

#include <QAction>
#include <QApplication>
#include <QElapsedTimer>
#include <QEventLoop>
#include <QSettings>
#include <QSpinBox>
#include <QTemporaryDir>
#include <QTimer>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <vector>

namespace {

using namespace retort;

constexpr int kBeat = 10;          // ms
constexpr int kPatience = 120'000; // ms, for what has to happen before anything is measured

/// Runs the event loop until `ready`; false when it never came.
template <class Ready>
bool wait_for(Ready ready, int limit = kPatience)
{
    QElapsedTimer waited;
    waited.start();
    while (!ready() && waited.elapsed() < limit) {
        QCoreApplication::processEvents(QEventLoop::WaitForMoreEvents | QEventLoop::AllEvents, kBeat);
    }
    return ready();
}

/// The gaps between beats, in ms, while the event loop runs for `seconds`; `on_beat` may keep things going.
template <class OnBeat>
std::vector<double> beat_for(int seconds, OnBeat on_beat)
{
    std::vector<double> gaps;
    QElapsedTimer since;
    QTimer heart;
    QEventLoop loop;
    heart.setTimerType(Qt::PreciseTimer);
    QObject::connect(&heart, &QTimer::timeout, &loop, [&] {
        gaps.push_back(static_cast<double>(since.nsecsElapsed()) / 1e6);
        since.restart();
        on_beat();
    });
    QTimer::singleShot(seconds * 1000, &loop, &QEventLoop::quit);
    since.start();
    heart.start(kBeat);
    loop.exec();
    return gaps;
}

void report(const char* what, std::vector<double> gaps)
{
    if (gaps.empty()) {
        std::printf("%-36s no beat at all\n", what);
        return;
    }
    std::ranges::sort(gaps);
    const auto at = [&](double share) { return gaps[static_cast<std::size_t>(share * static_cast<double>(gaps.size() - 1))]; };
    const auto late = std::ranges::count_if(gaps, [](double gap) { return gap > 50; });
    std::printf("%-36s %6zu beats   p50 %5.1f ms   p99 %5.1f ms   worst %5.1f ms   over 50 ms: %td\n", what, gaps.size(), at(0.5), at(0.99),
                gaps.back(), late);
    std::fflush(stdout);
}

/// Asks once more whenever both have answered.
void keep_asking(Workbench& workbench)
{
    if (!workbench.exchange().running()) {
        Question question{{{"user", "Mia has a red kite."}}, false, {}};
        question.settings.max_tokens = 200;
        workbench.ask(question);
    }
}

int measure(Workbench& workbench, MainWindow& window, int seconds)
{
    workbench.start();
    if (!wait_for([&] { return workbench.bothReady(); })) {
        std::fputs("The demo's models did not load within two minutes.\n", stderr);
        return 1;
    }
    // As a person would: more steps than can pass, then Ctrl+R.
    window.findChild<QSpinBox*>(QStringLiteral("distil_steps"))->setValue(1'000'000);
    window.findChild<QAction*>(QStringLiteral("action_distil"))->trigger();
    if (!wait_for([&] { return workbench.run().live && workbench.run().record.last_step > 2; })) {
        std::fputs("The run took no third step within two minutes.\n", stderr);
        return 1;
    }
    report("distilling, Distil on screen", beat_for(seconds, [] {}));
    window.showPage(PageId::Compare);
    report("distilling and answering, Compare", beat_for(seconds, [&] { keep_asking(workbench); }));
    workbench.stopAndDiscard();
    if (!wait_for([&] { return !workbench.run().live && workbench.bothReady(); })) {
        std::fputs("The run did not stop within two minutes.\n", stderr);
        return 1;
    }
    report("answering, Compare on screen", beat_for(seconds, [&] { keep_asking(workbench); }));
    return 0;
}

} // namespace

int main(int argc, char** argv)
{
    keep_freed_memory();
    qputenv("QT_QPA_PLATFORM", "offscreen");
    QApplication application(argc, argv);
    QApplication::setOrganizationName(QStringLiteral("retort-bench"));
    const int seconds = argc > 1 ? std::max(1, std::atoi(argv[1])) : 20;
    const QTemporaryDir folder;
    QSettings::setDefaultFormat(QSettings::IniFormat);
    QSettings::setPath(QSettings::IniFormat, QSettings::UserScope, folder.path());
    auto store = SessionStore::open(std::filesystem::path(folder.path().toStdString()) / "library.retort-db");
    if (!store) {
        log_error(store.error());
        return 1;
    }
    const Catalogues catalogues = Catalogues::with_built_ins();
    Worker engine;
    Workbench workbench(**store, catalogues, engine);
    apply_theme(application, Scheme::Light);
    MainWindow window(workbench);
    window.resize(1280, 800);
    window.show();
    return measure(workbench, window, seconds);
}
