#pragma once
#include "ui/page_id.h"
#include "ui/theme/icons.h"

#include <QAbstractButton>
#include <QWidget>
#include <vector>

class QVBoxLayout;

namespace retort {

/// One page's button on the rail: its icon over its name.
class RailButton : public QAbstractButton {
    Q_OBJECT

public:
    RailButton(Glyph glyph, const QString& text, QWidget* parent = nullptr);
    [[nodiscard]] QSize sizeHint() const override;
    [[nodiscard]] QSize minimumSizeHint() const override { return sizeHint(); } ///< a narrow window takes from the pages

protected:
    void paintEvent(QPaintEvent* event) override;
    void enterEvent(QEnterEvent* event) override;
    void leaveEvent(QEvent* event) override;

private:
    Glyph m_glyph;
};

/// The pages down the left side; exactly one is chosen.
class Rail : public QWidget {
    Q_OBJECT

public:
    explicit Rail(QWidget* parent = nullptr);
    void addPage(PageId page, Glyph glyph, const QString& name, const QString& shortcut);
    void choose(PageId page);

Q_SIGNALS:
    void chosen(retort::PageId page);

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    QVBoxLayout* m_column;
    std::vector<std::pair<PageId, RailButton*>> m_buttons;
};

} // namespace retort
