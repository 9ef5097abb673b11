#pragma once
#include "ui/pages/distributions/softening.h"

#include <QWidget>
#include <vector>

class QLabel;
class QGridLayout;

namespace retort {

/// The figures of one position: both KLs, JS, TV, entropies, overlap; each with its formula as a tool tip. GUI thread.
class Readouts : public QWidget {
    Q_OBJECT

public:
    explicit Readouts(QWidget* parent = nullptr);
    void showFigures(const SoftenedView& view);
    /// As "name: value" lines, for the clipboard and for tests.
    [[nodiscard]] QString asText() const;

protected:
    void resizeEvent(QResizeEvent* event) override;

private:
    struct Tile {
        QWidget* widget;
        QLabel* name;
        QLabel* value;
    };
    Tile& addTile(const char* object_name, const QString& name, const QString& formula);
    void arrange();

    QGridLayout* m_grid;
    std::vector<Tile> m_tiles;
    int m_columns = 0;
};

} // namespace retort
