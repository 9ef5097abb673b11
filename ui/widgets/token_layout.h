#pragma once
#include "ui/widgets/token_display.h"

#include <QColor>
#include <QFont>
#include <QPointF>
#include <QRectF>
#include <QTextLayout>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace retort {

/// Where tokens lie on a page of a given width: wrapped at words, shaped by Qt, every token with its rectangles.
///
/// Text is laid out in blocks that end at a line end or after some lines, so appending lays out the last block only, however long the text is.
/// GUI thread.
class TokenLayout {
public:
    struct Style {
        QFont font;
        double line_gap = 6;
        friend bool operator==(const Style&, const Style&) = default;
    };

    /// A token's part on one line.
    struct Piece {
        std::size_t token = 0;
        QRectF rect;
        bool blank = false;     ///< only spaces that hang at a wrapped line's end while the token goes on in the next
        bool ends_token = true; ///< the token has nothing further on
    };

    struct Line {
        QTextLine text; ///< to be drawn at `origin`; valid until the layout changes
        QPointF origin;
        QRectF rect;
        std::vector<Piece> pieces;
        std::vector<QPointF> spaces; ///< centres
        std::vector<QRectF> broken;  ///< bytes shown in hex
    };

    void set_style(const Style& style);
    void set_width(double width);
    void clear();
    void append(std::vector<ShownToken> tokens);

    [[nodiscard]] std::span<const ShownToken> tokens() const { return m_tokens; }
    [[nodiscard]] double height() const;
    [[nodiscard]] double line_height() const { return m_line_height; }

    /// The lines that touch [top, bottom].
    [[nodiscard]] std::vector<Line> lines(double top, double bottom) const;
    [[nodiscard]] std::vector<QRectF> rects_of(std::size_t token) const;
    /// The token at the point, or the nearest on its line; empty above the first and below the last line.
    [[nodiscard]] std::optional<std::size_t> token_at(QPointF point) const;
    /// All cells in order, block by block: their bytes concatenate to the tokens'.
    [[nodiscard]] std::vector<DisplayCell> cells() const;

private:
    struct Block {
        BytePlace begin, end;
        std::unique_ptr<QTextLayout> layout;
        std::vector<DisplayCell> cells;
        double top = 0, height = 0;
    };

    void lay_out_from(std::size_t first_block);
    [[nodiscard]] Block make_block(BytePlace begin) const;
    void cut_last_line(Block& block) const;
    [[nodiscard]] Line line_of(const Block& block, int index) const;
    [[nodiscard]] double x_of(const Block& block, const QTextLine& line, int position) const;
    [[nodiscard]] std::size_t block_at(double y) const;

    Style m_style;
    double m_width = 400;
    double m_line_height = 20;
    std::vector<ShownToken> m_tokens;
    std::vector<Block> m_blocks;
};

} // namespace retort
