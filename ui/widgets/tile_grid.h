#pragma once
#include <QWidget>
#include <vector>

class QGridLayout;

namespace retort {

/// Small widgets side by side, in as many rows as the width asks for; in columns of one width, so that rows stand in line. GUI thread.
class TileGrid : public QWidget {
    Q_OBJECT

public:
    explicit TileGrid(QWidget* parent = nullptr);
    void add(QWidget* tile);
    /// Two beside each other; with less the tiles would be cut.
    [[nodiscard]] QSize minimumSizeHint() const override;
    [[nodiscard]] int columns() const { return m_columns; }

protected:
    void resizeEvent(QResizeEvent* event) override;

private:
    void arrange();

    QGridLayout* m_grid;
    std::vector<QWidget*> m_tiles;
    int m_columns = 0;
};

} // namespace retort
