#include "ui/pages/models/model_card.h"

#include "core/base/text_format.h"
#include "core/model/model_spec.h"
#include "ui/widgets/ask_for_model.h"
#include "ui/widgets/empty_state.h"
#include "ui/widgets/fact_list.h"
#include "ui/widgets/notice.h"
#include "ui/widgets/plain_label.h"
#include "ui/widgets/role_mark.h"
#include "ui/workbench.h"

#include <QHBoxLayout>
#include <QProgressBar>
#include <QPushButton>
#include <QStackedWidget>

namespace retort {

namespace {

/// "bpe, 512 pieces, a91f26…"
QString tokenizer_line(const RoleState& state)
{
    if (state.tokenizer_fingerprint.empty()) {
        return ModelCard::tr("none came with the model");
    }
    return ModelCard::tr("%1, %2 pieces, %3…")
        .arg(to_qt(state.tokenizer_kind))
        .arg(state.tokenizer_size)
        .arg(to_qt(state.tokenizer_fingerprint.substr(0, 6)));
}

QString shape_line(const DecoderShape& spec)
{
    return ModelCard::tr("%1 layers, width %2, %3 heads").arg(spec.layers).arg(spec.width).arg(spec.heads);
}

/// A model is made from another that is known by its hash; a person knows it by its name.
QString origin_of(const std::string& derived_from, const Workbench& workbench)
{
    for (const Role role : kRoles) {
        const RoleState& state = workbench.role(role);
        const std::string hash = state.info ? state.info->sha256 : state.remembered ? state.remembered->sha256 : std::string();
        if (!hash.empty() && hash == derived_from) {
            return to_qt(state.name());
        }
    }
    constexpr std::size_t kHash = 64;
    const bool only_a_hash = derived_from.size() == kHash && derived_from.find_first_not_of("0123456789abcdef") == std::string::npos;
    return only_a_hash ? ModelCard::tr("a model that is not open, %1…").arg(to_qt(derived_from.substr(0, 12))) : to_qt(derived_from);
}

} // namespace

ModelCard::ModelCard(Workbench& workbench, Role role, QWidget* parent)
    : Card(parent), m_workbench(workbench), m_role(role), m_mark(new RoleMark(role)), m_stack(new QStackedWidget), m_notice(new Notice)
{
    const bool teacher = role == Role::Teacher;
    setObjectName(teacher ? QStringLiteral("teacher_card") : QStringLiteral("student_card"));
    setAccessibleName(teacher ? tr("Teacher") : tr("Student"));
    auto* header = new QHBoxLayout;
    header->setSpacing(space::s);
    header->addWidget(m_mark);
    header->addWidget(plain_label(teacher ? tr("TEACHER") : tr("STUDENT"), Type::Small, teacher ? "teacher" : "student"));
    header->addStretch();
    column()->addLayout(header);

    m_empty = new EmptyState(Glyph::Models, {});
    addDemo(teacher ? tr("Use demo") : tr("Use demo, untrained"), teacher ? "demo:teacher" : "demo:student",
            teacher ? "teacher_use_demo" : "student_use_demo");
    if (!teacher) {
        addDemo(tr("Use demo, distilled"), "demo:distilled", "student_use_distilled");
    }
    connect(m_empty->addAction(tr("Open…"), false), &QPushButton::clicked, this, &ModelCard::openDialog);

    m_loaded = buildLoaded();
    m_loading = buildLoading();
    for (QWidget* view : {static_cast<QWidget*>(m_empty), m_loaded, m_loading}) {
        m_stack->addWidget(view);
    }
    column()->addWidget(m_stack, 1);
    column()->addWidget(m_notice);
    connect(&m_workbench, &Workbench::roleChanged, this, [this](Role changed) {
        if (changed == m_role) {
            showRole();
        } else {
            showEmpty();
        }
    });
    connect(&m_workbench, &Workbench::answeringChanged, this, [this] {
        if (m_workbench.role(m_role).phase == RoleState::Phase::Loading) {
            showStage(m_workbench.role(m_role));
        }
    });
    showRole();
}

void ModelCard::addDemo(const QString& text, const char* spec, const char* name)
{
    QPushButton* demo = m_empty->addAction(text, m_demos.empty());
    demo->setObjectName(QLatin1String(name));
    connect(demo, &QPushButton::clicked, this, [this, spec] { m_workbench.openModel(m_role, QLatin1String(spec)); });
    m_demos.push_back(demo);
}

/// The demo's students read the demo's tokens and no others: beside another teacher they are not offered.
void ModelCard::showEmpty()
{
    const RoleState& teacher = m_workbench.role(Role::Teacher);
    const bool fits = m_role == Role::Teacher || teacher.phase == RoleState::Phase::Empty || is_demo_spec(teacher.spec);
    for (QPushButton* demo : m_demos) {
        demo->setVisible(fits);
    }
    m_empty->setSentence(m_role == Role::Teacher ? tr("No teacher yet. Drop a model on the window, or use the built-in demo.")
                         : fits                  ? tr("No student yet. Drop a model on the window, design one below, or use the built-in demo.")
                                : tr("No student yet. Drop a model on the window, or design one below from %1.").arg(to_qt(teacher.name())));
}

QWidget* ModelCard::buildLoaded()
{
    auto* view = new QWidget;
    auto* rows = new QVBoxLayout(view);
    rows->setContentsMargins(0, 0, 0, 0);
    rows->setSpacing(space::s);
    m_name = new ElidedLabel({}, Type::Title);
    m_facts = new FactList;
    m_notes = wrapped_label({}, Type::Small, "muted");
    rows->addWidget(m_name);
    rows->addLayout(m_facts);
    rows->addWidget(m_notes);
    rows->addStretch();
    auto* buttons = new QHBoxLayout;
    buttons->setSpacing(space::s);
    m_again = new QPushButton(tr("Load"));
    m_again->setProperty("kind", QStringLiteral("primary"));
    auto* open = new QPushButton(tr("Open another…"));
    auto* eject = new QPushButton(tr("Eject"));
    eject->setProperty("kind", QStringLiteral("quiet"));
    eject->setAccessibleName(m_role == Role::Teacher ? tr("Eject the teacher") : tr("Eject the student"));
    eject->setObjectName(m_role == Role::Teacher ? QStringLiteral("teacher_eject") : QStringLiteral("student_eject"));
    open->setAccessibleName(m_role == Role::Teacher ? tr("Open another teacher") : tr("Open another student"));
    m_again->setAccessibleName(m_role == Role::Teacher ? tr("Load the teacher") : tr("Load the student"));
    connect(m_again, &QPushButton::clicked, this, [this] { m_workbench.openModel(m_role, to_qt(m_workbench.role(m_role).spec)); });
    connect(open, &QPushButton::clicked, this, &ModelCard::openDialog);
    connect(eject, &QPushButton::clicked, this, [this] { m_workbench.ejectModel(m_role); });
    buttons->addWidget(m_again);
    buttons->addWidget(open);
    buttons->addWidget(eject);
    buttons->addStretch();
    rows->addLayout(buttons);
    return view;
}

QWidget* ModelCard::buildLoading()
{
    auto* view = new QWidget;
    auto* rows = new QVBoxLayout(view);
    rows->setContentsMargins(0, 0, 0, 0);
    rows->setSpacing(space::s);
    m_loading_name = new ElidedLabel({}, Type::Title);
    m_stage = plain_label({}, Type::Body, "muted");
    m_progress = new QProgressBar;
    m_progress->setRange(0, 1000);
    m_progress->setTextVisible(false);
    m_progress->setAccessibleName(tr("Loading"));
    auto* cancel = new QPushButton(tr("Cancel"));
    cancel->setObjectName(m_role == Role::Teacher ? QStringLiteral("teacher_cancel") : QStringLiteral("student_cancel"));
    connect(cancel, &QPushButton::clicked, this, [this] { m_workbench.cancelLoading(m_role); });
    m_stop_answer = new QPushButton(tr("Stop the answer"));
    m_stop_answer->setObjectName(m_role == Role::Teacher ? QStringLiteral("teacher_stop_answer") : QStringLiteral("student_stop_answer"));
    connect(m_stop_answer, &QPushButton::clicked, &m_workbench, &Workbench::stopAnswering);
    rows->addWidget(m_loading_name);
    rows->addStretch();
    auto* waits = new QHBoxLayout;
    waits->addWidget(m_stage, 1);
    waits->addWidget(m_stop_answer);
    rows->addLayout(waits);
    rows->addWidget(m_progress);
    rows->addStretch();
    rows->addWidget(cancel, 0, Qt::AlignLeft);
    return view;
}

void ModelCard::showRole()
{
    const RoleState& state = m_workbench.role(m_role);
    m_mark->setFilled(state.ready());
    if (state.error) {
        m_notice->tell(*state.error);
    } else {
        m_notice->dismiss();
    }
    switch (state.phase) {
    case RoleState::Phase::Empty:
        m_stack->setCurrentWidget(m_empty);
        showEmpty();
        break;
    case RoleState::Phase::Failed:
        m_stack->setCurrentWidget(state.remembered ? m_loaded : static_cast<QWidget*>(m_empty));
        showEmpty();
        showFacts();
        break;
    case RoleState::Phase::Loading:
        m_stack->setCurrentWidget(m_loading);
        m_loading_name->setText(to_qt(state.name()));
        showStage(state);
        m_progress->setValue(static_cast<int>(state.fraction * 1000));
        break;
    case RoleState::Phase::Remembered:
    case RoleState::Phase::Ready:
        m_stack->setCurrentWidget(m_loaded);
        showFacts();
        break;
    }
}

/// A model opens when the engine is free: what it waits for can be ended from here.
void ModelCard::showStage(const RoleState& state)
{
    const bool waits = m_workbench.exchange().running() && state.fraction <= 0 && !state.info;
    m_stage->setText(waits ? tr("Opens when the answer under way ends") : to_qt(state.stage));
    m_stop_answer->setVisible(waits);
}

void ModelCard::showFacts()
{
    const RoleState& state = m_workbench.role(m_role);
    m_name->setText(to_qt(state.name()));
    m_facts->clear();
    const auto fact = [this](const QString& name, const QString& value) { m_facts->add(name, value); };
    fact(tr("Parameters"), to_qt(format_count(state.parameters())));
    if (state.bytes() > 0) {
        fact(tr("On disk"), tr("%1, %2").arg(to_qt(format_bytes(state.bytes())), to_qt(state.info ? state.info->dtype : state.remembered->dtype)));
    } else {
        fact(tr("On disk"), tr("in memory only"));
    }
    if (state.info) {
        const ModelInfo& info = *state.info;
        fact(tr("Shape"), shape_line(info.spec));
        fact(tr("Context"), tr("%1 positions").arg(info.spec.context));
        fact(tr("Tokenizer"), tokenizer_line(state));
        fact(tr("Licence"), to_qt(info.licence));
        fact(tr("Made from"), origin_of(info.derived_from, m_workbench));
        fact(tr("Hash"), info.sha256.empty() ? QString() : to_qt(info.sha256.substr(0, 12)) + QStringLiteral("…"));
        fact(tr("Tensors"), info.report.used > 0 ? to_qt(info.report.summary()) : QString());
        QStringList notes;
        if (const std::string warning = info.report.warning(); !warning.empty()) {
            notes << to_qt(warning);
        }
        for (const std::string& note : info.notes) {
            notes << to_qt(note);
        }
        m_notes->setText(notes.join(QLatin1Char('\n')));
    } else if (state.remembered) {
        fact(tr("Family"), to_qt(state.remembered->family));
        fact(tr("File"), to_qt(state.remembered->path));
        m_notes->setText({});
    }
    m_notes->setVisible(!m_notes->text().isEmpty());
    m_again->setVisible(!state.ready() && !state.spec.empty());
}

void ModelCard::openDialog()
{
    ask_for_model(*this, m_role, [this](const QString& path) { m_workbench.openModel(m_role, path); });
}

} // namespace retort
