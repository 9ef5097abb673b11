#include "ui/pages/compare/compare_tools.h"

#include "ui/widgets/choice_box.h"
#include "ui/widgets/plain_label.h"
#include "ui/widgets/tint_legend.h"

#include <QButtonGroup>
#include <QCheckBox>
#include <QHBoxLayout>
#include <QPushButton>
#include <algorithm>

namespace retort {

CompareTools::CompareTools(QWidget* parent)
    : QWidget(parent), m_tint(new ChoiceBox), m_legend(new TintLegend), m_sync(new QCheckBox(tr("Scroll to&gether")))
{
    m_tint->setObjectName(QStringLiteral("tint"));
    for (const Tint tint : kTints) {
        m_tint->addItem(name_of(tint), static_cast<int>(tint));
    }
    auto* tint_name = plain_label(tr("T&int"));
    tint_name->setBuddy(m_tint);
    m_sync->setObjectName(QStringLiteral("sync"));
    m_sync->setChecked(true);
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(space::s);
    row->addWidget(tint_name);
    row->addWidget(m_tint);
    row->addWidget(m_legend);
    row->addStretch();
    row->addWidget(buildViewSwitch());
    row->addStretch();
    row->addWidget(m_sync);
    connect(m_tint, &ChoiceBox::currentIndexChanged, this, [this] {
        const auto tint = static_cast<Tint>(m_tint->currentData().toInt());
        m_legend->setTint(tint);
        Q_EMIT tintChosen(tint);
    });
}

QWidget* CompareTools::buildViewSwitch()
{
    auto* views = new QWidget;
    auto* row = new QHBoxLayout(views);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(space::xs);
    auto* group = new QButtonGroup(this);
    const std::array names = {tr("&Free"), tr("Teacher te&xt"), tr("Student te&xt")};
    const std::array tips = {tr("Each model's own answer"), tr("The teacher's answer in both columns: right, as the student scores it"),
                             tr("The student's answer in both columns: left, as the teacher scores it")};
    const std::array objects = {"viewFree", "viewTeacherText", "viewStudentText"};
    for (std::size_t i = 0; i < m_views.size(); ++i) {
        m_views[i] = new QPushButton(names[i]);
        m_views[i]->setObjectName(QLatin1String(objects[i]));
        m_views[i]->setToolTip(tips[i]);
        m_views[i]->setCheckable(true);
        m_views[i]->setChecked(i == 0);
        group->addButton(m_views[i]);
        row->addWidget(m_views[i]);
        connect(m_views[i], &QPushButton::clicked, this, [this, i] { Q_EMIT viewChosen(static_cast<TextView>(i)); });
    }
    return views;
}

void CompareTools::showTint(Tint tint)
{
    m_tint->setCurrentIndex(std::max(0, m_tint->findData(static_cast<int>(tint))));
}

void CompareTools::showView(TextView view)
{
    m_views[static_cast<std::size_t>(view)]->setChecked(true);
}

void CompareTools::nextTint()
{
    m_tint->setCurrentIndex((m_tint->currentIndex() + 1) % m_tint->count());
}

bool CompareTools::scrollsTogether() const
{
    return m_sync->isChecked();
}

} // namespace retort
