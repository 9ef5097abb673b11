#include "ui/widgets/card.h"

#include "ui/widgets/plain_label.h"

namespace retort {

Card::Card(QWidget* parent) : QFrame(parent), m_column(new QVBoxLayout(this))
{
    setProperty("card", true);
    m_column->setContentsMargins(space::l, space::m, space::l, space::l);
    m_column->setSpacing(space::s);
}

QFrame* well()
{
    auto* frame = new QFrame;
    frame->setProperty("well", true);
    return frame;
}

QFrame* hairline()
{
    auto* frame = new QFrame;
    frame->setProperty("hairline", true);
    frame->setFixedHeight(1);
    return frame;
}

FigureLabel::FigureLabel(const QString& figure, const QString& caption, QWidget* parent)
    : QWidget(parent), m_figure(plain_label(figure, Type::Title)), m_caption(plain_label(caption, Type::Small, "muted"))
{
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addWidget(m_figure);
    column->addWidget(m_caption);
    setFigure(figure);
}

void FigureLabel::setFigure(const QString& figure)
{
    m_figure->setText(figure);
    setAccessibleName(figure + QLatin1Char(' ') + m_caption->text());
}

void FigureLabel::setCaption(const QString& caption)
{
    m_caption->setText(caption);
    setAccessibleName(m_figure->text() + QLatin1Char(' ') + caption);
}

} // namespace retort
