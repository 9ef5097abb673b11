#include "ui/widgets/empty_state.h"

#include "ui/widgets/plain_label.h"

#include <QHBoxLayout>
#include <QPainter>
#include <QPushButton>
#include <QVBoxLayout>

namespace retort {

namespace {
constexpr int kGlyph = 40;
}

EmptyState::EmptyState(Glyph glyph, const QString& sentence, QWidget* parent)
    : QWidget(parent), m_glyph(glyph), m_sentence(wrapped_label(sentence, Type::Body, "muted")), m_actions(new QHBoxLayout)
{
    m_sentence->setAlignment(Qt::AlignHCenter);
    m_actions->setSpacing(space::s);
    m_actions->addStretch();
    m_actions->addStretch();
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(space::l, space::l, space::l, space::l);
    column->addStretch();
    column->addSpacing(kGlyph + space::m);
    column->addWidget(m_sentence);
    column->addSpacing(space::s);
    column->addLayout(m_actions);
    column->addStretch();
}

QPushButton* EmptyState::addAction(const QString& text, bool primary)
{
    auto* button = new QPushButton(text);
    if (primary) {
        button->setProperty("kind", QStringLiteral("primary"));
    }
    m_actions->insertWidget(m_actions->count() - 1, button);
    return button;
}

void EmptyState::setSentence(const QString& sentence)
{
    m_sentence->setText(sentence);
}

QString EmptyState::sentence() const
{
    return m_sentence->text();
}

void EmptyState::paintEvent(QPaintEvent* /*event*/)
{
    QPainter painter(this);
    const QRectF area((width() - kGlyph) / 2.0, m_sentence->y() - kGlyph - space::m, kGlyph, kGlyph);
    paint_glyph(painter, area, m_glyph, Theme::of(palette()).faint);
}

} // namespace retort
