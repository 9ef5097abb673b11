#pragma once
#include <QStyledItemDelegate>
#include <QTableView>

namespace retort {

struct Theme;

/// A table whose cells hold bars: rows are read, walked with the keyboard and copied as text; its columns follow its width and font. GUI thread.
class BarTable : public QTableView {
    Q_OBJECT

public:
    /// Puts all rows on the clipboard, columns apart by tabs.
    void copyTable() const;
    /// All rows at once, for a picture: no scroll bars, nothing chosen.
    void showWhole();

protected:
    explicit BarTable(QWidget* parent);

    /// Gives the columns their widths.
    virtual void fitColumns() = 0;
    [[nodiscard]] virtual QList<QStringList> table() const = 0;
    /// Room for the longest probability that percent() writes.
    [[nodiscard]] int percentWidth() const;
    /// Room for the longest of the tokens in `column`, at most `most` pixels.
    [[nodiscard]] int tokenWidth(int column, int most) const;

    void keyPressEvent(QKeyEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    void showEvent(QShowEvent* event) override;
    void changeEvent(QEvent* event) override;

private:
    bool m_whole = false; ///< as tall as all rows
};

/// Draws a cell of such a table: the ground of the chosen row or the row under the mouse, then what `paintCell` adds. GUI thread.
class BarCellDelegate : public QStyledItemDelegate {
    Q_OBJECT

public:
    using QStyledItemDelegate::QStyledItemDelegate;
    void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const final;

protected:
    /// The painter may be left in any state.
    virtual void paintCell(QPainter& painter, const QStyleOptionViewItem& option, const QModelIndex& index, const Theme& theme) const = 0;
    /// A bar from one x to the other, in the middle of the cell's height.
    static void paintBar(QPainter& painter, const QRectF& cell, double from, double to, const QColor& color);
};

} // namespace retort
