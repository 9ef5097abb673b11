#include "ui/widgets/figure_text.h"

#include <cmath>

namespace retort {

QString figure(double value, int decimals)
{
    if (!std::isfinite(value)) {
        return QStringLiteral("–");
    }
    const bool zero = std::abs(value) * std::pow(10.0, decimals) < 0.5;
    return QString::number(zero ? 0.0 : value, 'f', decimals);
}

QString percent(double probability)
{
    const double value = probability * 100;
    if (value <= 0) {
        return QStringLiteral("0 %");
    }
    if (value < 0.001) {
        return QStringLiteral("< 0.001 %");
    }
    return QStringLiteral("%1 %").arg(value, 0, 'f', value >= 99.95 ? 0 : value >= 1 ? 1 : value >= 0.1 ? 2 : 3);
}

QString below_percent(double probability)
{
    const QString known = percent(probability);
    return known.startsWith(QLatin1Char('<')) ? known : QStringLiteral("< %1").arg(known);
}

} // namespace retort
