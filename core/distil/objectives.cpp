#include "core/distil/catalogues.h"
#include "core/distil/formulas.h"

namespace retort {
namespace {

/// An objective of one formula for each piece, with the kernel that computes the same.
template <class Formula>
class ClosedForm final : public Objective {
public:
    ClosedForm(const char* name, const char* formula, DivergenceForm form, Formula of_piece)
        : m_name(name), m_formula(formula), m_form(form), m_of_piece(of_piece)
    {
    }

    [[nodiscard]] std::string_view name() const override { return m_name; }
    [[nodiscard]] std::string_view formula() const override { return m_formula; }
    [[nodiscard]] double evaluate(PositionPair pair, std::span<float> gradient) const override
    {
        return sum_over_pieces<float>(pair.teacher, pair.student, gradient, m_of_piece);
    }
    [[nodiscard]] double factor(double temperature) const override
    {
        return m_form.kind == DivergenceForm::Kind::TotalVariation ? temperature : temperature * temperature;
    }
    [[nodiscard]] std::optional<DivergenceForm> fused() const override { return m_form; }

private:
    const char* m_name;
    const char* m_formula;
    DivergenceForm m_form;
    Formula m_of_piece;
};

template <class Formula>
std::shared_ptr<const Objective> make(const char* name, const char* formula, DivergenceForm::Kind kind, double share, Formula of_piece)
{
    return std::make_shared<ClosedForm<Formula>>(name, formula, DivergenceForm{kind, static_cast<float>(share)}, of_piece);
}

using Kind = DivergenceForm::Kind;
using Options = DistilPlan::Objective;

ObjectiveKind forward_kl_kind()
{
    return {.name = "forward_kl",
            .summary = "KL(teacher || student) = sum p (log p - log q)",
            .when = "The usual choice: the student is pulled up wherever the teacher has mass, so it covers all of the teacher's alternatives.",
            .trap = "A student too small for them all spreads itself, and puts mass where the teacher has none.",
            .source = "Hinton, Vinyals, Dean 2015, with the teacher's entropy kept in, so that it reads 0 when the two agree.",
            .make = [](const Options&) {
                return make("forward_kl", "KL(teacher \u2016 student)", Kind::ForwardKl, 0,
                            [](double a, double b) { return forward_kl<double>(a, b); });
            }};
}

ObjectiveKind reverse_kl_kind()
{
    return {
        .name = "reverse_kl",
        .summary = "KL(student || teacher) = sum q (log q - log p)",
        .when = "For a student much smaller than its teacher: it is pushed down where the teacher has no mass, and settles on what the teacher likes "
                "best.",
        .trap =
            "It grows over-confident; watch that its entropy does not fall below the teacher's. Pieces that the teacher forbids cost without limit.",
        .source = "Gu, Dong, Wei, Huang 2023 (MiniLLM).",
        .make = [](const Options&) {
            return make("reverse_kl", "KL(student \u2016 teacher)", Kind::ReverseKl, 0, [](double a, double b) { return reverse_kl<double>(a, b); });
        }};
}

ObjectiveKind gjsd_kind()
{
    return {
        .name = "gjsd",
        .summary = "beta KL(teacher || m) + (1 - beta) KL(student || m), m = beta p + (1 - beta) q",
        .when =
            "Between forward and reverse KL, and bounded: no single piece can dominate. Near beta 0 it behaves as forward KL, near 1 as reverse KL.",
        .trap = "Its size goes to 0 with beta (1 - beta), so near the ends a larger learning rate is needed; other programs turn beta round.",
        .source = "Agarwal et al. 2023 (GKD); beta 0.5 is Lin's Jensen-Shannon divergence, 1991.",
        .options = {"beta"},
        .make = [](const Options& options) {
            const double beta = options.beta;
            return make("gjsd", "JSD\u03b2(teacher, student)", Kind::GeneralisedJsd, beta,
                        [beta](double a, double b) { return generalised_jsd<double>(a, b, beta); });
        }};
}

ObjectiveKind skewed_kl_kind()
{
    return {.name = "skewed_kl",
            .summary = "KL(teacher || m), m = alpha p + (1 - alpha) q",
            .when = "Forward KL made gentle: a little of the teacher is mixed into what it is compared with, so gradients stay bounded where the "
                    "student knows nothing.",
            .trap = "alpha above 0.5 leaves little to learn from; alpha 0 is forward KL.",
            .source = "Lee 1999; Ko, Kim, Chen, Yun 2024 (DistiLLM), with alpha 0.1.",
            .options = {"alpha"},
            .make = [](const Options& options) {
                const double alpha = options.alpha;
                return make("skewed_kl", "KL(teacher \u2016 \u03b1 teacher + (1 - \u03b1) student)", Kind::SkewedKl, alpha,
                            [alpha](double a, double b) { return skewed_kl<double>(a, b, alpha); });
            }};
}

ObjectiveKind skewed_reverse_kl_kind()
{
    return {.name = "skewed_reverse_kl",
            .summary = "KL(student || m), m = (1 - alpha) p + alpha q",
            .when = "Reverse KL made gentle: bounded also on pieces that the teacher forbids. A good first choice for small students.",
            .trap = "As with reverse KL, watch the student's entropy; alpha 0 is reverse KL.",
            .source = "Ko, Kim, Chen, Yun 2024 (DistiLLM), with alpha 0.1.",
            .options = {"alpha"},
            .make = [](const Options& options) {
                const double alpha = options.alpha;
                return make("skewed_reverse_kl", "KL(student \u2016 (1 - \u03b1) teacher + \u03b1 student)", Kind::SkewedReverseKl, alpha,
                            [alpha](double a, double b) { return skewed_reverse_kl<double>(a, b, alpha); });
            }};
}

ObjectiveKind tvd_kind()
{
    return {
        .name = "tvd",
        .summary = "total variation distance, 1/2 sum |p - q|, times T and not T-squared",
        .when = "The share of answers on which the two differ, between 0 and 1; little moved by the tail of rare pieces.",
        .trap =
            "Where the student gives a piece no mass it gets no gradient, so a fresh student starts slowly. It is linear in small differences: times "
            "T-squared, as some programs have it, a higher temperature would silently raise its weight.",
        .source = "Wen, Li, Du, Mou 2023 (f-DISTILL).",
        .make = [](const Options&) {
            return make("tvd", "TV(teacher, student)", Kind::TotalVariation, 0, [](double a, double b) { return total_variation<double>(a, b); });
        }};
}

ObjectiveKind soft_cross_entropy_kind()
{
    return {.name = "soft_cross_entropy",
            .summary = "-sum p log q = KL(teacher || student) + H(teacher)",
            .when = "To repeat runs of programs that leave the teacher's entropy out. The gradient is forward KL's.",
            .trap =
                "The curve ends at the teacher's entropy, not at 0: what looks like a student that stopped learning may have reached its teacher.",
            .source = "Hinton, Vinyals, Dean 2015, as most programs write it.",
            .make = [](const Options&) {
                return make("soft_cross_entropy", "CE(teacher, student)", Kind::SoftCrossEntropy, 0,
                            [](double a, double b) { return soft_cross_entropy<double>(a, b); });
            }};
}

} // namespace

Catalogue<ObjectiveKind> built_in_objectives()
{
    return {forward_kl_kind(), reverse_kl_kind(), gjsd_kind(), skewed_kl_kind(), skewed_reverse_kl_kind(), tvd_kind(), soft_cross_entropy_kind()};
}

} // namespace retort
