#include "ui/widgets/token_tint.h"

#include "ui/theme/theme.h"

#include <QCoreApplication>
#include <algorithm>
#include <array>
#include <cmath>

namespace retort {

namespace {

QString tr(const char* text)
{
    return QCoreApplication::translate("TokenTint", text);
}

QColor between(const QColor& a, const QColor& b, double share)
{
    const auto mix = [share](double x, double y) { return static_cast<float>(x + (y - x) * share); };
    return QColor::fromRgbF(mix(a.redF(), b.redF()), mix(a.greenF(), b.greenF()), mix(a.blueF(), b.blueF()));
}

template <std::size_t N>
QColor along(const std::array<QColor, N>& stops, double level)
{
    const double place = std::clamp(level, 0.0, 1.0) * (N - 1);
    const std::size_t low = std::min(static_cast<std::size_t>(place), N - 2);
    return between(stops[low], stops[low + 1], place - static_cast<double>(low));
}

} // namespace

QString name_of(Tint tint)
{
    switch (tint) {
    case Tint::Kl:
        return tr("KL");
    case Tint::Probability:
        return tr("p");
    case Tint::Entropy:
        return tr("entropy");
    case Tint::Rank:
        return tr("rank");
    case Tint::DeltaP:
        return tr("Δp");
    case Tint::None:
        return tr("none");
    }
    return {};
}

QString explanation_of(Tint tint)
{
    switch (tint) {
    case Tint::Kl:
        return tr("Dark where the two models expect different things: KL(teacher ‖ student) over the whole vocabulary, in nats.");
    case Tint::Probability:
        return tr("Dark where the model gave this token little probability.");
    case Tint::Entropy:
        return tr("Dark where the model was unsure what comes next.");
    case Tint::Rank:
        return tr("Dark where many other tokens were more probable.");
    case Tint::DeltaP:
        return tr("Orange where the student gives the token more probability than the teacher, blue where less.");
    case Tint::None:
        return tr("Plain text.");
    }
    return {};
}

std::optional<double> tint_level(Tint tint, const TokenFacts& facts)
{
    switch (tint) {
    case Tint::Kl:
        return facts.kl ? std::optional(std::sqrt(std::clamp(*facts.kl / 4.0, 0.0, 1.0))) : std::nullopt;
    case Tint::Probability:
        return std::clamp(1.0 - facts.probability, 0.0, 1.0);
    case Tint::Entropy:
        return std::clamp(facts.entropy / 6.0, 0.0, 1.0);
    case Tint::Rank:
        return std::clamp(std::log10(static_cast<double>(facts.rank) + 1.0) / 3.0, 0.0, 1.0);
    case Tint::DeltaP:
        return facts.delta_p ? std::optional(std::copysign(std::sqrt(std::min(std::abs(*facts.delta_p), 1.0)), *facts.delta_p)) : std::nullopt;
    case Tint::None:
        break;
    }
    return std::nullopt;
}

QColor tint_color(Tint tint, double level, const Theme& theme)
{
    if (tint == Tint::DeltaP) {
        return between(theme.surface, level < 0 ? theme.teacher : theme.student, std::min(std::abs(level), 1.0) * 0.8);
    }
    static const std::array light = {QColor(0xff, 0xff, 0xff), QColor(0xe2, 0xd9, 0xf3), QColor(0xb8, 0x9f, 0xdc), QColor(0x7b, 0x4f, 0xae),
                                     QColor(0x3d, 0x1c, 0x66)};
    static const std::array dark = {QColor(0x1f, 0x22, 0x27), QColor(0x3c, 0x2f, 0x57), QColor(0x67, 0x4b, 0x96), QColor(0xa0, 0x83, 0xd6),
                                    QColor(0xea, 0xdf, 0xff)};
    return along(theme.dark ? dark : light, level);
}

QColor ink_on(const QColor& background)
{
    // Relative luminance (WCAG 2.1); the better of near-black and white by contrast is decided at 0.18.
    const auto linear = [](double c) { return c <= 0.03928 ? c / 12.92 : std::pow((c + 0.055) / 1.055, 2.4); };
    const double luminance = 0.2126 * linear(background.redF()) + 0.7152 * linear(background.greenF()) + 0.0722 * linear(background.blueF());
    return luminance > 0.18 ? QColor(0x12, 0x14, 0x18) : QColor(0xff, 0xff, 0xff);
}

int underline_of(double level)
{
    return std::clamp(static_cast<int>(std::abs(level) * 4.0), 0, 3);
}

QList<TintMark> marks_of(Tint tint)
{
    switch (tint) {
    case Tint::Kl:
        return {{0, tr("0")}, {0.5, tr("1")}, {1, tr("≥ 4 nat")}};
    case Tint::Probability:
        return {{0, tr("100 %")}, {0.5, tr("50 %")}, {1, tr("0 %")}};
    case Tint::Entropy:
        return {{0, tr("0")}, {0.5, tr("3")}, {1, tr("≥ 6 nat")}};
    case Tint::Rank:
        return {{0, tr("1")}, {1.0 / 3, tr("10")}, {2.0 / 3, tr("100")}, {1, tr("≥ 1000")}};
    case Tint::DeltaP:
        return {{-1, tr("−100 %")}, {0, tr("0")}, {1, tr("+100 %")}};
    case Tint::None:
        break;
    }
    return {};
}

} // namespace retort
