#include "ui/view_state.h"

#include <QCoreApplication>
#include <QDate>
#include <QLocale>
#include <algorithm>
#include <limits>

namespace retort {

namespace {

constexpr std::int64_t kMostTokens = 1'000'000;

QString date_of(const Recording& recording)
{
    const QDate date = QDate::fromString(QString::fromStdString(recording.on), Qt::ISODate);
    return date.isValid() ? QLocale().toString(date, QStringLiteral("d MMM yyyy")) : QString::fromStdString(recording.on);
}

} // namespace

QJsonObject to_json(const GenerateSettings& settings)
{
    const SamplerSettings& sampler = settings.sampler;
    return {{QStringLiteral("greedy"), sampler.greedy},
            {QStringLiteral("temperature"), sampler.temperature},
            {QStringLiteral("top_k"), static_cast<qint64>(sampler.top_k)},
            {QStringLiteral("top_p"), sampler.top_p},
            {QStringLiteral("min_p"), sampler.min_p},
            {QStringLiteral("repeat_penalty"), sampler.repeat_penalty},
            {QStringLiteral("seed"), static_cast<qint64>(sampler.seed)},
            {QStringLiteral("max_tokens"), static_cast<qint64>(settings.max_tokens)}};
}

GenerateSettings settings_from(const QJsonObject& view, GenerateSettings settings)
{
    SamplerSettings& sampler = settings.sampler;
    const auto real = [&view](const char* name, double known, double least, double most) {
        return std::clamp(view[QLatin1String(name)].toDouble(known), least, most);
    };
    const auto whole = [&view](const char* name, qint64 known, qint64 most) {
        return std::clamp<qint64>(view[QLatin1String(name)].toInteger(known), 0, most);
    };
    sampler.greedy = view[QLatin1String("greedy")].toBool(sampler.greedy);
    sampler.temperature = real("temperature", sampler.temperature, 0, 100);
    sampler.top_k = whole("top_k", sampler.top_k, kMostTokens);
    sampler.top_p = real("top_p", sampler.top_p, 0, 1);
    sampler.min_p = real("min_p", sampler.min_p, 0, 1);
    sampler.repeat_penalty = real("repeat_penalty", sampler.repeat_penalty, 0, 100);
    sampler.seed = static_cast<std::uint64_t>(whole("seed", static_cast<qint64>(sampler.seed), std::numeric_limits<qint64>::max()));
    settings.max_tokens = std::max<std::int64_t>(1, whole("max_tokens", settings.max_tokens, kMostTokens));
    return settings;
}

QString recorded_on(const Recording& recording)
{
    return QCoreApplication::translate("Recording", "recorded %1").arg(date_of(recording));
}

QString recorded_on_what(const Recording& recording)
{
    return QCoreApplication::translate("Recording", "Recorded on %1, %2").arg(date_of(recording), QString::fromStdString(recording.machine));
}

} // namespace retort
