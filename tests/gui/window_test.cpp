#include "core/base/worker.h"
#include "core/distil/catalogues.h"
#include "ui/main_window.h"
#include "ui/theme/theme.h"
#include "ui/widgets/choice_box.h"
#include "ui/window_place.h"
#include "ui/workbench.h"

#include <QAbstractButton>
#include <QAbstractItemView>
#include <QApplication>
#include <QButtonGroup>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QScreen>
#include <QSet>
#include <QSettings>
#include <QSplitter>
#include <QStackedWidget>
#include <QTemporaryDir>
#include <QTest>

using namespace retort;

namespace {

constexpr std::array kPages = {PageId::Models, PageId::Compare, PageId::Distributions, PageId::Distil, PageId::Sessions};

/// The window over an empty library, with no models: what is tested here needs none.
struct OpenWindow {
    explicit OpenWindow(const QString& folder)
        : store(SessionStore::open(std::filesystem::path(folder.toStdString()) / "library.retort-db").value()), workbench(*store, catalogues, engine),
          window(workbench)
    {
        window.show();
        QVERIFY(QTest::qWaitForWindowActive(&window));
    }

    std::unique_ptr<SessionStore> store;
    Catalogues catalogues = Catalogues::with_built_ins();
    Worker engine;
    Workbench workbench;
    MainWindow window;
};

/// The colour of an icon's lines.
QColor ink_of(const QIcon& icon)
{
    const QImage drawn = icon.pixmap(64).toImage();
    QColor ink;
    int most = -1;
    for (int y = 0; y < drawn.height(); ++y) {
        for (int x = 0; x < drawn.width(); ++x) {
            if (const QColor here = drawn.pixelColor(x, y); here.alpha() > most) {
                most = here.alpha();
                ink = here;
            }
        }
    }
    return ink;
}

} // namespace

/// What the window promises whatever it shows: a size that fits, keys that act, no place that Tab cannot reach or leave, one scheme of colours.
class WindowTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void init();
    void cleanup();

    void opensWithinTheScreen();
    void showsTheWholeRailInANarrowWindow();
    void isFoundAgainWithTheSizeItHad();
    void liesOnTheScreenWithItsFrame_data();
    void liesOnTheScreenWithItsFrame();
    void comesBackFromAScreenThatIsGone();
    void splittersStayWhereTheyWereMoved();
    void pagesKeysActOnceThePageIsShown();
    void comesBackToWhereTheFocusWas();
    void tabVisitsEveryWidgetAndReturns();
    void iconsFollowTheScheme();
    void aChoiceBoxShowsEveryLineWhole();

private:
    void open() { m_open = std::make_unique<OpenWindow>(m_folder->path()); }
    [[nodiscard]] MainWindow& window() const { return m_open->window; }

    std::unique_ptr<QTemporaryDir> m_folder;
    std::unique_ptr<OpenWindow> m_open;
};

void WindowTest::initTestCase()
{
    QSettings::setDefaultFormat(QSettings::IniFormat);
    apply_theme(*qApp, Scheme::Light);
}

void WindowTest::init()
{
    m_folder = std::make_unique<QTemporaryDir>();
    QSettings::setPath(QSettings::IniFormat, QSettings::UserScope, m_folder->path());
    open();
}

void WindowTest::cleanup()
{
    m_open.reset();
}

void WindowTest::opensWithinTheScreen()
{
    for (const PageId page : kPages) {
        window().showPage(page);
        QTest::qWait(10);
        const QRect screen = window().screen()->availableGeometry();
        QVERIFY2(screen.contains(window().geometry()), qPrintable(QStringLiteral("page %1: %2 x %3 on a screen of %4 x %5")
                                                                      .arg(static_cast<int>(page))
                                                                      .arg(window().width())
                                                                      .arg(window().height())
                                                                      .arg(screen.width())
                                                                      .arg(screen.height())));
    }
}

void WindowTest::showsTheWholeRailInANarrowWindow()
{
    window().showNormal();
    window().resize(window().minimumSize());
    QTest::qWait(10);
    for (const PageId page : kPages) {
        const auto* button = window().findChild<QWidget*>(QStringLiteral("rail_%1").arg(static_cast<int>(page)));
        QVERIFY(button->width() >= button->sizeHint().width());
        QVERIFY(button->height() >= button->sizeHint().height());
    }
}

void WindowTest::isFoundAgainWithTheSizeItHad()
{
    window().showNormal();
    const QSize size = window().minimumSize().boundedTo(window().screen()->availableGeometry().size());
    window().resize(size);
    QTRY_COMPARE(window().size(), size);
    window().close();
    m_open.reset();
    open();
    QCOMPARE(window().size(), size);
}

