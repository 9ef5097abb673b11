#pragma once
#include "core/kernels/train_types.h"

#include <cstdint>

namespace retort {

// The dense products of training, by LibTorch (MKL in float32, oneDNN in bfloat16) into memory that exists already. Row-major, dense.
// The team's members each compute a block of the result by a product of one thread; blocks are cut by the shapes alone, so the bits do not depend on
// how many members there are.

/// out (rows, outputs) = x (rows, inputs) weight^T, weight (outputs, inputs)
void apply_weight(const float* x, const float* weight, float* out, std::int64_t rows, std::int64_t outputs, std::int64_t inputs);
void apply_weight(const BFloat16* x, const BFloat16* weight, BFloat16* out, std::int64_t rows, std::int64_t outputs, std::int64_t inputs);

/// x_gradient (rows, inputs) = gradient (rows, outputs) weight
void input_gradient(const float* gradient, const float* weight, float* x_gradient, std::int64_t rows, std::int64_t outputs, std::int64_t inputs);
void input_gradient(const BFloat16* gradient, const BFloat16* weight, BFloat16* x_gradient, std::int64_t rows, std::int64_t outputs,
                    std::int64_t inputs);

/// weight_gradient (outputs, inputs) += gradient^T x. The product itself goes through `scratch` (outputs x inputs) where Act is BFloat16.
void add_weight_gradient(const float* gradient, const float* x, float* weight_gradient, float* scratch, std::int64_t rows, std::int64_t outputs,
                         std::int64_t inputs);
void add_weight_gradient(const BFloat16* gradient, const BFloat16* x, float* weight_gradient, BFloat16* scratch, std::int64_t rows,
                         std::int64_t outputs, std::int64_t inputs);

/// LibTorch has no threads of its own in what the calling thread asks of it from here on: the team's are the only ones.
void keep_libtorch_to_this_thread();

} // namespace retort
