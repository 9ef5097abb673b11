#include "ui/widgets/tile_grid.h"

#include "ui/theme/theme.h"

#include <QGridLayout>
#include <algorithm>

namespace retort {

namespace {

int widest(const std::vector<QWidget*>& tiles)
{
    int width = 80;
    for (const QWidget* tile : tiles) {
        width = std::max(width, tile->sizeHint().width());
    }
    return width;
}

} // namespace

TileGrid::TileGrid(QWidget* parent) : QWidget(parent), m_grid(new QGridLayout(this))
{
    m_grid->setContentsMargins(0, 0, 0, 0);
    m_grid->setHorizontalSpacing(space::l);
    m_grid->setVerticalSpacing(space::s);
}

void TileGrid::add(QWidget* tile)
{
    m_tiles.push_back(tile);
    m_columns = 0;
    arrange();
}

QSize TileGrid::minimumSizeHint() const
{
    return {2 * widest(m_tiles) + space::l, m_grid->minimumSize().height()};
}

void TileGrid::resizeEvent(QResizeEvent* event)
{
    QWidget::resizeEvent(event);
    arrange();
}

void TileGrid::arrange()
{
    int together = -space::l;
    for (const QWidget* tile : m_tiles) {
        together += tile->sizeHint().width() + space::l;
    }
    const int all = static_cast<int>(m_tiles.size());
    const int columns = together <= width() ? all : std::clamp(width() / (widest(m_tiles) + space::l), std::min(2, all), all);
    if (columns == m_columns) {
        return;
    }
    m_columns = columns;
    for (int i = 0; i < all; ++i) {
        m_grid->addWidget(m_tiles[static_cast<std::size_t>(i)], i / columns, i % columns);
    }
    for (int column = 0; column < all; ++column) {
        m_grid->setColumnStretch(column, column < columns ? 1 : 0);
    }
    updateGeometry();
}

} // namespace retort
