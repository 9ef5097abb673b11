#include "ui/time_left.h"

#include <QCoreApplication>
#include <algorithm>
#include <cmath>

namespace retort {

namespace {

constexpr double kWindowMs = 30'000;
constexpr double kLeastMs = 3'000;

QString spoken(double seconds)
{
    const auto whole = static_cast<std::int64_t>(std::ceil(seconds));
    if (whole < 60) {
        return QCoreApplication::translate("time_left", "%1 s").arg(whole);
    }
    if (whole < 3600) {
        return QCoreApplication::translate("time_left", "%1 min %2 s").arg(whole / 60).arg(whole % 60 / 10 * 10);
    }
    return QCoreApplication::translate("time_left", "%1 h %2 min").arg(whole / 3600).arg(whole % 3600 / 60);
}

} // namespace

QString time_left(const std::vector<MetricPoint>& metrics, std::int64_t total_steps)
{
    if (metrics.size() < 4 || metrics.back().active_ms < kLeastMs) {
        return {};
    }
    const MetricPoint& last = metrics.back();
    auto first = metrics.end() - 1;
    while (first != metrics.begin() && last.active_ms - std::prev(first)->active_ms < kWindowMs && std::prev(first)->segment == last.segment) {
        --first;
    }
    const auto steps = static_cast<double>(last.step - first->step);
    if (steps < 3) {
        return {};
    }
    const double mean = (last.active_ms - first->active_ms) / steps;
    double variance = 0;
    for (auto point = first + 1; point != metrics.end(); ++point) {
        const double each = point->active_ms - std::prev(point)->active_ms;
        variance += (each - mean) * (each - mean);
    }
    const auto remaining = static_cast<double>(std::max<std::int64_t>(0, total_steps - last.step - 1));
    // Two standard errors of the mean step, and never narrower than a tenth: evaluations and checkpoints are still to come.
    const double doubt = std::max(2.0 * std::sqrt(variance / (steps - 1) / steps), 0.05 * mean);
    const double low = remaining * std::max(0.0, mean - doubt) / 1000.0;
    const double high = remaining * (mean + doubt) / 1000.0;
    if (remaining == 0) {
        return {};
    }
    const QString from = spoken(low);
    const QString to = spoken(high);
    return from == to ? from : from + QStringLiteral(" – ") + to;
}

} // namespace retort
