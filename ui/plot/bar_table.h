#pragma once
#include <QTableView>

class QPainter;
class QStyleOptionViewItem;

namespace retort {

struct Theme;

/// A table whose cells hold bars: rows are read, walked with the keyboard and copied as text; its columns follow its width and font. GUI thread.
class BarTable : public QTableView {
    Q_OBJECT

public:
    /// Puts all rows on the clipboard, columns apart by tabs.
    void copyTable() const;

protected:
    explicit BarTable(QWidget* parent);

    /// Gives the columns their widths.
    virtual void fitColumns() = 0;
    [[nodiscard]] virtual QString asText(QChar separator) const = 0;
    /// Room for the longest probability that percent() writes.
    [[nodiscard]] int percentWidth() const;
    /// Room for the longest of the tokens in `column`, at most `most` pixels.
    [[nodiscard]] int tokenWidth(int column, int most) const;

    void keyPressEvent(QKeyEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    void changeEvent(QEvent* event) override;
};

/// What lies behind a cell: the chosen row, the row under the mouse.
void paint_cell_ground(QPainter& painter, const QStyleOptionViewItem& option, const Theme& theme);

} // namespace retort
