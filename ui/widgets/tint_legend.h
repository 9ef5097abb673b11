#pragma once
#include "ui/widgets/token_tint.h"

#include <QWidget>

namespace retort {

/// The printed scale of a tint: its colours from end to end, and what they stand for. GUI thread.
class TintLegend : public QWidget {
    Q_OBJECT

public:
    explicit TintLegend(QWidget* parent = nullptr);
    void setTint(Tint tint);
    [[nodiscard]] QSize sizeHint() const override;

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    Tint m_tint = Tint::Kl;
};

} // namespace retort
