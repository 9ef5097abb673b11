#pragma once
#include "ui/theme/icons.h"

#include <QWidget>

class QHBoxLayout;
class QLabel;
class QPushButton;

namespace retort {

/// What a place says while there is nothing to show: one sentence and what to do about it. Never a blank area.
class EmptyState : public QWidget {
    Q_OBJECT

public:
    EmptyState(Glyph glyph, const QString& sentence, QWidget* parent = nullptr);
    QPushButton* addAction(const QString& text, bool primary);
    void setSentence(const QString& sentence);
    [[nodiscard]] QString sentence() const;

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    Glyph m_glyph;
    QLabel* m_sentence;
    QHBoxLayout* m_actions;
};

} // namespace retort
