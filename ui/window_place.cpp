#include "ui/window_place.h"

#include <QEvent>
#include <QGuiApplication>
#include <QScreen>
#include <QSettings>
#include <QSplitter>
#include <QWidget>
#include <algorithm>

namespace retort {

namespace {

constexpr QSize kWanted(1280, 800);
constexpr QSize kLeast(640, 480);
constexpr QMargins kUsualFrame(4, 32, 4, 4); // until a window manager has drawn one
constexpr int kSettled = 100;                // ms after which a frame is there and a screen has its size

/// A screen is known by its name and size: the same projector with another resolution is another place.
QString key_of(const QScreen& screen, const QString& what)
{
    const QSize size = screen.geometry().size();
    const QString name = QString(screen.name()).replace(QLatin1Char('/'), QLatin1Char('-'));
    return QStringLiteral("place/%1 %2x%3/%4").arg(name).arg(size.width()).arg(size.height()).arg(what);
}

QMargins frame_of(const QWidget& window)
{
    const QRect inner = window.geometry();
    const QRect outer = window.frameGeometry();
    return {inner.left() - outer.left(), inner.top() - outer.top(), outer.right() - inner.right(), outer.bottom() - inner.bottom()};
}

/// "compare_page/1 across": splitters are told apart by the nearest thing with a name, their number in it, and which way they lie now.
QString name_of(const QSplitter& splitter)
{
    const QWidget* named = splitter.parentWidget();
    while (named != nullptr && (named->objectName().isEmpty() || named->objectName().startsWith(QLatin1String("qt_")))) {
        named = named->parentWidget();
    }
    const auto number = named == nullptr ? 0 : named->findChildren<QSplitter*>().indexOf(&splitter);
    return QStringLiteral("splitters/%1-%2 %3")
        .arg(named == nullptr ? QString() : named->objectName())
        .arg(number)
        .arg(splitter.orientation() == Qt::Horizontal ? QStringLiteral("across") : QStringLiteral("down"));
}

} // namespace

QRect fitted(const QRect& wanted, const QMargins& frame, const QRect& screen)
{
    const QRect room = screen.marginsRemoved(frame);
    QRect place(wanted.topLeft(), wanted.size().boundedTo(room.size()));
    place.moveLeft(std::clamp(place.left(), room.left(), room.right() - place.width() + 1));
    place.moveTop(std::clamp(place.top(), room.top(), room.bottom() - place.height() + 1));
    return place;
}

WindowPlace::WindowPlace(QWidget& window) : QObject(&window), m_window(window), m_frame(kUsualFrame)
{
    m_fit_due.setSingleShot(true);
    m_fit_due.setInterval(kSettled);
    connect(&m_fit_due, &QTimer::timeout, this, &WindowPlace::fit);
    m_window.installEventFilter(this);
    for (QScreen* screen : QGuiApplication::screens()) {
        watch(screen);
    }
    connect(qApp, &QGuiApplication::screenAdded, this, &WindowPlace::watch);
    connect(qApp, &QGuiApplication::screenRemoved, this, [this] { m_fit_due.start(); });
    for (QSplitter* splitter : m_window.findChildren<QSplitter*>()) {
        splitter->installEventFilter(this);
        connect(splitter, &QSplitter::splitterMoved, this, [this, splitter] {
            QVariantList sizes;
            for (const int size : splitter->sizes()) {
                sizes << size;
            }
            QSettings().setValue(key_of(*m_window.screen(), name_of(*splitter)), sizes);
        });
    }
}

void WindowPlace::watch(QScreen* screen)
{
    connect(screen, &QScreen::availableGeometryChanged, this, [this] { m_fit_due.start(); });
}

void WindowPlace::restore()
{
    const QSettings settings;
    const QString last = settings.value(QStringLiteral("place/screen")).toString();
    const QList<QScreen*> screens = QGuiApplication::screens();
    const auto known = std::ranges::find_if(screens, [&last](const QScreen* screen) { return screen->name() == last; });
    const QScreen& screen = known != screens.end() ? **known : *m_window.screen();
    const QRect room = screen.availableGeometry();
    m_window.setMinimumSize(kLeast.boundedTo(room.marginsRemoved(m_frame).size()));

    QRect wanted = settings.value(key_of(screen, QStringLiteral("window"))).toRect();
    bool whole_screen = settings.value(key_of(screen, QStringLiteral("maximised"))).toBool();
    if (!wanted.isValid()) {
        wanted = QRect(QPoint(), kWanted);
        wanted.moveCenter(room.center());
        whole_screen = !room.marginsRemoved(m_frame).contains(wanted);
    }
    m_window.setGeometry(fitted(wanted, m_frame, room));
    if (whole_screen) {
        m_window.setWindowState(Qt::WindowMaximized); // the screen gives what it has, its frames counted
    }
}

void WindowPlace::keep()
{
    const QScreen& screen = *m_window.screen();
    const bool normal = (m_window.windowState() & (Qt::WindowMaximized | Qt::WindowFullScreen)) == 0;
    QSettings settings;
    settings.setValue(QStringLiteral("place/screen"), screen.name());
    settings.setValue(key_of(screen, QStringLiteral("window")), normal ? m_window.geometry() : m_window.normalGeometry());
    settings.setValue(key_of(screen, QStringLiteral("maximised")), m_window.isMaximized());
}

/// With the frame that is there, on the screen that is there.
void WindowPlace::fit()
{
    if (!m_window.isVisible() || (m_window.windowState() & (Qt::WindowMaximized | Qt::WindowFullScreen | Qt::WindowMinimized)) != 0) {
        return;
    }
    m_frame = frame_of(m_window);
    const QRect place = m_window.geometry();
    const QRect wanted = fitted(place, m_frame, m_window.screen()->availableGeometry());
    if (wanted != place) {
        m_window.setGeometry(wanted);
    }
}

void WindowPlace::restoreSplitter(QSplitter& splitter) const
{
    QList<int> sizes;
    for (const QVariant& size : QSettings().value(key_of(*m_window.screen(), name_of(splitter))).toList()) {
        sizes << size.toInt();
    }
    if (sizes.size() == splitter.count()) {
        splitter.setSizes(sizes);
    }
}

bool WindowPlace::eventFilter(QObject* watched, QEvent* event)
{
    if (event->type() == QEvent::Show) {
        if (watched == &m_window) {
            m_fit_due.start();
        } else if (auto* splitter = qobject_cast<QSplitter*>(watched)) {
            QTimer::singleShot(0, splitter, [this, splitter] { restoreSplitter(*splitter); }); // once its page has laid it out
        }
    }
    return QObject::eventFilter(watched, event);
}

} // namespace retort
