#pragma once
#include <QFrame>
#include <QVBoxLayout>

class QLabel;

namespace retort {

/// A bordered surface that holds one subject. Children go into layout(), a column with the grid's margins.
class Card : public QFrame {
    Q_OBJECT

public:
    explicit Card(QWidget* parent = nullptr);
    [[nodiscard]] QVBoxLayout* column() const { return m_column; }

private:
    QVBoxLayout* m_column;
};

/// A frame without border, one shade deeper, for a group inside a card.
[[nodiscard]] QFrame* well();

/// A line of one pixel.
[[nodiscard]] QFrame* hairline();

/// A figure in large type over its caption: "9.8x" over "smaller".
class FigureLabel : public QWidget {
    Q_OBJECT

public:
    FigureLabel(const QString& figure, const QString& caption, QWidget* parent = nullptr);
    void setFigure(const QString& figure);
    void setCaption(const QString& caption);

private:
    QLabel* m_figure;
    QLabel* m_caption;
};

} // namespace retort