void WindowTest::liesOnTheScreenWithItsFrame_data()
{
    QTest::addColumn<QRect>("wanted");
    QTest::addColumn<QRect>("screen");
    QTest::newRow("as large as the screen") << QRect(0, 0, 1280, 800) << QRect(0, 0, 1280, 800);
    QTest::newRow("above a panel") << QRect(100, 100, 1000, 700) << QRect(0, 0, 1280, 770);
    QTest::newRow("on a screen to the left that is gone") << QRect(-1900, 40, 1280, 800) << QRect(0, 0, 1920, 1080);
    QTest::newRow("far below") << QRect(200, 4000, 900, 600) << QRect(0, 0, 1024, 768);
    QTest::newRow("larger than a small screen") << QRect(-50, -50, 2560, 1440) << QRect(0, 0, 800, 600);
    QTest::newRow("on the second screen") << QRect(1950, 30, 800, 600) << QRect(1920, 0, 1280, 1024);
}

void WindowTest::liesOnTheScreenWithItsFrame()
{
    QFETCH(QRect, wanted);
    QFETCH(QRect, screen);
    const QMargins frame(3, 24, 5, 7);
    const QRect place = fitted(wanted, frame, screen);
    const QRect outer = place.marginsAdded(frame);
    QVERIFY2(screen.contains(outer), qPrintable(QStringLiteral("%1,%2 %3x%4").arg(outer.x()).arg(outer.y()).arg(outer.width()).arg(outer.height())));
    if (screen.contains(wanted.marginsAdded(frame))) {
        QCOMPARE(place, wanted); // what fits is left alone
    }
    QCOMPARE(place.size(), wanted.size().boundedTo(screen.marginsRemoved(frame).size()));
}

void WindowTest::comesBackFromAScreenThatIsGone()
{
    window().showNormal();
    window().close();
    m_open.reset();
    QSettings settings;
    settings.setValue(QStringLiteral("place/screen"), QStringLiteral("HDMI-9"));
    for (const QString& key : settings.allKeys()) {
        if (key.endsWith(QLatin1String("/window"))) {
            settings.setValue(key, QRect(-5000, 3000, 700, 500));
        }
    }
    settings.sync();
    open();
    QTRY_VERIFY(window().screen()->availableGeometry().contains(window().frameGeometry()));
    window().showNormal();
    window().setGeometry(9000, 9000, 700, 500); // as when its screen is unplugged
    Q_EMIT qApp->screenRemoved(window().screen());
    QTRY_VERIFY(window().screen()->availableGeometry().contains(window().frameGeometry()));
}

void WindowTest::splittersStayWhereTheyWereMoved()
{
    window().showNormal();
    window().resize(window().screen()->availableGeometry().size());
    window().showPage(PageId::Compare);
    const auto first = [this] {
        QSplitter* found = nullptr;
        for (QSplitter* splitter : window().findChildren<QSplitter*>()) {
            if (splitter->isVisible() && splitter->count() == 2 && found == nullptr) {
                found = splitter;
            }
        }
        return found;
    };
    QTRY_VERIFY(first() != nullptr);
    QTest::qWait(50);
    QSplitter* splitter = first();
    const int whole = splitter->sizes()[0] + splitter->sizes()[1];
    splitter->setSizes({whole * 3 / 5, whole - whole * 3 / 5});
    const QList<int> moved = splitter->sizes();
    Q_EMIT splitter->splitterMoved(moved[0], 1); // as a drag does
    window().close();
    m_open.reset();
    open();
    window().showNormal();
    window().resize(window().screen()->availableGeometry().size());
    window().showPage(PageId::Compare);
    QTRY_COMPARE(first()->sizes(), moved);
}

void WindowTest::pagesKeysActOnceThePageIsShown()
{
    QTest::keyClick(&window(), Qt::Key_2, Qt::ControlModifier);
    auto* prompt = window().findChild<QPlainTextEdit*>(QStringLiteral("prompt"));
    prompt->setPlainText(QStringLiteral("a question"));
    QTest::keyClick(&window(), Qt::Key_F6); // it selects the prompt, and is the page's own key
    QCOMPARE(prompt->textCursor().selectedText(), QStringLiteral("a question"));
    QVERIFY(prompt->hasFocus());
}

