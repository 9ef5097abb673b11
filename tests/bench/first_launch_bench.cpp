// How long somebody waits who starts Retort for the first time: an empty folder for the library, the shipped demo, the window as main() makes it.
// Run it offscreen (QT_QPA_PLATFORM=offscreen) or under an X server; every round is a library and a window of its own.

#include "core/base/cpu.h"
#include "core/base/worker.h"
#include "core/distil/catalogues.h"
#include "core/model/model_spec.h"
#include "core/store/first_library.h"
#include "ui/main_window.h"
#include "ui/theme/theme.h"
#include "ui/workbench.h"

#include <QAction>
#include <QApplication>
#include <QElapsedTimer>
#include <QSettings>
#include <QTemporaryDir>
#include <cstdio>
#include <functional>

namespace {

using namespace retort;

constexpr int kRounds = 3;
constexpr int kPatience = 120'000; // ms
constexpr std::size_t kPoints = 5; ///< of the curve; by then one sees where it goes

/// Notes when the window is painted for the first time.
class FirstPaint : public QObject {
public:
    FirstPaint(const QElapsedTimer& clock, QObject* window) : QObject(window), m_clock(clock) { window->installEventFilter(this); }
    [[nodiscard]] qint64 at() const { return m_at; }

protected:
    bool eventFilter(QObject* /*watched*/, QEvent* event) override
    {
        if (event->type() == QEvent::Paint && m_at < 0) {
            m_at = m_clock.elapsed();
        }
        return false;
    }

private:
    const QElapsedTimer& m_clock;
    qint64 m_at = -1;
};

/// Milliseconds on `clock` when `reached` first held; -1 when it never did.
qint64 wait_for(const QElapsedTimer& clock, const std::function<bool()>& reached)
{
    while (!reached()) {
        if (clock.elapsed() > kPatience) {
            return -1;
        }
        QCoreApplication::processEvents(QEventLoop::AllEvents, 5);
    }
    return clock.elapsed();
}

void measure(int round)
{
    const QTemporaryDir folder;
    const std::filesystem::path library = std::filesystem::path(folder.path().toStdString()) / "library.retort-db";
    QElapsedTimer clock;
    clock.start();
    const auto begun = begin_library_with(recorded_session(), library);
    if (!begun) {
        std::printf("round %d: %s\n", round, begun.error().message.c_str());
    }
    const auto store = SessionStore::open(library);
    if (!store) {
        std::printf("round %d: %s\n", round, store.error().message.c_str());
        return;
    }
    const qint64 opened = clock.elapsed();
    const Catalogues catalogues = Catalogues::with_built_ins();
    Worker engine;
    Workbench workbench(**store, catalogues, engine);
    apply_theme(*qApp, Scheme::Light);
    MainWindow window(workbench);
    const FirstPaint paint(clock, &window);
    QObject::connect(&workbench, &Workbench::sessionChanged, &window, &QWidget::show, Qt::SingleShotConnection);
    workbench.start();
    const qint64 drawn = wait_for(clock, [&] { return workbench.session().id != 0 && paint.at() >= 0; });
    const qint64 ready = wait_for(clock, [&] { return workbench.bothReady(); });

    QElapsedTimer since_start;
    since_start.start();
    window.findChild<QAction*>(QStringLiteral("action_distil"))->trigger();
    const auto& metrics = workbench.run().record.metrics;
    const qint64 falling =
        wait_for(since_start, [&] { return workbench.run().live && metrics.size() >= kPoints && metrics.back().loss < metrics.front().loss; });
    std::printf("round %d: library %lld ms, first paint %lld ms, session drawn %lld ms, models ready %lld ms, Ctrl+R to a curve of %zu points "
                "that falls %.2f s\n",
                round, static_cast<long long>(opened), static_cast<long long>(paint.at()), static_cast<long long>(drawn),
                static_cast<long long>(ready), kPoints, static_cast<double>(falling) / 1000.0);
    std::fflush(stdout);
    workbench.stopAndDiscard();
    wait_for(since_start, [&] { return !workbench.run().live; });
}

} // namespace

int main(int argc, char** argv)
{
    QApplication application(argc, argv);
    const QTemporaryDir settings;
    QSettings::setDefaultFormat(QSettings::IniFormat);
    QSettings::setPath(QSettings::IniFormat, QSettings::UserScope, settings.path());
    const CpuDescription cpu = describe_cpu();
    std::printf("%s, %d processors used\n", cpu.model.c_str(), static_cast<int>(usable_processors()));
    for (int round = 1; round <= kRounds; ++round) {
        measure(round);
    }
    return 0;
}
