#include "ui/pages/distributions/distribution_view.h"

#include "ui/pages/distributions/readouts.h"
#include "ui/plot/candidate_table.h"
#include "ui/theme/icons.h"
#include "ui/widgets/card.h"
#include "ui/widgets/choice_box.h"
#include "ui/widgets/empty_state.h"
#include "ui/widgets/notice.h"
#include "ui/widgets/plain_label.h"

#include <QHBoxLayout>
#include <QMenu>
#include <QPushButton>
#include <QSignalBlocker>
#include <QSlider>
#include <QSplitter>
#include <QStackedWidget>
#include <QVBoxLayout>
#include <algorithm>
#include <cmath>

namespace retort {

namespace {

// The slider's 200 steps cover 0.25 to 8 on a logarithmic scale, so that 0.25, 0.5, 1, 2, 4 and 8 fall on whole steps.
constexpr int kSteps = 200;
constexpr double kLowest = 0.25;
constexpr double kSpan = 32;
constexpr int kNeutral = 80;
constexpr int kAll = -1;
constexpr int kEvenly = 1000; // more than either part needs: only the ratio counts

double temperature_at(int step)
{
    return kLowest * std::pow(kSpan, static_cast<double>(step) / kSteps);
}

} // namespace

DistributionView::DistributionView(QWidget* parent) : QWidget(parent)
{
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(space::m);
    column->addWidget(buildControls());
    auto* told = new Notice;
    told->setObjectName(QStringLiteral("exported"));
    tell_exports(*this, *told);
    column->addWidget(told);
    m_nothing = new EmptyState(Glyph::Distributions, {});
    m_nothing->setObjectName(QStringLiteral("noDistribution"));
    m_stack = new QStackedWidget;
    m_stack->addWidget(buildContent());
    m_stack->addWidget(m_nothing);
    column->addWidget(m_stack, 1);

    m_due.setSingleShot(true);
    connect(&m_due, &QTimer::timeout, this, &DistributionView::refresh);
    connect(m_temperature, &QSlider::valueChanged, this, [this] {
        Q_EMIT temperatureChanged(temperature_at(m_temperature->value()));
        showTemperature();
        m_due.start(0);
    });
    connect(m_count, &ChoiceBox::currentIndexChanged, this, [this] { m_due.start(0); });
    connect(m_bars, &CandidateTable::alternativeChosen, this, &DistributionView::alternativeChosen);
    offerExports();
    clear({});
}

QWidget* DistributionView::buildContent()
{
    auto* content = new QWidget;
    auto* column = new QVBoxLayout(content);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(space::m);
    auto* split = new QSplitter(Qt::Horizontal);
    split->setChildrenCollapsible(false);
    split->setHandleWidth(space::m);
    auto* right = new QSplitter(Qt::Vertical);
    right->setChildrenCollapsible(false);
    right->setHandleWidth(space::m);
    right->addWidget(buildRank());
    right->addWidget(buildContributions());
    right->setSizes({kEvenly, kEvenly});
    split->addWidget(buildBars());
    split->addWidget(right);
    split->setStretchFactor(0, 6);
    split->setStretchFactor(1, 5);
    column->addWidget(split, 1);
    auto* figures = new Card;
    m_readouts = new Readouts;
    figures->column()->setContentsMargins(space::l, space::s, space::l, space::s);
    figures->column()->addWidget(m_readouts);
    column->addWidget(figures);
    return content;
}

QWidget* DistributionView::buildControls()
{
    auto* controls = new QWidget;
    auto* row = new QHBoxLayout(controls);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(space::s);
    m_temperature = new QSlider(Qt::Horizontal);
    m_temperature->setObjectName(QStringLiteral("temperature"));
    m_temperature->setAccessibleName(tr("Softening temperature"));
    m_temperature->setRange(0, kSteps);
    m_temperature->setValue(kNeutral);
    m_temperature->setPageStep(40);
    m_temperature->setTickInterval(40);
    m_temperature->setTickPosition(QSlider::TicksBelow);
    m_temperature->setMinimumWidth(140);
    m_temperature->setMaximumWidth(320);
    m_temperature->setToolTip(tr("Divides the logits before the softmax, as distillation does: above 1 the tail rises, below 1 the first choice. The "
                                 "models are not asked again."));
    auto* name = plain_label(tr("Softening &T"));
    name->setBuddy(m_temperature);
    m_temperature_figure = plain_label(QString(), Type::Strong);
    m_temperature_figure->setObjectName(QStringLiteral("temperatureFigure"));
    m_temperature_figure->setMinimumWidth(m_temperature_figure->fontMetrics().horizontalAdvance(QStringLiteral("0.000")));
    m_reset = new QPushButton(tr("T = 1"));
    m_reset->setProperty("kind", QStringLiteral("quiet"));
    m_reset->setToolTip(tr("Back to the model's own probabilities"));
    connect(m_reset, &QPushButton::clicked, this, [this] { m_temperature->setValue(kNeutral); });
    m_count = new ChoiceBox;
    m_count->setObjectName(QStringLiteral("count"));
    m_count->setAccessibleName(tr("How many of each model's best tokens to show"));
    auto* show_name = plain_label(tr("&Best"));
    show_name->setBuddy(m_count);
    m_export = new QPushButton(tr("&Export"));
    m_export->setObjectName(QStringLiteral("export"));
    auto* menu = new QMenu(m_export);
    menu->addAction(tr("&Copy as table"), QKeySequence(QStringLiteral("Ctrl+Shift+C")), this, &DistributionView::copyTable);
    menu->addAction(tr("&Save as CSV, PNG or PDF…"), this, [this] { ask_where_to_export(*this, whole()); });
    m_export->setMenu(menu);
    m_export->setProperty("menu", true);
    row->addWidget(name);
    row->addWidget(m_temperature, 1);
    row->addWidget(m_temperature_figure);
    row->addWidget(m_reset);
    row->addSpacing(space::m);
    row->addWidget(show_name);
    row->addWidget(m_count);
    row->addStretch(1);
    row->addWidget(m_export);
    return controls;
}

QWidget* DistributionView::buildBars()
{
    auto* card = new Card;
    auto* head = new QHBoxLayout;
    m_coverage = new ElidedLabel(QString(), Type::Small, "muted");
    m_coverage->setObjectName(QStringLiteral("coverage"));
    head->addWidget(plain_label(tr("Next token"), Type::Strong));
    head->addWidget(m_coverage, 1);
    m_coverage->setAlignment(Qt::AlignRight);
    m_bars = new CandidateTable;
    m_bars->setObjectName(QStringLiteral("bars"));
    card->column()->addLayout(head);
    card->column()->addWidget(m_bars, 1);
    card->setMinimumWidth(380);
    return card;
}

QWidget* DistributionView::buildRank()
{
    auto* card = new Card;
    auto* head = new QHBoxLayout;
    m_dark_knowledge = new ElidedLabel(QString(), Type::Small, "muted");
    m_dark_knowledge->setObjectName(QStringLiteral("darkKnowledge"));
    m_dark_knowledge->setToolTip(tr("The teacher's probability outside its first choice, spread over all the other tokens"));
    head->addWidget(plain_label(tr("Probability by rank"), Type::Strong));
    head->addWidget(m_dark_knowledge, 1);
    m_dark_knowledge->setAlignment(Qt::AlignRight);
    m_rank = new RankCurve;
    card->column()->setContentsMargins(space::l, space::m, space::l, space::s);
    card->column()->addLayout(head);
    card->column()->addWidget(m_rank, 1);
    return card;
}

QWidget* DistributionView::buildContributions()
{
    auto* card = new Card;
    card->column()->setContentsMargins(space::l, space::m, space::l, space::m);
    card->column()->addWidget(plain_label(tr("What makes up KL(teacher ‖ student)"), Type::Strong));
    m_contributions = new ContributionTable;
    m_contributions->setObjectName(QStringLiteral("contributions"));
    card->column()->addWidget(m_contributions, 1);
    return card;
}

double DistributionView::temperature() const
{
    return !m_softening ? 1.0 : temperature_at(m_temperature->value());
}

void DistributionView::setTemperature(double temperature)
{
    const double steps = std::log(std::clamp(temperature, kLowest, kLowest * kSpan) / kLowest) / std::log(kSpan) * kSteps;
    m_temperature->setValue(static_cast<int>(std::lround(steps)));
}

void DistributionView::showTemperature()
{
    m_temperature_figure->setText(QString::number(temperature(), 'f', 2));
    m_reset->setEnabled(m_softening && m_temperature->value() != kNeutral);
}

std::size_t DistributionView::count() const
{
    const int chosen = m_count->currentData().toInt();
    return chosen == kAll ? static_cast<std::size_t>(m_softening->vocabulary()) : static_cast<std::size_t>(chosen);
}

void DistributionView::showWhole(std::shared_ptr<const Softening> softening)
{
    m_softening = std::move(softening);
    m_temperature->setEnabled(true);
    refreshCounts();
    refresh();
    showContent(true);
}

void DistributionView::showBest(SoftenedView view)
{
    m_softening.reset();
    m_temperature->setEnabled(false);
    refreshCounts();
    m_view = std::move(view);
    refresh();
    showContent(true);
}

void DistributionView::clear(const QString& why)
{
    showBest({});
    m_nothing->setSentence(why);
    showContent(false);
}

void DistributionView::showContent(bool any)
{
    m_stack->setCurrentIndex(any ? 0 : 1);
    m_export->setEnabled(any);
    for (QAction* action : m_export->menu()->actions()) {
        action->setEnabled(any);
    }
}

/// All of them only where a table can hold them: a vocabulary like the demo's.
void DistributionView::refreshCounts()
{
    const QVariant before = m_count->isEnabled() ? m_count->currentData() : QVariant();
    const QSignalBlocker quiet(m_count);
    m_count->clear();
    const std::int64_t vocabulary = m_softening ? m_softening->vocabulary() : 0;
    for (const int n : {10, 20, 50}) {
        if (n == 10 || n < vocabulary) {
            m_count->addItem(tr("%1 of each").arg(n), n);
        }
    }
    if (vocabulary > 0 && vocabulary <= 512) {
        m_count->addItem(tr("all %1").arg(vocabulary), kAll);
    }
    const int wanted = before.isValid() ? m_count->findData(before) : -1;
    m_count->setCurrentIndex(wanted >= 0 ? wanted : std::min(1, m_count->count() - 1));
    m_count->setEnabled(m_softening != nullptr);
}

void DistributionView::refresh()
{
    if (m_softening) {
        m_view = m_softening->at(temperature(), count());
    }
    showTemperature();
    m_bars->showRows(m_view.candidates);
    m_rank->showCurves(m_view.curves);
    const std::optional<double> dark = m_view.curves.dark_knowledge;
    m_dark_knowledge->setText(dark ? tr("dark knowledge, shaded: %1").arg(percent(*dark)) : QString());
    m_contributions->showRows(m_view.contributions);
    m_readouts->showFigures(m_view);
    const CandidateRows& c = m_view.candidates;
    QStringList shown;
    if (c.has_teacher) {
        shown << tr("%1 of teacher").arg(percent(c.teacher_shown));
    }
    if (c.has_student) {
        shown << tr("%1 of student").arg(percent(c.student_shown));
    }
    m_coverage->setText(shown.isEmpty() ? QString() : tr("shown: %1").arg(shown.join(QStringLiteral(", "))));
}

void DistributionView::copyTable() const
{
    m_bars->copyTable();
}

} // namespace retort
