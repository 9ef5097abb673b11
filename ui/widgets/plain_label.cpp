#include "ui/widgets/plain_label.h"

#include <QPainter>
#include <QStyle>
#include <QStyleOption>

namespace retort {

QLabel* plain_label(const QString& text, Type type, const char* tone)
{
    auto* label = new QLabel;
    label->setTextFormat(Qt::PlainText);
    label->setText(text);
    label->setFont(font_of(type));
    if (*tone != '\0') {
        label->setProperty("tone", QLatin1String(tone));
    }
    return label;
}

QLabel* wrapped_label(const QString& text, Type type, const char* tone)
{
    QLabel* label = plain_label(text, type, tone);
    label->setWordWrap(true);
    QSizePolicy policy = label->sizePolicy();
    policy.setHorizontalPolicy(QSizePolicy::Expanding);
    label->setSizePolicy(policy);
    label->setMinimumWidth(80);
    return label;
}

QString breakable(const QString& text)
{
    constexpr int kLongest = 20;
    constexpr QChar kBreak(0x200B); // zero width space
    QString out;
    int run = 0;
    for (const QChar c : text) {
        out += c;
        run = c.isSpace() ? 0 : run + 1;
        const bool inside = !c.isHighSurrogate(); // never between the halves of one character
        if (inside && (c == QLatin1Char('/') || run >= kLongest)) {
            out += kBreak;
            run = 0;
        }
    }
    return out;
}

void set_tone(QLabel& label, const char* tone)
{
    if (label.property("tone").toString() == QLatin1String(tone)) {
        return;
    }
    label.setProperty("tone", QLatin1String(tone));
    label.style()->unpolish(&label);
    label.style()->polish(&label);
}

ElidedLabel::ElidedLabel(const QString& text, Type type, const char* tone, QWidget* parent) : QLabel(parent)
{
    setTextFormat(Qt::PlainText);
    setText(text);
    setFont(font_of(type));
    if (*tone != '\0') {
        setProperty("tone", QLatin1String(tone));
    }
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Preferred);
}

QSize ElidedLabel::minimumSizeHint() const
{
    return {fontMetrics().averageCharWidth() * 6, QLabel::minimumSizeHint().height()};
}

void ElidedLabel::paintEvent(QPaintEvent* /*event*/)
{
    QPainter painter(this);
    const QString shown = fontMetrics().elidedText(text(), Qt::ElideMiddle, width());
    setToolTip(shown == text() ? QString() : QStringLiteral("<span>") + text().toHtmlEscaped() + QStringLiteral("</span>"));
    painter.setPen(palette().color(foregroundRole()));
    painter.drawText(rect(), static_cast<int>(Qt::AlignVCenter | QStyle::visualAlignment(layoutDirection(), alignment() & Qt::AlignHorizontal_Mask)),
                     shown);
}

} // namespace retort
