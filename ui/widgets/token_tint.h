#pragma once
#include <QColor>
#include <QList>
#include <QString>
#include <array>
#include <cstdint>
#include <optional>

namespace retort {

struct Theme;

/// What the colour behind a token tells.
enum class Tint { Kl, Probability, Entropy, Rank, DeltaP, None };
inline constexpr std::array kTints = {Tint::Kl, Tint::Probability, Tint::Entropy, Tint::Rank, Tint::DeltaP, Tint::None};

/// What is known of a token in a text: by the model whose column it stands in, and by both where both have read it.
struct TokenFacts {
    double probability = 0;
    double entropy = 0; ///< nats
    std::int64_t rank = 0;
    std::optional<double> kl;      ///< KL(teacher || student) at this place, nats
    std::optional<double> delta_p; ///< student's probability of the token less the teacher's
    bool same_top = true;          ///< both models' first choice agrees; true where only one has read it
};

/// As a person reads it in a menu: "KL", "Δp".
[[nodiscard]] QString name_of(Tint tint);
/// One sentence: what a dark token means.
[[nodiscard]] QString explanation_of(Tint tint);

/// 0 (as expected) to 1 (worth a look); -1 to 1 for Δp. Empty where the value is not known. The scales are fixed, so that two texts can be compared:
/// KL as sqrt(kl / 4 nat), probability as 1 - p, entropy as H / 6 nat, rank as log10(rank + 1) / 3, Δp as its signed square root.
[[nodiscard]] std::optional<double> tint_level(Tint tint, const TokenFacts& facts);

/// White to purple-black (on dark: dark to pale lilac), lightness falling throughout; for Δp blue below 0, vermillion above.
[[nodiscard]] QColor tint_color(Tint tint, double level, const Theme& theme);
/// Text that stands on that colour.
[[nodiscard]] QColor ink_on(const QColor& background);
/// The same told without colour: 0 to 3 px.
[[nodiscard]] int underline_of(double level);

/// A mark of a printed scale; one with "≥" stands for all that is beyond, too.
struct TintMark {
    double level;
    QString text;
};
[[nodiscard]] QList<TintMark> marks_of(Tint tint);

} // namespace retort
