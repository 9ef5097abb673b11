#include "ui/pages/distil/curve_card.h"

#include "ui/pages/distil/loss_formula.h"
#include "ui/plot/loss_plot.h"
#include "ui/theme/icons.h"
#include "ui/widgets/choice_box.h"
#include "ui/widgets/empty_state.h"
#include "ui/widgets/plain_label.h"

#include <QPushButton>
#include <QStackedWidget>

namespace retort {

CurveCard::CurveCard(QWidget* parent)
    : Card(parent), m_formula(new LossFormula), m_plot(new LossPlot), m_head(new QBoxLayout(QBoxLayout::LeftToRight)),
      m_title(plain_label({}, Type::Small, "muted")), m_stack(new QStackedWidget), m_empty(new EmptyState(Glyph::Distil, {}))
{
    m_title->setObjectName(QStringLiteral("run_title"));
    buildEmpty();
    buildHead();
    m_stack->addWidget(m_plot);
    m_stack->addWidget(m_empty);
    column()->addLayout(m_head);
    column()->addWidget(m_stack, 1);
}

void CurveCard::buildEmpty()
{
    m_start = m_empty->addAction(tr("Start distilling"), true);
    m_start->setObjectName(QStringLiteral("curve_start"));
    m_models = m_empty->addAction(tr("Open Models"), true);
    m_models->setObjectName(QStringLiteral("curve_models"));
    connect(m_start, &QPushButton::clicked, this, &CurveCard::startWanted);
    connect(m_models, &QPushButton::clicked, this, &CurveCard::modelsWanted);
}

void CurveCard::buildHead()
{
    auto* smoothing = new ChoiceBox;
    smoothing->setObjectName(QStringLiteral("smoothing"));
    smoothing->setAccessibleName(tr("Smoothing"));
    smoothing->setToolTip(tr("Moving average of the curves; the raw points stay visible, faint"));
    for (const auto& [text, weight] : {std::pair{tr("raw"), 0.0}, std::pair{tr("smooth"), 0.6}, std::pair{tr("smoother"), 0.9}}) {
        smoothing->addItem(text, weight);
    }
    smoothing->setCurrentIndex(1);
    smoothing->setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Fixed);
    connect(smoothing, &QComboBox::currentIndexChanged, this, [this, smoothing] { m_plot->setSmoothing(smoothing->currentData().toDouble()); });
    auto* log = new QPushButton(tr("log"));
    log->setObjectName(QStringLiteral("logarithmic"));
    log->setCheckable(true);
    log->setProperty("kind", QStringLiteral("quiet"));
    log->setAccessibleName(tr("Logarithmic scale"));
    log->setToolTip(tr("Logarithmic scale (L on the plot)"));
    connect(log, &QPushButton::toggled, m_plot, &LossPlot::setLogarithmic);
    connect(m_plot, &LossPlot::logarithmicChanged, log, &QPushButton::setChecked);
    log->setChecked(true); // a divergence falls through decades; on a linear axis all but the first steps lie on the ground

    auto* of_curve = new QHBoxLayout;
    of_curve->setSpacing(space::s);
    of_curve->addWidget(m_title, 1);
    of_curve->addWidget(log);
    of_curve->addWidget(smoothing);
    m_head->setSpacing(space::s);
    m_head->addWidget(m_formula, 1);
    m_head->addLayout(of_curve);
}

void CurveCard::setTitle(const QString& title, const QString& tip, const char* tone)
{
    m_title->setText(title);
    m_title->setToolTip(tip);
    m_plot->setAbout(title, tip.isEmpty() ? QStringList() : tip.split(QLatin1Char('\n')));
    set_tone(*m_title, tone);
}

void CurveCard::showCurve()
{
    m_stack->setCurrentWidget(m_plot);
}

void CurveCard::showEmpty(bool can_start)
{
    m_empty->setSentence(can_start
                             ? tr("Start, and the curve falls here: a small student learns the teacher's whole distribution, not only its answers.")
                             : tr("A student learns from a teacher, and none is loaded. Open one, or use the built-in demo."));
    m_start->setVisible(can_start);
    m_models->setVisible(!can_start);
    m_stack->setCurrentWidget(m_empty);
}

void CurveCard::setNarrow(bool narrow)
{
    m_head->setDirection(narrow ? QBoxLayout::TopToBottom : QBoxLayout::LeftToRight);
}

} // namespace retort