void WindowTest::comesBackToWhereTheFocusWas()
{
    window().showPage(PageId::Compare);
    auto* sync = window().findChild<QWidget*>(QStringLiteral("sync"));
    sync->setFocus();
    window().showPage(PageId::Sessions);
    QVERIFY(window().findChild<QWidget*>(QStringLiteral("session_search"))->hasFocus());
    window().showPage(PageId::Compare);
    QVERIFY(sync->hasFocus());
    window().showPage(PageId::Sessions);
    sync->setEnabled(false); // meanwhile
    window().showPage(PageId::Compare);
    QVERIFY(window().findChild<QWidget*>(QStringLiteral("prompt"))->hasFocus());
    sync->setEnabled(true);
}

void WindowTest::tabVisitsEveryWidgetAndReturns()
{
    for (const PageId page : kPages) {
        window().showPage(page);
        QTest::qWait(10);
        QSet<QWidget*> wanted;
        for (QWidget* widget : window().findChildren<QWidget*>()) {
            const auto* button = qobject_cast<QAbstractButton*>(widget);
            const bool by_arrows = button != nullptr && (button->autoExclusive() || button->group() != nullptr) && !button->isChecked();
            const bool scrolls = widget->objectName().startsWith(QLatin1String("qt_")); // the insides of Qt's own widgets
            if (widget->isVisible() && widget->isEnabled() && (widget->focusPolicy() & Qt::TabFocus) != 0 && !scrolls && !by_arrows &&
                widget->focusProxy() == nullptr) {
                wanted.insert(widget);
            }
        }
        const int patience = 3 * static_cast<int>(wanted.size()) + 10;
        QTest::keyClick(QApplication::focusWidget(), Qt::Key_Tab);
        QWidget* const first = QApplication::focusWidget();
        QVERIFY(first != nullptr);
        QSet<QWidget*> visited = {first};
        bool returned = false;
        for (int presses = 0; presses < patience && !returned; ++presses) {
            QTest::keyClick(QApplication::focusWidget(), Qt::Key_Tab);
            visited.insert(QApplication::focusWidget());
            returned = QApplication::focusWidget() == first;
        }
        QVERIFY2(returned, qPrintable(QStringLiteral("page %1: Tab is caught in %2")
                                          .arg(static_cast<int>(page))
                                          .arg(QLatin1String(QApplication::focusWidget()->metaObject()->className()))));
        for (QWidget* widget : wanted - visited) {
            QFAIL(qPrintable(QStringLiteral("page %1: Tab never comes to %2 \"%3\"")
                                 .arg(static_cast<int>(page))
                                 .arg(QLatin1String(widget->metaObject()->className()), widget->objectName())));
        }
    }
}

void WindowTest::iconsFollowTheScheme()
{
    int icons = 0;
    for (const Scheme scheme : {Scheme::Dark, Scheme::Light}) {
        apply_theme(*qApp, scheme);
        const Theme& theme = scheme == Scheme::Dark ? Theme::dark_one() : Theme::light();
        for (const QAbstractButton* button : window().findChildren<QAbstractButton*>()) {
            const bool insides = qobject_cast<QLineEdit*>(button->parent()) != nullptr || button->objectName().startsWith(QLatin1String("qt_"));
            if (!button->icon().isNull() && !insides) {
                const QColor ink = ink_of(button->icon());
                QVERIFY2(ink.rgb() == theme.muted.rgb(), qPrintable(button->objectName() + QLatin1Char(' ') + ink.name()));
                ++icons;
            }
        }
    }
    QVERIFY(icons >= 8);
}

void WindowTest::aChoiceBoxShowsEveryLineWhole()
{
    int boxes = 0;
    for (const PageId page : kPages) {
        window().showPage(page);
        for (ChoiceBox* box : window().findChildren<ChoiceBox*>()) {
            if (!box->isVisible() || !box->isEnabled() || box->count() == 0) {
                continue;
            }
            box->showPopup();
            const QAbstractItemView* list = box->view();
            QTRY_VERIFY(list->isVisible());
            const QRect last = list->visualRect(box->model()->index(box->count() - 1, 0));
            QVERIFY2(
                list->viewport()->rect().contains(last),
                qPrintable(QStringLiteral("%1: line ends at %2 of %3").arg(box->objectName()).arg(last.bottom()).arg(list->viewport()->height())));
            const int below = list->window()->y() - box->mapToGlobal(QPoint(0, box->height() - 1)).y();
            QVERIFY2(below >= 0 || list->window()->geometry().bottom() <= box->mapToGlobal(QPoint()).y(), qPrintable(box->objectName()));
            box->hidePopup();
            ++boxes;
        }
    }
    QVERIFY(boxes >= 5);
}

QTEST_MAIN(WindowTest)
#include "window_test.moc"
