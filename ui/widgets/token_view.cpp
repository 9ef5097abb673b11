#include "ui/widgets/token_view.h"

#include "ui/theme/theme.h"
#include "ui/widgets/figure_text.h"
#include "ui/widgets/token_cursor.h"
#include "ui/widgets/token_painter.h"
#include "ui/widgets/token_view_accessible.h"

#include <QClipboard>
#include <QGuiApplication>
#include <QPaintEvent>
#include <QPainter>
#include <QScrollBar>
#include <algorithm>
#include <cmath>
#include <utility>

namespace retort {

namespace {

constexpr int kMargin = 12;
// Wrapping this many takes longer than a frame; while the window is being dragged they wait until it rests.
constexpr std::size_t kManyTokens = 4000;

} // namespace

TokenView::TokenView(TokenCursor& cursor, QWidget* parent) : QAbstractScrollArea(parent), m_cursor(cursor)
{
    install_token_view_accessibility();
    setFrameShape(QFrame::NoFrame);
    setFocusPolicy(Qt::StrongFocus);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    viewport()->setMouseTracking(true);
    viewport()->setCursor(Qt::IBeamCursor);
    m_resized.setSingleShot(true);
    m_resized.setInterval(60);
    connect(&m_resized, &QTimer::timeout, this, &TokenView::fitWidth);
    restyle();
    connect(&m_cursor, &TokenCursor::moved, this, &TokenView::cursorMoved);
}

TokenView::~TokenView() = default;

void TokenView::clear()
{
    m_layout.clear();
    m_facts.clear();
    m_parting.reset();
    m_hovered.reset();
    m_selection.reset();
    updateScrollBar();
    viewport()->update();
}

void TokenView::append(std::vector<ShownToken> tokens)
{
    const bool at_end = verticalScrollBar()->value() == verticalScrollBar()->maximum();
    m_layout.append(std::move(tokens));
    updateScrollBar();
    if (at_end && !m_cursor.position()) {
        verticalScrollBar()->setValue(verticalScrollBar()->maximum());
    }
    viewport()->update();
}

void TokenView::setFacts(std::size_t first, std::vector<TokenFacts> facts)
{
    m_facts.resize(std::max(m_facts.size(), first + facts.size()));
    std::move(facts.begin(), facts.end(), m_facts.begin() + static_cast<std::ptrdiff_t>(first));
    viewport()->update();
}

void TokenView::setTint(Tint tint)
{
    m_tint = tint;
    viewport()->update();
}

void TokenView::setShowsSpaces(bool shows)
{
    m_shows_spaces = shows;
    viewport()->update();
}

void TokenView::setParting(std::optional<std::size_t> token)
{
    m_parting = token;
    viewport()->update();
}

std::optional<std::size_t> TokenView::cursorPosition() const
{
    const auto at = m_cursor.position();
    return at && *at < tokens().size() ? at : std::nullopt;
}

QString TokenView::textOf(std::size_t first, std::size_t last) const
{
    std::string bytes;
    for (std::size_t i = first; i < std::min(last + 1, tokens().size()); ++i) {
        bytes += tokens()[i].bytes;
    }
    return QString::fromUtf8(bytes.data(), static_cast<qsizetype>(bytes.size()));
}

QString TokenView::plainText() const
{
    return tokens().empty() ? QString() : textOf(0, tokens().size() - 1);
}

QString TokenView::selectedText() const
{
    return m_selection ? textOf(std::min(m_selection->anchor, m_selection->end), std::max(m_selection->anchor, m_selection->end)) : QString();
}

QString TokenView::describe(std::size_t token) const
{
    if (token >= tokens().size()) {
        return {};
    }
    QString text = tr("Token %1 of %2: %3").arg(token + 1).arg(tokens().size()).arg(QStringLiteral("“%1”").arg(token_label(tokens()[token])));
    if (token < m_facts.size()) {
        const TokenFacts& facts = m_facts[token];
        text += tr(", %1, rank %2, entropy %3 nat").arg(percent(facts.probability)).arg(facts.rank + 1).arg(figure(facts.entropy, 2));
        if (facts.kl) {
            text += tr(", KL %1 nat").arg(figure(*facts.kl, 3));
        }
        if (facts.delta_p) {
            text += tr(", Δp %1 %").arg(figure(*facts.delta_p * 100, 1));
        }
    }
    return text;
}

QRectF TokenView::tokenRect(std::size_t token) const
{
    const auto rects = token < tokens().size() ? m_layout.rects_of(token) : std::vector<QRectF>{};
    return rects.empty() ? QRectF() : rects.front().translated(kMargin, kMargin - verticalScrollBar()->value());
}

std::optional<std::size_t> TokenView::tokenAt(QPoint viewport_point) const
{
    return m_layout.token_at(QPointF(viewport_point) - QPointF(kMargin, kMargin - verticalScrollBar()->value()));
}

std::size_t TokenView::firstVisible() const
{
    const double top = verticalScrollBar()->value() - kMargin;
    for (const TokenLayout::Line& line : m_layout.lines(std::max(top, 0.0), std::max(top, 0.0) + 2 * m_layout.line_height())) {
        if (line.rect.top() >= top - 1 && !line.pieces.empty()) {
            return line.pieces.front().token;
        }
    }
    return 0;
}

void TokenView::scrollToToken(std::size_t token)
{
    const auto rects = token < tokens().size() ? m_layout.rects_of(token) : std::vector<QRectF>{};
    if (!rects.empty()) {
        verticalScrollBar()->setValue(token == 0 ? 0 : static_cast<int>(rects.front().top()) + kMargin);
    } else if (token >= tokens().size()) {
        verticalScrollBar()->setValue(verticalScrollBar()->maximum());
    }
}

void TokenView::ensureVisible(std::size_t token)
{
    const QRectF rect = tokenRect(token);
    if (rect.isNull()) {
        return;
    }
    QScrollBar* bar = verticalScrollBar();
    const double room = m_layout.line_height();
    if (rect.top() < room / 2) {
        bar->setValue(bar->value() + static_cast<int>(rect.top() - room));
    } else if (rect.bottom() > viewport()->height() - room / 2) {
        bar->setValue(bar->value() + static_cast<int>(rect.bottom() - viewport()->height() + room));
    }
}

QSize TokenView::sizeHint() const
{
    return {fontMetrics().averageCharWidth() * 60, fontMetrics().lineSpacing() * 10};
}

void TokenView::copy()
{
    QString text = selectedText();
    if (text.isEmpty()) {
        text = plainText();
    }
    QGuiApplication::clipboard()->setText(text);
}

void TokenView::selectAll()
{
    if (!tokens().empty()) {
        m_selection = Selection{0, tokens().size() - 1};
        viewport()->update();
    }
}

void TokenView::restyle()
{
    m_layout.set_style({font(), std::round(fontMetrics().height() * 0.5)});
    updateScrollBar();
}

void TokenView::updateScrollBar()
{
    const int content = static_cast<int>(std::ceil(m_layout.height())) + 2 * kMargin;
    verticalScrollBar()->setPageStep(viewport()->height());
    verticalScrollBar()->setSingleStep(static_cast<int>(m_layout.line_height()));
    verticalScrollBar()->setRange(0, std::max(0, content - viewport()->height()));
    if (content != std::exchange(m_content_height, content)) {
        Q_EMIT contentHeightChanged(content);
    }
}

int TokenView::heightOf(int lines) const
{
    return static_cast<int>(std::ceil(m_layout.line_height() * lines)) + 2 * kMargin;
}

void TokenView::cursorMoved(std::optional<std::size_t> position)
{
    if (position && *position < tokens().size()) {
        ensureVisible(*position);
        announce_token(*this, *position);
    }
    if (!m_following) {
        m_selection.reset();
    }
    viewport()->update();
}

void TokenView::resizeEvent(QResizeEvent* event)
{
    QAbstractScrollArea::resizeEvent(event);
    updateScrollBar();
    if (tokens().size() < kManyTokens) {
        fitWidth();
    } else {
        m_resized.start();
    }
}

void TokenView::fitWidth()
{
    const std::size_t first = firstVisible();
    m_layout.set_width(viewport()->width() - 2.0 * kMargin);
    updateScrollBar();
    if (first > 0) {
        scrollToToken(first);
    }
    viewport()->update();
}

void TokenView::changeEvent(QEvent* event)
{
    QAbstractScrollArea::changeEvent(event);
    if (event->type() == QEvent::PaletteChange || event->type() == QEvent::FontChange || event->type() == QEvent::StyleChange) {
        restyle();
        viewport()->update();
    }
}

void TokenView::scrollContentsBy(int dx, int dy)
{
    Q_UNUSED(dx);
    Q_UNUSED(dy);
    viewport()->update();
    Q_EMIT scrolledTo(firstVisible());
}

void TokenView::paintEvent(QPaintEvent* event)
{
    QPainter painter(viewport());
    const Theme& theme = Theme::of(palette());
    painter.fillRect(event->rect(), theme.surface);
    const double scroll = verticalScrollBar()->value();
    painter.translate(kMargin, kMargin - scroll);
    TokenLook look{m_facts, m_tint, m_shows_spaces, cursorPosition(), m_hovered, m_parting, {}};
    if (m_selection) {
        look.selection = std::minmax(m_selection->anchor, m_selection->end);
    }
    const TokenPainter tokens(painter, theme, look);
    for (const TokenLayout::Line& line : m_layout.lines(event->rect().top() + scroll - kMargin, event->rect().bottom() + scroll - kMargin)) {
        tokens.draw(line);
    }
    if (hasFocus()) {
        painter.resetTransform();
        painter.setBrush(Qt::NoBrush);
        painter.setPen(QPen(theme.accent, 1));
        painter.drawRoundedRect(QRectF(viewport()->rect()).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4);
    }
}

} // namespace retort
