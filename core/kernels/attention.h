#pragma once
#include <cstdint>

namespace retort {

/// Attention of one query of one head over `length` positions: out = sum_p softmax_p(query . key_p) value_p; the query is scaled already. Scores go
/// through soft_cap() where `cap` is not 0.
/// Keys and values are (length, head_dim), rows one after another. `scores` has room for `length` floats. Any thread.
void attend(const float* query, const float* keys, const float* values, std::int64_t length, std::int64_t head_dim, float cap, float* scores,
            float* out);

} // namespace retort
