#include "ui/pages/models/student_designer.h"

#include "core/base/text_format.h"
#include "core/distil/fresh_spec.h"
#include "ui/widgets/choice_box.h"
#include "ui/widgets/plain_label.h"
#include "ui/workbench.h"

#include <QGridLayout>
#include <QPushButton>
#include <QSlider>
#include <QSpinBox>
#include <algorithm>

namespace retort {

namespace {
enum Kind { Fresh, EverySecond, EveryThird };
}

StudentDesigner::StudentDesigner(Workbench& workbench, QWidget* parent)
    : Card(parent), m_workbench(workbench), m_kind(new ChoiceBox), m_sizes(new QWidget), m_parameters(new FigureLabel({}, tr("parameters"))),
      m_bytes(new FigureLabel({}, tr("in float32"))), m_ratio(new FigureLabel({}, tr("smaller"))), m_create(new QPushButton(tr("Make this student")))
{
    setObjectName(QStringLiteral("student_designer"));
    column()->addWidget(plain_label(tr("Design a student"), Type::Heading));
    m_kind->addItems({tr("Fresh weights, these sizes"), tr("Every second layer of the teacher"), tr("Every third layer of the teacher")});
    m_kind->setAccessibleName(tr("Kind of student"));
    m_kind->setObjectName(QStringLiteral("designer_kind"));

    auto* grid = new QGridLayout(m_sizes);
    grid->setContentsMargins(0, 0, 0, 0);
    grid->setHorizontalSpacing(space::m);
    grid->setVerticalSpacing(space::s);
    m_layers = addRow(*grid, tr("Layers"), 1, 12, 1, 2, "designer_layers");
    m_width = addRow(*grid, tr("Width"), 16, 512, 16, 96, "designer_width");
    m_heads = addRow(*grid, tr("Heads"), 1, 16, 1, 4, "designer_heads");

    auto* figures = new QHBoxLayout;
    figures->setSpacing(space::xl);
    figures->addWidget(m_parameters);
    figures->addWidget(m_bytes);
    figures->addWidget(m_ratio);
    figures->addStretch();
    figures->addWidget(m_create, 0, Qt::AlignBottom);
    m_create->setObjectName(QStringLiteral("make_student"));

    column()->addWidget(m_kind);
    column()->addWidget(m_sizes);
    column()->addStretch();
    column()->addLayout(figures);

    connect(m_kind, &QComboBox::currentIndexChanged, this, &StudentDesigner::showSizes);
    connect(m_create, &QPushButton::clicked, this, [this] { m_workbench.createStudent(student()); });
    connect(&m_workbench, &Workbench::roleChanged, this, [this](Role role) {
        if (role == Role::Teacher) {
            fitToTeacher();
        }
    });
    fitToTeacher();
}

QSpinBox* StudentDesigner::addRow(QGridLayout& grid, const QString& name, int least, int most, int step, int value, const char* object_name)
{
    const int row = grid.rowCount();
    auto* label = plain_label(name, Type::Body, "muted");
    auto* slider = new QSlider(Qt::Horizontal);
    auto* box = new QSpinBox;
    box->setObjectName(QLatin1String(object_name));
    box->setButtonSymbols(QAbstractSpinBox::NoButtons);
    box->setAlignment(Qt::AlignRight);
    box->setRange(least, most);
    box->setSingleStep(step);
    box->setFixedWidth(72);
    box->setAccessibleName(name);
    slider->setRange(least / step, most / step);
    slider->setAccessibleName(name);
    connect(slider, &QSlider::valueChanged, box, [box, step](int at) { box->setValue(at * step); });
    connect(box, &QSpinBox::valueChanged, slider, [slider, step](int at) {
        const QSignalBlocker quiet(slider);
        slider->setValue(at / step);
    });
    connect(box, &QSpinBox::valueChanged, this, &StudentDesigner::showSizes);
    grid.addWidget(label, row, 0);
    grid.addWidget(slider, row, 1);
    grid.addWidget(box, row, 2);
    const QSignalBlocker quiet(box);
    box->setValue(value);
    slider->setValue(value / step);
    return box;
}

bool StudentDesigner::isCut() const
{
    return m_kind->currentIndex() != Fresh;
}

void StudentDesigner::fitToTeacher()
{
    const RoleState& teacher = m_workbench.role(Role::Teacher);
    if (teacher.info) {
        m_layers->setMaximum(static_cast<int>(std::max<std::int64_t>(1, teacher.info->spec.layers)));
        m_width->setMaximum(static_cast<int>(std::max<std::int64_t>(16, teacher.info->spec.width)));
    }
    showSizes();
}

DistilPlan::Student StudentDesigner::student() const
{
    DistilPlan::Student student;
    if (isCut()) {
        student.layers = m_kind->currentIndex() == EverySecond ? "every 2" : "every 3";
        return student;
    }
    DistilPlan::Student::Fresh fresh;
    fresh.layers = m_layers->value();
    fresh.width = m_width->value();
    fresh.heads = m_heads->value();
    fresh.kv_heads = fresh.heads % 2 == 0 ? fresh.heads / 2 : fresh.heads;
    fresh.ffn = (fresh.width * 8 / 3 + 31) / 32 * 32;
    student.fresh = fresh;
    return student;
}

DecoderShape StudentDesigner::spec() const
{
    const RoleState& teacher = m_workbench.role(Role::Teacher);
    DecoderShape spec = teacher.info ? teacher.info->spec : DecoderShape{};
    const DistilPlan::Student wanted = student();
    if (wanted.fresh) {
        return fresh_spec(*wanted.fresh, spec);
    }
    const std::int64_t every = m_kind->currentIndex() == EverySecond ? 2 : 3;
    spec.layers = (spec.layers + every - 1) / every;
    return spec;
}

void StudentDesigner::showSizes()
{
    const RoleState& teacher = m_workbench.role(Role::Teacher);
    m_sizes->setEnabled(!isCut());
    const bool fits = isCut() || (m_width->value() % m_heads->value() == 0 && m_width->value() / m_heads->value() % 2 == 0);
    m_create->setEnabled(teacher.ready() && fits);
    m_create->setToolTip(!teacher.ready() ? tr("Open a teacher first") : fits ? QString() : tr("The width must be an even multiple of the heads"));
    if (!teacher.info) {
        m_parameters->setFigure(QStringLiteral("–"));
        m_bytes->setFigure(QStringLiteral("–"));
        m_ratio->setFigure(QStringLiteral("–"));
        return;
    }
    const std::uint64_t parameters = spec().parameters();
    m_parameters->setFigure(to_qt(format_count(parameters)));
    m_bytes->setFigure(to_qt(format_bytes(parameters * 4)));
    const double ratio = static_cast<double>(teacher.parameters()) / static_cast<double>(std::max<std::uint64_t>(1, parameters));
    m_ratio->setFigure(QStringLiteral("%1×").arg(std::max(ratio, 1 / ratio), 0, 'f', 1));
    m_ratio->setCaption(ratio < 1 ? tr("larger") : tr("smaller"));
}

} // namespace retort
