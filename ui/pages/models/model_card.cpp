#include "ui/pages/models/model_card.h"

#include "core/base/text_format.h"
#include "ui/widgets/empty_state.h"
#include "ui/widgets/fact_list.h"
#include "ui/widgets/notice.h"
#include "ui/widgets/plain_label.h"
#include "ui/widgets/role_mark.h"
#include "ui/workbench.h"

#include <QFileDialog>
#include <QHBoxLayout>
#include <QProgressBar>
#include <QPushButton>
#include <QSettings>
#include <QStackedWidget>
#include <QStyle>

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

    m_empty = new EmptyState(Glyph::Models, teacher ? tr("No teacher yet. Drop a model file here, or use the built-in demo.")
                                                    : tr("No student yet. Drop a model file here, design one below, or use the built-in demo."));
    QPushButton* demo = m_empty->addAction(tr("Use demo"), true);
    demo->setObjectName(teacher ? QStringLiteral("teacher_use_demo") : QStringLiteral("student_use_demo"));
    connect(demo, &QPushButton::clicked, this,
            [this, teacher] { m_workbench.openModel(m_role, teacher ? QStringLiteral("demo:teacher") : QStringLiteral("demo:student")); });
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
        }
    });
    showRole();
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
    eject->setObjectName(m_role == Role::Teacher ? QStringLiteral("teacher_eject") : QStringLiteral("student_eject"));
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
    rows->addWidget(m_loading_name);
    rows->addStretch();
    rows->addWidget(m_stage);
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
        break;
    case RoleState::Phase::Failed:
        m_stack->setCurrentWidget(state.remembered ? m_loaded : static_cast<QWidget*>(m_empty));
        showFacts();
        break;
    case RoleState::Phase::Loading:
        m_stack->setCurrentWidget(m_loading);
        m_loading_name->setText(to_qt(state.name()));
        m_stage->setText(to_qt(state.stage));
        m_progress->setValue(static_cast<int>(state.fraction * 1000));
        break;
    case RoleState::Phase::Remembered:
    case RoleState::Phase::Ready:
        m_stack->setCurrentWidget(m_loaded);
        showFacts();
        break;
    }
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
        fact(tr("Made from"), to_qt(info.derived_from));
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
    QSettings settings;
    const QString title = m_role == Role::Teacher ? tr("Open a teacher") : tr("Open a student");
    const QString path = QFileDialog::getOpenFileName(this, title, settings.value(QStringLiteral("last_folder")).toString(),
                                                      tr("Models (*.gguf *.safetensors config.json);;All files (*)"));
    if (!path.isEmpty()) {
        settings.setValue(QStringLiteral("last_folder"), QFileInfo(path).absolutePath());
        m_workbench.openModel(m_role, path);
    }
}

void ModelCard::setDropTarget(bool target)
{
    setProperty("drop", target);
    style()->unpolish(this);
    style()->polish(this);
    update();
}

} // namespace retort
