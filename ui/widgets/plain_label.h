#pragma once
#include "ui/theme/theme.h"

#include <QLabel>
#include <string>

namespace retort {

/// A label that never takes its text for HTML: names and answers come from files of strangers. Every label of the window is made here.
/// `tone`: "", muted, faint, teacher, student, warning, danger, accent (style_sheet.h).
[[nodiscard]] QLabel* plain_label(const QString& text, Type type = Type::Body, const char* tone = "");

/// The same over several lines.
[[nodiscard]] QLabel* wrapped_label(const QString& text, Type type = Type::Body, const char* tone = "");

/// The text with places where a wrapped label may break it inside paths and words too long for a line.
[[nodiscard]] QString breakable(const QString& text);

/// Changes a label's tone after it has been shown.
void set_tone(QLabel& label, const char* tone);

/// std::string of core (UTF-8, possibly broken) for the screen.
[[nodiscard]] inline QString to_qt(const std::string& text)
{
    return QString::fromUtf8(text.data(), static_cast<qsizetype>(text.size()));
}

[[nodiscard]] inline std::string to_core(const QString& text)
{
    return text.toStdString();
}

/// One line that gives up its end, not its place, when there is no room; the whole is the tool tip.
class ElidedLabel : public QLabel {
    Q_OBJECT

public:
    explicit ElidedLabel(const QString& text, Type type = Type::Body, const char* tone = "", QWidget* parent = nullptr);
    [[nodiscard]] QSize minimumSizeHint() const override;

protected:
    void paintEvent(QPaintEvent* event) override;
};

} // namespace retort
