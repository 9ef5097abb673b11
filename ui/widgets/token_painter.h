#pragma once
#include "ui/widgets/token_layout.h"
#include "ui/widgets/token_tint.h"

#include <QColor>
#include <optional>
#include <utility>
#include <vector>

class QPainter;

namespace retort {

struct Theme;

/// What is to be seen of a text beside the words: tint, marks, selection.
struct TokenLook {
    const std::vector<TokenFacts>& facts;
    Tint tint = Tint::Kl;
    bool shows_spaces = true;
    std::optional<std::size_t> cursor, hovered;
    std::optional<std::size_t> parting;                           ///< from here on the text is not the one beside it
    std::optional<std::pair<std::size_t, std::size_t>> selection; ///< first and last token
};

/// Draws a text's lines token by token: each on a ground of its tint, in the ink that can be read on it. Lives as long as one paint event.
class TokenPainter {
public:
    TokenPainter(QPainter& painter, const Theme& theme, const TokenLook& look);
    void draw(const TokenLayout::Line& line) const;

private:
    void drawWords(const TokenLayout::Line& line) const;
    void drawSigns(const TokenLayout::Line& line) const;
    void drawMarks(const TokenLayout::Piece& piece) const;
    [[nodiscard]] std::optional<QColor> groundOf(std::size_t token) const;
    [[nodiscard]] QColor inkOf(std::size_t token) const;

    QPainter& m_painter;
    const Theme& m_theme;
    const TokenLook& m_look;
};

} // namespace retort
