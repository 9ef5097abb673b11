#include "ui/pages/distil/distil_setup.h"

#include "core/base/text_format.h"
#include "ui/theme/theme.h"
#include "ui/widgets/choice_box.h"
#include "ui/widgets/plain_label.h"
#include "ui/workbench.h"

#include <QDoubleSpinBox>
#include <QFormLayout>
#include <QLineEdit>
#include <QSlider>
#include <QSpinBox>
#include <QVBoxLayout>
#include <cmath>

namespace retort {

namespace {

enum Preset { Minute, TenMinutes, Own };
enum StudentKind { Small, Medium, TheLoaded, Untrained, OfThePlan };

constexpr const char* kUntrained = "demo:student";

/// A field's name, as high as the field, so that both stand on one line.
QLabel* field_label(const QString& text)
{
    QLabel* label = plain_label(text, Type::Body, "muted");
    label->setMinimumHeight(30);
    return label;
}

QSpinBox* number(const QString& name, int least, int most, int step, const char* object_name)
{
    auto* box = new QSpinBox;
    box->setRange(least, most);
    box->setSingleStep(step);
    box->setButtonSymbols(QAbstractSpinBox::NoButtons);
    box->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    box->setMinimumWidth(56);
    box->setAccessibleName(name);
    box->setToolTip(name);
    box->setObjectName(QLatin1String(object_name));
    return box;
}

QHBoxLayout* beside(QWidget* left, QWidget* right)
{
    auto* row = new QHBoxLayout;
    row->setSpacing(space::s);
    row->addWidget(left, 1);
    row->addWidget(right, 1);
    return row;
}

DistilPlan::Student::Fresh fresh_of(int kind)
{
    return kind == Small ? DistilPlan::Student::Fresh{}
                         : DistilPlan::Student::Fresh{.layers = 3, .width = 128, .heads = 4, .kv_heads = 2, .ffn = 352};
}

/// Which of the offered students a plan means; OfThePlan where it is none of them.
int kind_of(const DistilPlan::Student& student)
{
    if (student.fresh) {
        for (const int kind : {Small, Medium}) {
            DistilPlan wanted, offered;
            wanted.student = student;
            offered.student.fresh.emplace(fresh_of(kind));
            if (to_json(wanted) == to_json(offered)) {
                return kind;
            }
        }
        return OfThePlan;
    }
    if (!student.from.empty()) {
        return student.from == kUntrained ? Untrained : TheLoaded;
    }
    return student.layers.empty() && student.layer_list.empty() ? Small : OfThePlan;
}

QString words_for(const DistilPlan::Student& student)
{
    if (student.fresh) {
        return DistilSetup::tr("Fresh, %1 layers of %2").arg(student.fresh->layers).arg(student.fresh->width);
    }
    if (!student.layers.empty()) {
        return DistilSetup::tr("Cut from the teacher: %1").arg(to_qt(student.layers));
    }
    QStringList layers;
    for (const std::int64_t layer : student.layer_list) {
        layers << QString::number(layer);
    }
    return DistilSetup::tr("Layers %1 of the teacher").arg(layers.join(QStringLiteral(", ")));
}

} // namespace

DistilSetup::DistilSetup(Workbench& workbench, QWidget* parent)
    : QWidget(parent), m_workbench(workbench), m_preset(new ChoiceBox), m_student(new ChoiceBox), m_method(new ChoiceBox), m_probe(new QLineEdit),
      m_memory(wrapped_label({}, Type::Small, "muted"))
{
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(space::s);
    auto* form = new QFormLayout;
    form->setHorizontalSpacing(space::m);
    form->setVerticalSpacing(space::s);
    form->setLabelAlignment(Qt::AlignLeft | Qt::AlignVCenter);
    form->setFieldGrowthPolicy(QFormLayout::ExpandingFieldsGrow);

    m_preset->addItems({QString(), QString(), tr("My own settings")});
    m_preset->setItemData(Own, tr("What the fields below say"), Qt::ToolTipRole);
    offerStudents();
    for (const ObjectiveKind& kind : m_workbench.catalogues().objectives.entries()) {
        const auto objective = kind.make(DistilPlan::Objective());
        m_method->addItem(to_qt(std::string(objective->formula())), to_qt(kind.name));
        m_method->setItemData(m_method->count() - 1, to_qt(kind.summary + "\n\n" + kind.when + "\n" + kind.trap), Qt::ToolTipRole);
    }
    m_method->addItem(tr("none: cross-entropy alone"), QStringLiteral("none"));
    const auto choice = [form](const QString& text, ChoiceBox* box, const char* name) {
        box->setAccessibleName(text);
        box->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
        box->setObjectName(QLatin1String(name));
        form->addRow(field_label(text), box);
    };
    choice(tr("Preset"), m_preset, "distil_preset");
    choice(tr("Student"), m_student, "distil_student");
    choice(tr("Divergence"), m_method, "distil_method");
    m_alpha = addSlider(*form, tr("α, share of CE"), tr("0: only the teacher counts. 1: only the data counts."), 0, 1, 0.05, 2, "distil_alpha");
    m_temperature = addSlider(*form, tr("Temperature T"), tr("Higher shows more of what the teacher thinks of the unlikely pieces."), 0.5, 8, 0.5, 1,
                              "distil_temperature");
    m_steps = number(tr("Steps"), 1, 1'000'000, 100, "distil_steps");
    m_seed = number(tr("Seed"), 0, 1'000'000, 1, "distil_seed");
    m_sequences = number(tr("Sequences in a batch"), 1, 512, 4, "distil_sequences");
    m_length = number(tr("Length of a sequence, in pieces"), 8, 4096, 32, "distil_length");
    form->addRow(field_label(tr("Steps, seed")), beside(m_steps, m_seed));
    form->addRow(field_label(tr("Batch × length")), beside(m_sequences, m_length));
    m_rate = new QDoubleSpinBox;
    m_rate->setDecimals(5);
    m_rate->setRange(0.00001, 0.1);
    m_rate->setSingleStep(0.0005);
    m_rate->setButtonSymbols(QAbstractSpinBox::NoButtons);
    m_rate->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    m_rate->setAccessibleName(tr("Learning rate"));
    m_rate->setObjectName(QStringLiteral("distil_rate"));
    form->addRow(field_label(tr("Learning rate")), m_rate);
    m_probe->setAccessibleName(tr("Probe"));
    m_probe->setToolTip(tr("Asked again every few steps, so that one sees the student learn"));
    m_probe->setObjectName(QStringLiteral("distil_probe"));
    form->addRow(field_label(tr("Probe")), m_probe);
    column->addLayout(form);
    column->addWidget(m_memory);
    column->addStretch();

    connect(m_preset, &QComboBox::activated, this, &DistilSetup::usePreset);
    connect(m_preset, &QComboBox::currentIndexChanged, this, &DistilSetup::namePresets);
    const auto edited = [this] {
        if (!m_showing) {
            m_preset->setCurrentIndex(Own);
            showMemory();
            Q_EMIT changed();
        }
    };
    for (QSpinBox* box : {m_steps, m_sequences, m_length, m_seed}) {
        connect(box, &QSpinBox::valueChanged, this, edited);
    }
    for (QDoubleSpinBox* box : {m_alpha, m_temperature, m_rate}) {
        connect(box, &QDoubleSpinBox::valueChanged, this, edited);
    }
    connect(m_student, &QComboBox::currentIndexChanged, this, edited);
    connect(m_method, &QComboBox::currentIndexChanged, this, edited);
    connect(&m_workbench, &Workbench::roleChanged, this, [this] {
        offerStudents();
        followStudent();
        if (m_preset->currentIndex() == Minute && (chosen() == Untrained) != teacherIsDemo()) {
            usePreset(Minute); // it begins with another student now
        }
        namePresets();
        showMemory();
    });
    connect(&m_workbench, &Workbench::runStateChanged, this, [this](RunState state) { m_expected = m_expected || is_over(state); });
    namePresets();
    usePreset(Minute);
}

QDoubleSpinBox* DistilSetup::addSlider(QFormLayout& form, const QString& name, const QString& tip, double least, double most, double step,
                                       int decimals, const char* object_name)
{
    auto* row = new QHBoxLayout;
    row->setSpacing(space::s);
    auto* slider = new QSlider(Qt::Horizontal);
    slider->setRange(static_cast<int>(std::lround(least / step)), static_cast<int>(std::lround(most / step)));
    slider->setAccessibleName(name);
    slider->setMinimumWidth(64);
    auto* box = new QDoubleSpinBox;
    box->setDecimals(decimals);
    box->setRange(least, most);
    box->setSingleStep(step);
    box->setButtonSymbols(QAbstractSpinBox::NoButtons);
    box->setFixedWidth(60);
    box->setAlignment(Qt::AlignRight);
    box->setAccessibleName(name);
    box->setObjectName(QLatin1String(object_name));
    slider->setToolTip(tip);
    box->setToolTip(tip);
    connect(slider, &QSlider::valueChanged, box, [box, step](int at) { box->setValue(at * step); });
    connect(box, &QDoubleSpinBox::valueChanged, slider, [slider, step](double value) {
        const QSignalBlocker quiet(slider);
        slider->setValue(static_cast<int>(std::lround(value / step)));
    });
    row->addWidget(slider, 1);
    row->addWidget(box);
    form.addRow(field_label(name), row);
    return box;
}

void DistilSetup::offerStudents()
{
    const int present = m_student->count() == 0 ? static_cast<int>(Small) : chosen();
    const QSignalBlocker quiet(m_student);
    m_student->clear();
    m_student->addItem(tr("Fresh, 2 layers of 96"), Small);
    m_student->addItem(tr("Fresh, 3 layers of 128"), Medium);
    m_student->addItem(tr("The loaded student"), TheLoaded);
    // It cuts text as the demo's teacher does, and as no other. Before a teacher is loaded, a plan that names it is taken at its word.
    if (teacherIsDemo() || (kind_of(m_base.student) == Untrained && !m_workbench.role(Role::Teacher).ready())) {
        m_student->addItem(tr("The demo's, untrained"), Untrained);
    }
    if (kind_of(m_base.student) == OfThePlan) {
        m_student->addItem(words_for(m_base.student), OfThePlan);
    }
    choose(present);
}

/// The loaded student stands in for one that is not offered.
void DistilSetup::choose(int kind)
{
    const int place = m_student->findData(kind);
    m_student->setCurrentIndex(place >= 0 ? place : m_student->findData(TheLoaded));
}

int DistilSetup::chosen() const
{
    return m_student->currentData().toInt();
}

void DistilSetup::followStudent()
{
    const RoleState& student = m_workbench.role(Role::Student);
    m_expected = m_expected || student.phase == RoleState::Phase::Remembered;
    if (!student.ready()) {
        return;
    }
    const QString who = to_qt(student.spec + '\n' + student.name());
    if (who == std::exchange(m_loaded, who) || std::exchange(m_expected, false) || student.spec.starts_with("demo:")) {
        return;
    }
    choose(TheLoaded);
}

void DistilSetup::usePreset(int preset)
{
    if (preset == Own) {
        return;
    }
    m_base = DistilPlan();
    if (preset == Minute && teacherIsDemo()) {
        m_base.student.from = kUntrained;
        m_base.optimiser.lr = 4e-3; // as small as it is, it learns fastest so; the recorded run has the same
    } else {
        m_base.student.fresh.emplace(fresh_of(preset == Minute ? Small : Medium));
    }
    m_base.probes = {teacherIsDemo() ? "Tom has a" : "Once upon a time"}; // begins as noise, then words, then a story that holds together
    m_base.steps = preset == Minute ? 300 : 3000;
    m_base.evaluate.every = preset == Minute ? 25 : 100;
    m_base.probe_every = preset == Minute ? 25 : 100;
    m_base.schedule.warmup_steps = preset == Minute ? 10 : 50;
    show(DistilPlan(m_base));
    m_preset->setCurrentIndex(preset);
    Q_EMIT changed();
}

/// How long a preset takes is known with the demo's teacher only; with any other its name says what is done.
void DistilSetup::namePresets()
{
    const bool demo = teacherIsDemo();
    m_preset->setItemText(Minute, demo ? tr("1-minute demo") : tr("Short run, 300 steps"));
    m_preset->setItemText(TenMinutes, demo ? tr("Better, 10 minutes") : tr("Long run, 3000 steps"));
    m_preset->setItemData(Minute,
                          demo ? tr("The demo's untrained student, 300 steps, learning rate 0.004; evaluated and probed every 25 steps")
                               : tr("A fresh student of 2 layers of 96, 300 steps; evaluated and probed every 25 steps. How long that takes depends "
                                    "on the teacher."),
                          Qt::ToolTipRole);
    m_preset->setItemData(TenMinutes,
                          demo ? tr("A fresh student of 3 layers of 128, 3000 steps; evaluated and probed every 100 steps")
                               : tr("A fresh student of 3 layers of 128, 3000 steps; evaluated and probed every 100 steps. How long that takes "
                                    "depends on the teacher."),
                          Qt::ToolTipRole);
    m_preset->setToolTip(m_preset->currentData(Qt::ToolTipRole).toString());
}

bool DistilSetup::teacherIsDemo() const
{
    return m_workbench.role(Role::Teacher).spec == "demo:teacher";
}

void DistilSetup::show(const DistilPlan& plan)
{
    m_showing = true;
    m_base = plan;
    offerStudents();
    choose(kind_of(plan.student));
    m_method->setCurrentIndex(std::max(0, m_method->findData(to_qt(plan.objective.name))));
    m_alpha->setValue(plan.objective.alpha_cross_entropy);
    m_temperature->setValue(plan.objective.temperature);
    m_steps->setValue(static_cast<int>(plan.steps));
    m_sequences->setValue(static_cast<int>(plan.batch.sequences));
    m_length->setValue(static_cast<int>(plan.batch.length));
    m_rate->setValue(plan.optimiser.lr);
    m_seed->setValue(static_cast<int>(plan.seed));
    m_probe->setText(plan.probes.empty() ? QString() : to_qt(plan.probes.front()).replace(QLatin1Char('\n'), QStringLiteral("⏎")));
    m_probe->setCursorPosition(0);
    m_preset->setCurrentIndex(Own);
    m_showing = false;
    showMemory();
}

DistilPlan::Student DistilSetup::studentOf(int kind) const
{
    DistilPlan::Student student;
    if (kind == Untrained) {
        student.from = kUntrained;
    } else if (kind == TheLoaded) {
        const std::string& spec = m_workbench.role(Role::Student).spec;
        student.from = spec.empty() ? to_core(tr("the loaded student")) : spec;
    } else {
        student.fresh.emplace(fresh_of(kind));
    }
    return student;
}

DistilPlan DistilSetup::plan() const
{
    DistilPlan plan = m_base;
    plan.teacher = m_workbench.role(Role::Teacher).spec;
    if (chosen() != OfThePlan) {
        plan.student = studentOf(chosen());
    }
    plan.objective.name = to_core(m_method->currentData().toString());
    plan.objective.alpha_cross_entropy = plan.objective.name == "none" ? 1.0 : m_alpha->value();
    plan.objective.temperature = m_temperature->value();
    plan.steps = m_steps->value();
    plan.batch.sequences = m_sequences->value();
    plan.batch.length = m_length->value();
    plan.optimiser.lr = m_rate->value();
    plan.schedule.warmup_steps = std::min<std::int64_t>(plan.schedule.warmup_steps, std::max<std::int64_t>(0, plan.steps / 4));
    plan.seed = static_cast<std::uint64_t>(m_seed->value());
    plan.probes.clear();
    if (!m_probe->text().isEmpty()) {
        plan.probes.push_back(to_core(m_probe->text().replace(QStringLiteral("⏎"), QStringLiteral("\n"))));
    }
    return plan;
}

void DistilSetup::showMemory()
{
    const std::uint64_t bytes = m_workbench.trainingMemory(plan());
    m_memory->setText(bytes == 0 ? QString() : tr("Takes about %1 of memory while it trains.").arg(to_qt(format_bytes(bytes))));
}

} // namespace retort
