#include "ui/pages/compare/strip_bar.h"

#include "ui/widgets/kl_strip.h"
#include "ui/widgets/plain_label.h"

#include <QHBoxLayout>
#include <QPushButton>

namespace retort {

StripBar::StripBar(TokenCursor& cursor, QWidget* parent)
    : QWidget(parent), m_strip(new KlStrip(cursor)), m_mean(plain_label(QString(), Type::Small, "muted"))
{
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(space::s);
    m_strip->setObjectName(QStringLiteral("strip"));
    m_mean->setObjectName(QStringLiteral("mean"));
    row->addWidget(plain_label(tr("KL"), Type::Small, "muted"));
    row->addWidget(m_strip, 1);
    row->addWidget(m_mean);
    const auto add = [&](const QString& text, const QString& tip, const char* name, Jump kind) {
        auto* button = new QPushButton(text);
        button->setProperty("kind", QStringLiteral("quiet"));
        button->setToolTip(tip);
        button->setObjectName(QLatin1String(name));
        connect(button, &QPushButton::clicked, this, [this, kind] { Q_EMIT jumpWanted(kind); });
        row->addWidget(button);
        m_jumps.push_back(button);
    };
    add(tr("≠ next"), tr("Next token where the models' first choices differ (N; Shift+N back)"), "nextDifference", Jump::NextDifference);
    add(tr("? unsure"), tr("Down the list of the places where the model was least sure (U)"), "mostUncertain", Jump::MostUncertain);
    add(tr("< rare"), tr("Next token to which the model gave less than 10 % (R)"), "rare", Jump::Rare);
}

void StripBar::show(std::vector<double> values, const QString& summary, const QString& hint)
{
    m_strip->setHint(hint);
    m_strip->setValues(std::move(values));
    m_mean->setText(summary);
}

void StripBar::setParting(std::optional<std::size_t> token)
{
    m_strip->setParting(token);
}

void StripBar::setJumpsEnabled(bool enabled)
{
    for (QPushButton* button : m_jumps) {
        button->setEnabled(enabled);
    }
}

} // namespace retort
