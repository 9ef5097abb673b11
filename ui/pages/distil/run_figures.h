#pragma once
#include "ui/widgets/tile_grid.h"

namespace retort {

class FigureLabel;
struct StoredRun;

/// A run's latest figures: held-out KL and same top choice, speed, learning rate, gradient norm. GUI thread.
class RunFigures : public TileGrid {
    Q_OBJECT

public:
    explicit RunFigures(QWidget* parent = nullptr);
    void show(const StoredRun& record);

private:
    FigureLabel* addFigure(const QString& caption);

    FigureLabel* m_kl;
    FigureLabel* m_same_top;
    FigureLabel* m_speed;
    FigureLabel* m_rate;
    FigureLabel* m_gradient;
};

} // namespace retort
