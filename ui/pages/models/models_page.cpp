#include "ui/pages/models/models_page.h"

#include "core/base/memory.h"
#include "ui/pages/models/model_card.h"
#include "ui/pages/models/student_designer.h"
#include "ui/widgets/memory_bar.h"
#include "ui/widgets/notice.h"
#include "ui/widgets/plain_label.h"
#include "ui/widgets/scrolled.h"
#include "ui/workbench.h"

#include <QGridLayout>
#include <QScrollArea>
#include <QVBoxLayout>
#include <algorithm>

namespace retort {

ModelsPage::ModelsPage(Workbench& workbench, QWidget* parent)
    : QWidget(parent), m_workbench(workbench), m_teacher(new ModelCard(workbench, Role::Teacher)), m_student(new ModelCard(workbench, Role::Student)),
      m_match(wrapped_label({}, Type::Body, "muted")), m_mismatch(new Notice), m_memory(new MemoryBar), m_designer(new StudentDesigner(workbench))
{
    setObjectName(QStringLiteral("models_page"));
    m_mismatch->setDismissable(false);
    auto* fit = new Card;
    fit->column()->addWidget(plain_label(tr("Together"), Type::Heading));
    fit->column()->addWidget(m_match);
    fit->column()->addWidget(m_mismatch);
    fit->column()->addSpacing(space::s);
    fit->column()->addWidget(plain_label(tr("Memory, if both are loaded and the student trains"), Type::Small, "muted"));
    fit->column()->addWidget(m_memory);
    fit->column()->addStretch();

    auto* content = new QWidget;
    auto* whole = new QVBoxLayout(this);
    whole->setContentsMargins(0, 0, 0, 0);
    whole->addWidget(scrolled(content));
    auto* grid = new QGridLayout(content);
    grid->setContentsMargins(space::l, space::l, space::l, space::l);
    grid->setSpacing(space::m);
    grid->addWidget(m_teacher, 0, 0);
    grid->addWidget(m_student, 0, 1);
    grid->addWidget(fit, 1, 0);
    grid->addWidget(m_designer, 1, 1);
    grid->setColumnStretch(0, 1);
    grid->setColumnStretch(1, 1);
    grid->setRowStretch(0, 3);
    grid->setRowStretch(1, 2);

    connect(&m_workbench, &Workbench::roleChanged, this, [this] {
        showMatch();
        showMemory();
    });
    showMatch();
    showMemory();
}

void ModelsPage::showMatch()
{
    const bool loading = std::ranges::any_of(kRoles, [this](Role role) { return m_workbench.role(role).phase == RoleState::Phase::Loading; });
    const auto match = loading ? std::nullopt : m_workbench.tokenizerMatch(); // of the two that will stand there
    m_match->setVisible(!match || match->same);
    if (!match) {
        m_match->setText(m_workbench.bothReady() ? tr("One of the two came without a tokenizer, so they cannot read the same text.")
                                                 : tr("With a teacher and a student loaded, this says whether they cut text alike."));
        m_mismatch->dismiss();
    } else if (match->same) {
        m_match->setText(QStringLiteral("✓  ") + to_qt(match->reason));
        m_mismatch->dismiss();
    } else {
        m_mismatch->tell(to_qt(match->reason), Notice::Kind::Warning);
    }
}

void ModelsPage::showMemory()
{
    std::vector<MemoryBar::Part> parts;
    if (const auto& teacher = m_workbench.role(Role::Teacher).estimate) {
        parts.push_back({tr("teacher"), teacher->weights, MemoryBar::Ink::Teacher});
        parts.push_back({tr("its cache"), teacher->kv_cache, MemoryBar::Ink::TeacherLight});
    }
    if (const auto& student = m_workbench.role(Role::Student).estimate) {
        parts.push_back({tr("student"), student->weights, MemoryBar::Ink::Student});
        parts.push_back({tr("its cache"), student->kv_cache, MemoryBar::Ink::StudentLight});
        parts.push_back({tr("training"), student->training, MemoryBar::Ink::Training});
    }
    m_memory->show(std::move(parts), available_memory());
}

} // namespace retort
