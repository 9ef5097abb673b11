#include "ui/widgets/token_layout.h"

#include <QFontMetricsF>
#include <QTextOption>
#include <algorithm>
#include <cmath>
#include <iterator>

namespace retort {

namespace {

using Kind = DisplayCell::Kind;
// Long enough that blocks are few, short enough that laying one out again for each streamed token is not felt (under a millisecond).
constexpr std::size_t kBlockUnits = 1200;

bool is_sign(Kind kind)
{
    return kind != Kind::Text && kind != Kind::Space;
}

QTextLayout::FormatRange format_of(const DisplayCell& cell, const TokenLayout::Style& style)
{
    QTextLayout::FormatRange range;
    range.start = cell.from;
    range.length = cell.length;
    if (cell.kind == Kind::Broken || cell.kind == Kind::Control || cell.kind == Kind::Special) {
        QFont small = style.font;
        small.setPointSizeF(style.font.pointSizeF() * (cell.kind == Kind::Special ? 0.85 : 0.75));
        range.format.setFont(small);
    }
    return range;
}

} // namespace

void TokenLayout::set_style(const Style& style)
{
    if (style == m_style) {
        return;
    }
    m_style = style;
    m_line_height = std::ceil(QFontMetricsF(style.font).height() + style.line_gap);
    lay_out_from(0);
}

void TokenLayout::set_width(double width)
{
    width = std::max(width, 24.0);
    if (std::abs(width - m_width) < 0.5) {
        return;
    }
    m_width = width;
    lay_out_from(0);
}

void TokenLayout::clear()
{
    m_tokens.clear();
    m_blocks.clear();
}

void TokenLayout::append(std::vector<ShownToken> tokens)
{
    if (tokens.empty()) {
        return;
    }
    std::move(tokens.begin(), tokens.end(), std::back_inserter(m_tokens));
    lay_out_from(m_blocks.empty() ? 0 : m_blocks.size() - 1);
}

double TokenLayout::height() const
{
    return m_blocks.empty() ? 0.0 : m_blocks.back().top + m_blocks.back().height;
}

void TokenLayout::lay_out_from(std::size_t first_block)
{
    BytePlace at = first_block < m_blocks.size() ? m_blocks[first_block].begin : BytePlace{};
    m_blocks.resize(std::min(first_block, m_blocks.size()));
    double top = height();
    while (at.token < m_tokens.size()) {
        Block block = make_block(at);
        block.top = top;
        top += block.height;
        at = block.end;
        m_blocks.push_back(std::move(block));
    }
}

TokenLayout::Block TokenLayout::make_block(BytePlace begin) const
{
    DisplayText shown = display_text(m_tokens, begin, kBlockUnits);
    Block block;
    block.begin = begin;
    block.end = shown.end;
    block.cells = std::move(shown.cells);
    block.layout = std::make_unique<QTextLayout>(shown.text, m_style.font);
    QTextOption option;
    option.setWrapMode(QTextOption::WrapAtWordBoundaryOrAnywhere);
    option.setFlags(QTextOption::IncludeTrailingSpaces);
    block.layout->setTextOption(option);
    QList<QTextLayout::FormatRange> formats;
    for (const DisplayCell& cell : block.cells) {
        if (is_sign(cell.kind) && cell.slice == 0) {
            formats.push_back(format_of(cell, m_style));
        }
    }
    block.layout->setFormats(formats);
    block.layout->setCacheEnabled(true);
    block.layout->beginLayout();
    double y = 0;
    for (QTextLine line = block.layout->createLine(); line.isValid(); line = block.layout->createLine()) {
        line.setLineWidth(m_width);
        // A line of smaller signs alone stands on the same base line as its neighbours.
        const double ascent = QFontMetricsF(m_style.font).ascent();
        line.setPosition(QPointF(0, y + m_style.line_gap / 2 + ascent - line.ascent()));
        y += m_line_height;
    }
    block.layout->endLayout();
    const bool more_follows = block.end.token < m_tokens.size() && !shown.ends_the_line;
    if (more_follows && block.layout->lineCount() > 1) {
        cut_last_line(block);
    }
    block.height = m_line_height * std::max(1, block.layout->lineCount() - (more_follows && block.layout->lineCount() > 1 ? 1 : 0));
    return block;
}

/// A block that stopped in mid-line gives its last line to the next one. Lines are drawn by height, so the layout itself may keep it.
void TokenLayout::cut_last_line(Block& block) const
{
    const int start = block.layout->lineAt(block.layout->lineCount() - 1).textStart();
    const auto cut = std::lower_bound(block.cells.begin(), block.cells.end(), start, [](const DisplayCell& cell, int at) { return cell.from < at; });
    if (cut != block.cells.end()) {
        block.end = {cut->token, cut->byte_begin};
        block.cells.erase(cut, block.cells.end());
    }
}

/// Qt puts no cursor inside a character made of several code points; a token boundary there gets its share of the width.
double TokenLayout::x_of(const Block& block, const QTextLine& line, int position) const
{
    if (block.layout->isValidCursorPosition(position)) {
        return line.cursorToX(position);
    }
    const int before = block.layout->previousCursorPosition(position);
    const int after = block.layout->nextCursorPosition(position);
    const double share = after > before ? static_cast<double>(position - before) / (after - before) : 0.0;
    const double left = line.cursorToX(before);
    return left + share * (line.cursorToX(after) - left);
}

TokenLayout::Line TokenLayout::line_of(const Block& block, int index) const
{
    Line out;
    out.text = block.layout->lineAt(index);
    const double top = block.top + index * m_line_height;
    out.origin = QPointF(0, block.top);
    out.rect = QRectF(0, top, m_width, m_line_height);
    const int start = out.text.textStart(), end = start + out.text.textLength();
    auto cell = std::lower_bound(block.cells.begin(), block.cells.end(), start, [](const DisplayCell& c, int at) { return c.from < at; });
    bool all_blank = false;
    for (; cell != block.cells.end() && cell->from < end; ++cell) {
        double left = std::min(x_of(block, out.text, cell->from), m_width);
        double right = std::min(x_of(block, out.text, cell->from + cell->length), m_width);
        if (right < left) {
            std::swap(left, right);
        }
        const double slice = (right - left) / cell->slices;
        const QRectF rect(left + slice * cell->slice, top, slice, m_line_height);
        if (cell->kind == Kind::Space) {
            out.spaces.push_back(rect.center());
        } else if (cell->kind == Kind::Broken) {
            out.broken.push_back(rect);
        }
        if (out.pieces.empty() || out.pieces.back().token != cell->token) {
            out.pieces.push_back({cell->token, rect, false, false});
            all_blank = true;
        }
        Piece& piece = out.pieces.back();
        piece.rect = piece.rect.united(rect);
        all_blank = all_blank && cell->kind == Kind::Space;
        piece.ends_token = cell->byte_end == m_tokens[cell->token].bytes.size();
        piece.blank = all_blank && !piece.ends_token;
    }
    return out;
}

std::size_t TokenLayout::block_at(double y) const
{
    const auto next = std::upper_bound(m_blocks.begin(), m_blocks.end(), y, [](double at, const Block& block) { return at < block.top; });
    return next == m_blocks.begin() ? 0 : static_cast<std::size_t>(next - m_blocks.begin()) - 1;
}

std::vector<TokenLayout::Line> TokenLayout::lines(double top, double bottom) const
{
    std::vector<Line> out;
    for (std::size_t b = block_at(top); b < m_blocks.size() && m_blocks[b].top <= bottom; ++b) {
        const Block& block = m_blocks[b];
        const int count = static_cast<int>(std::lround(block.height / m_line_height));
        const int first = std::max(0, static_cast<int>(std::floor((top - block.top) / m_line_height)));
        for (int i = first; i < std::min(count, block.layout->lineCount()) && block.top + i * m_line_height <= bottom; ++i) {
            out.push_back(line_of(block, i));
        }
    }
    return out;
}

std::vector<QRectF> TokenLayout::rects_of(std::size_t token) const
{
    std::vector<QRectF> out;
    auto block = std::upper_bound(m_blocks.begin(), m_blocks.end(), token, [](std::size_t at, const Block& b) { return at < b.begin.token; });
    // A block may begin within a token: go back to the one that has the token's first byte.
    while (block != m_blocks.begin()) {
        --block;
        if (block->begin.token < token || block->begin.byte == 0) {
            break;
        }
    }
    for (; block != m_blocks.end() && block->begin.token <= token; ++block) {
        const auto cell =
            std::lower_bound(block->cells.begin(), block->cells.end(), token, [](const DisplayCell& c, std::size_t at) { return c.token < at; });
        if (cell == block->cells.end() || cell->token != token) {
            continue;
        }
        const int count = static_cast<int>(std::lround(block->height / m_line_height));
        for (int i = block->layout->lineForTextPosition(cell->from).lineNumber(); i >= 0 && i < count; ++i) {
            const Line line = line_of(*block, i);
            const auto piece = std::find_if(line.pieces.begin(), line.pieces.end(), [token](const Piece& p) { return p.token == token; });
            if (piece == line.pieces.end()) {
                break;
            }
            if (!piece->blank) {
                out.push_back(piece->rect);
            }
        }
    }
    return out;
}

std::optional<std::size_t> TokenLayout::token_at(QPointF point) const
{
    if (point.y() < 0 || point.y() >= height()) {
        return std::nullopt;
    }
    const std::vector<Line> found = lines(point.y(), point.y());
    if (found.empty() || found.front().pieces.empty()) {
        return std::nullopt;
    }
    const auto distance = [x = point.x()](const Piece& piece) { return std::max({piece.rect.left() - x, x - piece.rect.right(), 0.0}); };
    const auto& pieces = found.front().pieces;
    return std::min_element(pieces.begin(), pieces.end(), [&](const Piece& a, const Piece& b) { return distance(a) < distance(b); })->token;
}

std::vector<DisplayCell> TokenLayout::cells() const
{
    std::vector<DisplayCell> out;
    for (const Block& block : m_blocks) {
        out.insert(out.end(), block.cells.begin(), block.cells.end());
    }
    return out;
}

} // namespace retort
