#pragma once
#include "core/base/error.h"

#include <QFrame>

class QHBoxLayout;
class QLabel;
class QPushButton;
class QToolButton;

namespace retort {

/// A message where it belongs, in place of a modal box: what happened, why, what now. It stays until it is dismissed or no longer true.
class Notice : public QFrame {
    Q_OBJECT

public:
    enum class Kind { Note, Warning, Danger };

    explicit Notice(QWidget* parent = nullptr); ///< hidden until told something

    void tell(const QString& message, Kind kind = Kind::Danger);
    void tell(const Error& error);
    /// A button after the text; removed by the next tell().
    QPushButton* addAction(const QString& text);
    void dismiss();
    [[nodiscard]] QString message() const;
    [[nodiscard]] Kind kind() const { return m_kind; }
    void setDismissable(bool dismissable);
    /// Room above and below the frame that goes when the notice goes.
    void setGaps(int above, int below);

Q_SIGNALS:
    void dismissed();

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    void clearActions();

    Kind m_kind = Kind::Danger;
    QString m_message;
    int m_above = 0, m_below = 0;
    QLabel* m_text;
    QHBoxLayout* m_actions;
    QToolButton* m_close;
};

} // namespace retort
