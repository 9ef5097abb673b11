#include "ui/pages/compare/sampler_popup.h"

#include "ui/theme/theme.h"
#include "ui/widgets/plain_label.h"

#include <QCheckBox>
#include <QDoubleSpinBox>
#include <QFormLayout>
#include <QKeyEvent>
#include <QScreen>
#include <QSignalBlocker>
#include <QSpinBox>
#include <QStringList>
#include <algorithm>
#include <limits>

namespace retort {

SamplerPopup::SamplerPopup(QWidget* parent) : QFrame(parent, Qt::Popup)
{
    setProperty("card", true);
    setAccessibleName(tr("How tokens are chosen"));
    auto* form = new QFormLayout(this);
    form->setContentsMargins(space::l, space::m, space::l, space::m);
    form->setVerticalSpacing(space::s);
    form->setHorizontalSpacing(space::l);
    m_greedy = new QCheckBox(tr("&Greedy: always the most probable"));
    m_greedy->setObjectName(QStringLiteral("greedy"));
    form->addRow(m_greedy);
    m_temperature = addReal(*form, tr("Temperat&ure"), "samplerTemperature", 0.01, 10, 0.1, tr("Divides the logits: below 1 bolder, above 1 wilder"));
    m_top_k = addWhole(*form, tr("Top-&k"), "topK", 0, 100000, tr("Only the k most probable tokens; 0: all"));
    m_top_p = addReal(*form, tr("Top-&p"), "topP", 0.01, 1, 0.05, tr("Only the most probable tokens that together reach p; 1: all"));
    m_min_p = addReal(*form, tr("&Min-p"), "minP", 0, 1, 0.01, tr("Only tokens of at least this share of the best one's probability; 0: all"));
    m_repeat_penalty = addReal(*form, tr("&Repeat penalty"), "repeatPenalty", 1, 2, 0.05, tr("Weakens tokens that occurred before; 1: off"));
    m_seed = addWhole(*form, tr("&Seed"), "seed", 0, std::numeric_limits<int>::max(), tr("Same seed, same settings, same answer"));
    m_max_tokens = addWhole(*form, tr("At most &tokens"), "maxTokens", 1, 32768, tr("Where an answer is cut off"));
    connect(m_greedy, &QCheckBox::toggled, this, [this] {
        showGreedy();
        Q_EMIT changed();
    });
    showSettings({});
}

/// One row: the field's name, as high as the field so that both stand on one line, and the field.
void SamplerPopup::addRow(QFormLayout& form, const QString& name, const char* object_name, const QString& tip, QAbstractSpinBox& box)
{
    box.setObjectName(QLatin1String(object_name));
    box.setToolTip(tip);
    box.setButtonSymbols(QAbstractSpinBox::NoButtons);
    box.setAlignment(Qt::AlignRight);
    QLabel* label = plain_label(name, Type::Body, "muted");
    label->setMinimumHeight(box.sizeHint().height());
    label->setBuddy(&box);
    form.addRow(label, &box);
}

QDoubleSpinBox* SamplerPopup::addReal(QFormLayout& form, const QString& name, const char* object_name, double least, double most, double step,
                                      const QString& tip)
{
    auto* box = new QDoubleSpinBox;
    box->setRange(least, most);
    box->setSingleStep(step);
    box->setDecimals(2);
    addRow(form, name, object_name, tip, *box);
    connect(box, &QDoubleSpinBox::valueChanged, this, &SamplerPopup::changed);
    return box;
}

QSpinBox* SamplerPopup::addWhole(QFormLayout& form, const QString& name, const char* object_name, int least, int most, const QString& tip)
{
    auto* box = new QSpinBox;
    box->setRange(least, most);
    addRow(form, name, object_name, tip, *box);
    connect(box, &QSpinBox::valueChanged, this, &SamplerPopup::changed);
    return box;
}

GenerateSettings SamplerPopup::settings() const
{
    GenerateSettings settings;
    settings.max_tokens = m_max_tokens->value();
    settings.sampler = {.greedy = m_greedy->isChecked(),
                        .temperature = m_temperature->value(),
                        .top_k = m_top_k->value(),
                        .top_p = m_top_p->value(),
                        .min_p = m_min_p->value(),
                        .repeat_penalty = m_repeat_penalty->value(),
                        .seed = static_cast<std::uint64_t>(m_seed->value())};
    return settings;
}

void SamplerPopup::showSettings(const GenerateSettings& settings)
{
    {
        const QSignalBlocker quiet(this);
        const SamplerSettings& s = settings.sampler;
        m_greedy->setChecked(s.greedy);
        m_temperature->setValue(s.temperature);
        m_top_k->setValue(static_cast<int>(std::clamp<std::int64_t>(s.top_k, 0, m_top_k->maximum())));
        m_top_p->setValue(s.top_p);
        m_min_p->setValue(s.min_p);
        m_repeat_penalty->setValue(s.repeat_penalty);
        m_seed->setValue(static_cast<int>(std::min<std::uint64_t>(s.seed, static_cast<std::uint64_t>(m_seed->maximum()))));
        m_max_tokens->setValue(static_cast<int>(std::clamp<std::int64_t>(settings.max_tokens, 1, m_max_tokens->maximum())));
    }
    showGreedy();
    Q_EMIT changed();
}

void SamplerPopup::showGreedy()
{
    for (QWidget* box : std::initializer_list<QWidget*>{m_temperature, m_top_k, m_top_p, m_min_p, m_seed}) {
        box->setEnabled(!m_greedy->isChecked());
    }
}

QString SamplerPopup::summary() const
{
    const GenerateSettings now = settings();
    const SamplerSettings& s = now.sampler;
    QStringList parts;
    if (s.greedy) {
        parts << tr("greedy");
    } else {
        parts << tr("T %1").arg(s.temperature);
        if (s.top_k > 0) {
            parts << tr("top-k %1").arg(s.top_k);
        }
        if (s.top_p < 1) {
            parts << tr("top-p %1").arg(s.top_p);
        }
        if (s.min_p > 0) {
            parts << tr("min-p %1").arg(s.min_p);
        }
        parts << tr("seed %1").arg(s.seed);
    }
    if (s.repeat_penalty > 1) {
        parts << tr("repeat %1").arg(s.repeat_penalty);
    }
    parts << tr("at most %1").arg(now.max_tokens);
    return parts.join(QStringLiteral(" · "));
}

/// Escape closes the popup, whatever the page behind it does with that key.
bool SamplerPopup::event(QEvent* event)
{
    if (event->type() == QEvent::ShortcutOverride && static_cast<QKeyEvent*>(event)->key() == Qt::Key_Escape) {
        event->accept();
        return true;
    }
    return QFrame::event(event);
}

void SamplerPopup::openBelow(const QWidget& button)
{
    adjustSize();
    QPoint at = button.mapToGlobal(QPoint(0, button.height() + space::xs));
    if (const QScreen* screen = button.screen()) {
        const QRect room = screen->availableGeometry();
        at.setX(std::clamp(at.x(), room.left(), std::max(room.left(), room.right() - width())));
        at.setY(std::clamp(at.y(), room.top(), std::max(room.top(), room.bottom() - height())));
    }
    move(at);
    show();
    m_greedy->setFocus();
}

} // namespace retort
