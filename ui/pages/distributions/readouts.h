#pragma once
#include "ui/pages/distributions/softening.h"
#include "ui/widgets/tile_grid.h"

#include <vector>

class QLabel;

namespace retort {

/// The figures of one position: both KLs, JS, TV, entropies, overlap; each with its formula as a tool tip. GUI thread.
class Readouts : public TileGrid {
    Q_OBJECT

public:
    explicit Readouts(QWidget* parent = nullptr);
    void showFigures(const SoftenedView& view);

private:
    struct Tile {
        QWidget* widget;
        QLabel* name;
        QLabel* value;
    };
    void addTile(const char* object_name, const QString& name, const QString& formula);

    std::vector<Tile> m_tiles;
};

} // namespace retort
