#pragma once
#include <QMargins>
#include <QObject>
#include <QRect>
#include <QTimer>

class QScreen;
class QSplitter;
class QWidget;

namespace retort {

/// `wanted`, a window without its frame, made small enough and moved so that it lies with its frame on `screen`.
[[nodiscard]] QRect fitted(const QRect& wanted, const QMargins& frame, const QRect& screen);

/// Where a window stands: size, place and splitters, remembered for each screen, and always on a screen with the whole of its frame.
///
/// A window manager's frame is known only once the window is shown, so the window is fitted again then; and again whenever a screen goes or changes.
/// GUI thread; lives as long as the window.
class WindowPlace : public QObject {
    Q_OBJECT

public:
    explicit WindowPlace(QWidget& window);

    void restore(); ///< before the window is shown
    void keep();    ///< when it closes

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    void watch(QScreen* screen);
    void fit();
    void restoreSplitter(QSplitter& splitter) const;

    QWidget& m_window;
    QMargins m_frame; ///< as the window manager drew it the last time
    QTimer m_fit_due;
};

} // namespace retort
