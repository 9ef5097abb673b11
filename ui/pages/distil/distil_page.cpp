#include "ui/pages/distil/distil_page.h"

#include "core/base/text_format.h"
#include "ui/pages/distil/curve_card.h"
#include "ui/pages/distil/distil_setup.h"
#include "ui/pages/distil/loss_formula.h"
#include "ui/pages/distil/probe_strip.h"
#include "ui/pages/distil/run_figures.h"
#include "ui/plot/loss_plot.h"
#include "ui/run_watcher.h"
#include "ui/view_state.h"
#include "ui/widgets/card.h"
#include "ui/widgets/notice.h"
#include "ui/widgets/plain_label.h"
#include "ui/widgets/scrolled.h"
#include "ui/workbench.h"

#include <QAction>
#include <QMessageBox>
#include <QPushButton>
#include <QScrollArea>

namespace retort {

namespace {

constexpr int kSetupWidth = 320;
constexpr int kOneRow = 1020; // px of the page, from which the formula and what belongs to the curve stand side by side

/// What of a killed run is still there, and what is not.
QString words_for_interrupted(const StoredRun& record)
{
    if (record.checkpoints.empty()) {
        return DistilPage::tr(
                   "This run was interrupted after step %1, before its first checkpoint. Its curve is kept; what the student learned is lost.")
            .arg(record.last_step);
    }
    const std::int64_t from = record.checkpoints.back().step;
    return record.last_step > from
               ? DistilPage::tr("This run was interrupted after step %1. It can be resumed from its checkpoint of step %2; %n steps are lost.",
                                nullptr, static_cast<int>(record.last_step - from))
                     .arg(record.last_step)
                     .arg(from)
               : DistilPage::tr("This run was interrupted after step %1. It can be resumed there.").arg(record.last_step);
}

} // namespace

DistilPage::DistilPage(Workbench& workbench, QWidget* parent) : QWidget(parent), m_workbench(workbench)
{
    setObjectName(QStringLiteral("distil_page"));
    m_notice = new Notice;
    m_notice->setObjectName(QStringLiteral("distil_notice"));
    auto* right = new QVBoxLayout;
    right->setSpacing(space::m);
    right->addWidget(m_notice);
    m_curve = new CurveCard;
    right->addWidget(m_curve, 1);
    right->addWidget(buildFigures());
    right->addWidget(buildProbe());
    auto* content = new QWidget;
    auto* row = new QHBoxLayout(content);
    row->setContentsMargins(space::l, space::l, space::l, space::l);
    row->setSpacing(space::m);
    row->addWidget(buildSetup());
    row->addLayout(right, 1);
    QScrollArea* scroll = scrolled(content); // for windows in which even the narrow arrangement has no room
    scroll->setObjectName(QStringLiteral("distil_scroll"));
    auto* whole = new QVBoxLayout(this);
    whole->setContentsMargins(0, 0, 0, 0);
    whole->addWidget(scroll);
    buildActions();

    tell_exports(*this, *m_notice);
    connect(m_curve, &CurveCard::startWanted, this, &DistilPage::start);
    connect(m_curve, &CurveCard::modelsWanted, &m_workbench, [this] { m_workbench.showPage(PageId::Models); });
    connect(m_setup, &DistilSetup::changed, this, &DistilPage::showFormula);
    connect(&m_workbench, &Workbench::runReset, this, &DistilPage::showRun);
    connect(&m_workbench, &Workbench::runAppended, this, &DistilPage::showNews);
    connect(&m_workbench, &Workbench::runStateChanged, this, &DistilPage::showState);
    connect(&m_workbench, &Workbench::roleChanged, this, &DistilPage::showState);
    showRun();
    showState();
}

QWidget* DistilPage::buildSetup()
{
    auto* card = new Card;
    card->setFixedWidth(kSetupWidth);
    card->column()->addWidget(plain_label(tr("Distil"), Type::Heading));
    m_setup = new DistilSetup(m_workbench);
    card->column()->addWidget(buildControls()); // above the fields: in a low window they are what must not be looked for
    QScrollArea* scroll = scrolled(m_setup);
    scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    card->column()->addWidget(scroll, 1);
    return card;
}

QWidget* DistilPage::buildControls()
{
    auto* controls = new QWidget;
    auto* column = new QVBoxLayout(controls);
    column->setContentsMargins(0, 0, 0, space::xs);
    column->setSpacing(space::s);
    const auto button = [](const QString& text, const char* name) {
        auto* made = new QPushButton(text);
        made->setObjectName(QLatin1String(name));
        return made;
    };
    m_start = button(tr("Start"), "distil_start");
    m_start->setProperty("kind", QStringLiteral("primary"));
    m_start->setToolTip(tr("Distil with these settings (Ctrl+R)"));
    m_pause = button(tr("Pause"), "distil_pause");
    m_pause->setToolTip(tr("Pause or resume (Ctrl+Space)"));
    m_step = button(tr("Step"), "distil_step");
    m_step->setToolTip(tr("One training step while paused (.)"));
    m_keep = button(tr("Stop and keep"), "distil_keep");
    m_keep->setToolTip(tr("End here; the student as it is becomes the student"));
    m_discard = button(tr("Discard"), "distil_discard");
    m_discard->setToolTip(tr("End here and forget this student; the curve stays in the session"));
    m_ask = button(tr("Ask it"), "distil_ask");
    m_ask->setToolTip(tr("Put a question to the student as it is now, on Compare"));
    auto* first = new QHBoxLayout;
    auto* second = new QHBoxLayout;
    for (QHBoxLayout* row : {first, second}) {
        row->setSpacing(space::s);
    }
    first->addWidget(m_start, 2);
    first->addWidget(m_pause, 2);
    first->addWidget(m_step, 1);
    second->addWidget(m_keep, 3);
    second->addWidget(m_discard, 2);
    second->addWidget(m_ask, 2);
    column->addLayout(first);
    column->addLayout(second);
    connect(m_start, &QPushButton::clicked, this, &DistilPage::start);
    connect(m_pause, &QPushButton::clicked, &m_workbench, &Workbench::togglePause);
    connect(m_step, &QPushButton::clicked, &m_workbench, &Workbench::stepOnce);
    connect(m_keep, &QPushButton::clicked, this, [this] { end(true); });
    connect(m_discard, &QPushButton::clicked, this, &DistilPage::askToDiscard);
    connect(m_ask, &QPushButton::clicked, &m_workbench, [this] { m_workbench.showPage(PageId::Compare); });
    return controls;
}

QWidget* DistilPage::buildFigures()
{
    auto* card = new Card;
    card->column()->setContentsMargins(space::l, space::s, space::l, space::s);
    m_figures = new RunFigures;
    card->column()->addWidget(m_figures);
    return card;
}

QWidget* DistilPage::buildProbe()
{
    auto* card = new Card;
    card->column()->setContentsMargins(space::l, space::s, space::l, space::s);
    card->column()->setSpacing(space::xs);
    card->column()->addWidget(plain_label(tr("The student's answer to the probe, as it learns"), Type::Small, "muted"));
    m_probe = new ProbeStrip;
    card->column()->addWidget(m_probe);
    return card;
}

void DistilPage::buildActions()
{
    const auto make = [this](const QString& text, const QKeySequence& keys, const QString& tip, const char* name) {
        auto* action = new QAction(text, this);
        action->setShortcut(keys);
        action->setToolTip(tip);
        action->setObjectName(QLatin1String(name));
        addAction(action);
        return action;
    };
    m_start_action =
        make(tr("&Start distilling"), QKeySequence(Qt::CTRL | Qt::Key_R), tr("Distil with the settings of the Distil page"), "action_distil");
    m_pause_action = make(tr("&Pause or resume"), QKeySequence(Qt::CTRL | Qt::Key_Space),
                          tr("The models stay loaded; ask the half-trained student meanwhile"), "action_pause");
    m_step_action = make(tr("One s&tep"), QKeySequence(Qt::Key_Period), tr("One training step while paused"), "action_step");
    // A single letter acts on this page only: elsewhere somebody may be typing.
    m_step_action->setShortcutContext(Qt::WidgetWithChildrenShortcut);
    connect(m_start_action, &QAction::triggered, this, [this] {
        m_workbench.showPage(PageId::Distil);
        start();
    });
    connect(m_pause_action, &QAction::triggered, &m_workbench, &Workbench::togglePause);
    connect(m_step_action, &QAction::triggered, &m_workbench, &Workbench::stepOnce);
}

void DistilPage::start()
{
    if (m_workbench.role(Role::Teacher).ready() && !m_workbench.run().live) {
        m_workbench.startDistilling(m_setup->plan());
    }
}

void DistilPage::end(bool keep)
{
    m_ending = true;
    keep ? m_workbench.stopAndKeep() : m_workbench.stopAndDiscard();
    showState();
}

void DistilPage::askToDiscard()
{
    auto* question =
        new QMessageBox(QMessageBox::Warning, tr("Discard this student?"), tr("Discard what this student has learned?"), QMessageBox::NoButton, this);
    question->setAttribute(Qt::WA_DeleteOnClose);
    question->setTextFormat(Qt::PlainText);
    question->setInformativeText(tr("The run ends after the step under way. Its curve stays in the session; its student is gone."));
    QPushButton* go = question->addButton(tr("Discard"), QMessageBox::DestructiveRole);
    QPushButton* cancel = question->addButton(QMessageBox::Cancel);
    go->setObjectName(QStringLiteral("discard_confirm"));
    cancel->setObjectName(QStringLiteral("discard_cancel"));
    question->setDefaultButton(cancel);
    question->setEscapeButton(cancel);
    connect(go, &QPushButton::clicked, this, [this] { end(false); });
    question->open();
}

/// A key with no letter of its own works only while something on this page has the focus. Qt hands the focus of a control that is switched off to
/// the next one, which may be the one that ends the run.
void DistilPage::keepFocus(const QWidget* before)
{
    if (before == nullptr || before->isEnabled()) {
        return;
    }
    QWidget* next = m_pause->isEnabled() ? m_pause : m_start->isEnabled() ? static_cast<QWidget*>(m_start) : m_probe;
    next->setFocus(Qt::OtherFocusReason);
}

/// The one place that decides what a person can press in which state.
void DistilPage::showState()
{
    const RunView& run = m_workbench.run();
    const bool teacher = m_workbench.role(Role::Teacher).ready();
    const bool paused = run.live && run.state == RunState::Paused;
    m_ending = m_ending && run.live;
    const QWidget* focus = focusWidget() != nullptr && focusWidget()->hasFocus() ? focusWidget() : nullptr;
    m_start->setEnabled(teacher && !run.live);
    m_start->setToolTip(teacher ? tr("Distil with these settings (Ctrl+R)") : tr("Open a teacher first"));
    m_pause->setEnabled(run.live && !m_ending && (paused || run.state == RunState::Running));
    m_pause->setText(paused ? tr("Resume") : tr("Pause"));
    m_step->setEnabled(paused && !m_ending);
    m_keep->setEnabled(run.live && !m_ending);
    m_keep->setText(m_ending ? tr("Ending …") : tr("Stop and keep"));
    m_discard->setEnabled(run.live && !m_ending);
    m_ask->setEnabled(run.live);
    m_setup->setEnabled(!run.live);
    m_start_action->setEnabled(m_start->isEnabled());
    m_pause_action->setEnabled(m_pause->isEnabled());
    m_step_action->setEnabled(m_step->isEnabled());
    run.exists ? m_curve->showCurve() : m_curve->showEmpty(teacher);

    if (run.exists && (run.state == RunState::Failed || (paused && !run.error.message.empty()))) {
        m_notice->tell(run.error);
    } else if (run.interrupted) {
        m_notice->tell(words_for_interrupted(run.record), Notice::Kind::Warning);
        if (!run.record.checkpoints.empty()) {
            QPushButton* go_on = m_notice->addAction(tr("Resume"));
            go_on->setObjectName(QStringLiteral("distil_resume"));
            connect(go_on, &QPushButton::clicked, this, [this] {
                m_start->setFocus(Qt::OtherFocusReason); // the notice goes, and the focus with it
                m_workbench.resumeRun();
            });
        }
    } else {
        m_notice->dismiss();
    }
    keepFocus(focus);
}

void DistilPage::showRun()
{
    const RunView& run = m_workbench.run();
    m_metrics = m_evaluations = m_probes = 0;
    m_curve->plot().reset(run.exists ? run.plan.steps : 600);
    m_probe->reset(run.plan.probes.empty() ? std::string() : run.plan.probes.front());
    if (run.exists && to_json(run.plan) != to_json(m_setup->plan())) { // a preset that was just started stays chosen
        m_setup->show(run.plan);
    }
    const auto recording = m_workbench.recordingOfRun();
    m_curve->setTitle(recording                 ? recorded_on(*recording)
                      : run.exists && !run.live ? to_qt(run.record.name)
                                                : QString(),
                      recording ? recorded_on_what(*recording) : QString(), recording ? "accent" : "muted");
    showFormula();
    showNews();
    showState();
}

void DistilPage::showNews()
{
    const StoredRun& record = m_workbench.run().record;
    m_curve->plot().append(record.metrics.data() + m_metrics, record.metrics.data() + record.metrics.size());
    m_curve->plot().append(record.evaluations.data() + m_evaluations, record.evaluations.data() + record.evaluations.size());
    m_curve->plot().finishAppending();
    if (record.probes.size() > m_probes) {
        m_probe->append(record.probes.data() + m_probes, record.probes.data() + record.probes.size());
    }
    m_metrics = record.metrics.size();
    m_evaluations = record.evaluations.size();
    m_probes = record.probes.size();
    m_curve->formula().setPoint(record.metrics.empty() ? std::nullopt : std::optional(record.metrics.back()));
    m_figures->show(record);
}

void DistilPage::showFormula()
{
    const RunView& run = m_workbench.run();
    const DistilPlan plan = run.live ? run.plan : m_setup->plan();
    const auto objective = m_workbench.catalogues().objective(plan.objective).value_or(nullptr);
    m_curve->formula().setObjective(plan.objective, objective.get());
}

void DistilPage::resizeEvent(QResizeEvent* event)
{
    QWidget::resizeEvent(event);
    m_curve->setNarrow(width() < kOneRow);
}

} // namespace retort
