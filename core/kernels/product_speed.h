#pragma once

namespace retort {

/// Matrix products as training has them (LibTorch's, shared out among the team), in thousand million multiply-adds times two per second (GFLOP/s, or
/// GOP/s for int8): the best of a few of 1024 x 1024 x 1024. Takes about a quarter of a second. 0 where LibTorch has no such product for this
/// processor.
struct ProductSpeed {
    double fp32 = 0;
    double bf16 = 0;
    double int8 = 0;
};
[[nodiscard]] ProductSpeed measure_product_speed();

} // namespace retort
