#pragma once
#include "ui/widgets/token_layout.h"
#include "ui/widgets/token_tint.h"

#include <QAbstractScrollArea>
#include <QTimer>
#include <cstddef>
#include <optional>
#include <vector>

namespace retort {

class TokenCursor;

/// A text as its tokens: each drawn from its own bytes, never searched for in a string, tinted by what is known of it, with a cursor that it
/// shares with other views. Takes tokens as they stream in. GUI thread.
///
/// Keys: left/right, home/end, up/down move the cursor; with Shift they select; Ctrl+C copies; Enter is `activated`. The colour is also told by an
/// underline's weight.
class TokenView : public QAbstractScrollArea {
    Q_OBJECT

public:
    explicit TokenView(TokenCursor& cursor, QWidget* parent = nullptr);
    ~TokenView() override;

    void clear();
    void append(std::vector<ShownToken> tokens);
    /// What is known of the tokens from `first` on; the ones before keep theirs.
    void setFacts(std::size_t first, std::vector<TokenFacts> facts);
    void setTint(Tint tint);
    void setShowsSpaces(bool shows);
    /// From this token on the text is no longer the one beside it: marked by a line before it.
    void setParting(std::optional<std::size_t> token);

    [[nodiscard]] std::span<const ShownToken> tokens() const { return m_layout.tokens(); }
    [[nodiscard]] const TokenLayout& tokenLayout() const { return m_layout; }
    [[nodiscard]] const std::vector<TokenFacts>& facts() const { return m_facts; }
    [[nodiscard]] Tint tint() const { return m_tint; }
    [[nodiscard]] std::optional<std::size_t> cursorPosition() const;

    /// The tokens' bytes put together; bytes that are no UTF-8 become U+FFFD.
    [[nodiscard]] QString plainText() const;
    [[nodiscard]] QString selectedText() const;
    /// A sentence on a token: "Token 12 of 41: “ win”, 41.2 %, rank 1, entropy 2.10 nat, KL 0.61 nat".
    [[nodiscard]] QString describe(std::size_t token) const;
    /// Where the token is drawn, in viewport coordinates; empty when there is no such token.
    [[nodiscard]] QRectF tokenRect(std::size_t token) const;
    [[nodiscard]] std::optional<std::size_t> tokenAt(QPoint viewport_point) const;

    /// The first token on screen, for keeping another view beside this one.
    [[nodiscard]] std::size_t firstVisible() const;
    void scrollToToken(std::size_t token);
    void ensureVisible(std::size_t token);

    [[nodiscard]] QSize sizeHint() const override;
    /// What the whole text needs at this width, and what `lines` lines need.
    [[nodiscard]] int contentHeight() const { return m_content_height; }
    [[nodiscard]] int heightOf(int lines) const;

public Q_SLOTS:
    void copy();
    void selectAll();

Q_SIGNALS:
    void focused();   ///< the cursor is moved here from now on; Tab alone does not say so
    void activated(); ///< Enter, at the cursor
    void scrolledTo(std::size_t first_visible);
    void contentHeightChanged(int height);

protected:
    bool viewportEvent(QEvent* event) override;
    void paintEvent(QPaintEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    void changeEvent(QEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void focusInEvent(QFocusEvent* event) override;
    void focusOutEvent(QFocusEvent* event) override;
    void contextMenuEvent(QContextMenuEvent* event) override;
    void scrollContentsBy(int dx, int dy) override;

private:
    struct Selection {
        std::size_t anchor = 0, end = 0;
    };

    void restyle();
    void fitWidth();
    void updateScrollBar();
    void cursorMoved(std::optional<std::size_t> position);
    void moveCursor(std::size_t to, bool select);
    void takeCursor();
    [[nodiscard]] std::optional<std::size_t> rowBeside(int direction) const;
    [[nodiscard]] QString textOf(std::size_t first, std::size_t last) const;

    TokenCursor& m_cursor;
    TokenLayout m_layout;
    std::vector<TokenFacts> m_facts;
    Tint m_tint = Tint::Kl;
    bool m_shows_spaces = true;
    bool m_has_cursor = false; ///< `focused` was said since the focus came
    bool m_following = false;  ///< the cursor's move comes from this view
    std::optional<std::size_t> m_parting;
    std::optional<std::size_t> m_hovered;
    std::optional<Selection> m_selection;
    int m_content_height = 0;
    QTimer m_resized;
};

} // namespace retort
