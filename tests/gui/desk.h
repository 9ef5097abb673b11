#pragma once
#include "core/base/worker.h"
#include "core/distil/catalogues.h"
#include "tests/gui/tiny_demo.h"
#include "ui/workbench.h"

#include <QTemporaryDir>
#include <QTest>
#include <memory>

namespace retort {

inline constexpr int kPatience = 60'000; // of a slow machine; nothing here is a timing

/// A widget over a workbench with a library of its own. RETORT_RESOURCES has to name a folder with a demo for what starts with models.
template <class Window>
struct Desk {
    explicit Desk(bool with_samples = true)
    {
        store = std::move(SessionStore::open(std::filesystem::path(library.filePath(QStringLiteral("library.retort-db")).toStdString())).value());
        if (with_samples) {
            QVERIFY(add_sample_sessions(*store, qgetenv("RETORT_RESOURCES").toStdString()).has_value());
        }
        workbench = std::make_unique<Workbench>(*store, catalogues, engine);
        window = std::make_unique<Window>(*workbench);
        window->resize(1200, 760);
        window->show();
        QVERIFY(QTest::qWaitForWindowActive(window.get()));
        if (with_samples) {
            workbench->start();
            QTRY_VERIFY_WITH_TIMEOUT(workbench->bothReady() && !workbench->exchange().empty(), kPatience);
        }
    }

    template <class Kind>
    [[nodiscard]] Kind* find(const char* name) const
    {
        return window->template findChild<Kind*>(QLatin1String(name));
    }

    QTemporaryDir library;
    std::unique_ptr<SessionStore> store;
    Catalogues catalogues = Catalogues::with_built_ins();
    Worker engine;
    std::unique_ptr<Workbench> workbench;
    std::unique_ptr<Window> window;
};

} // namespace retort
