#pragma once
#include "core/store/database.h"
#include "core/store/session.h"

#include <cstddef>
#include <vector>

namespace retort {

// A run's points, evaluations and probes, as named metrics. On the store's thread, in the caller's transaction.

void insert_segment(Database& database, RowId run, std::int64_t segment, std::int64_t from_step);
/// A segment that nobody announced begins with its first point.
void insert_metrics(Database& database, RowId run, const std::vector<MetricPoint>& points);
void insert_evaluations(Database& database, RowId run, const std::vector<EvaluationPoint>& points);
void insert_probes(Database& database, RowId run, const std::vector<ProbeSample>& samples);

/// Fills in metrics, evaluations and probes; see RunTable::read().
void read_curves(Database& database, StoredRun& run, std::size_t most_points);

} // namespace retort
