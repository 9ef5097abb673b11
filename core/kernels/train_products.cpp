#include "core/kernels/train_products.h"

#include "core/kernels/team.h"
#include "core/kernels/train_layers.h"

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/mm.h>
#include <algorithm>

namespace retort {
namespace {

at::Tensor matrix(const float* data, std::int64_t rows, std::int64_t columns)
{
    return at::from_blob(const_cast<float*>(data), {rows, columns}, at::kFloat);
}

at::Tensor matrix(const BFloat16* data, std::int64_t rows, std::int64_t columns)
{
    return at::from_blob(const_cast<BFloat16*>(data), {rows, columns}, at::kBFloat16);
}

/// product(result, a, b) for every block of `result` (rows, columns), a's rows and b's columns: some of the longer side of the result, whole in the
/// other. A block is large enough that packing the side which all blocks share costs a few per cent.
template <class Product>
void for_blocks(const at::Tensor& result, const at::Tensor& a, const at::Tensor& b, Product&& product)
{
    constexpr std::int64_t kLeast = 128;
    constexpr std::int64_t kMost = 512;
    const std::int64_t side = result.size(0) >= result.size(1) ? 0 : 1;
    const std::int64_t length = result.size(side);
    const std::int64_t blocks = std::max<std::int64_t>(1, length / std::clamp(length / 8, kLeast, kMost));
    for_chunks(blocks, [&](std::int64_t block, int) {
        const at::NoGradGuard no_graph;
        keep_libtorch_to_this_thread();
        const ItemRange range = share_of(length, 16, block, blocks);
        const std::int64_t size = range.end - range.begin;
        at::Tensor part = result.narrow(side, range.begin, size);
        product(part, side == 0 ? a.narrow(0, range.begin, size) : a, side == 1 ? b.narrow(1, range.begin, size) : b);
    });
}

void multiply(const at::Tensor& result, const at::Tensor& a, const at::Tensor& b)
{
    for_blocks(result, a, b, [](at::Tensor& part, const at::Tensor& left, const at::Tensor& right) { at::mm_out(part, left, right); });
}

template <class Act>
void apply_weight_of(const Act* x, const Act* weight, Act* out, std::int64_t rows, std::int64_t outputs, std::int64_t inputs)
{
    multiply(matrix(out, rows, outputs), matrix(x, rows, inputs), matrix(weight, outputs, inputs).t());
}

template <class Act>
void input_gradient_of(const Act* gradient, const Act* weight, Act* x_gradient, std::int64_t rows, std::int64_t outputs, std::int64_t inputs)
{
    multiply(matrix(x_gradient, rows, inputs), matrix(gradient, rows, outputs), matrix(weight, outputs, inputs));
}

} // namespace

void keep_libtorch_to_this_thread()
{
    thread_local const bool kept = [] {
        at::set_num_threads(1); // of this thread, in OpenMP and in MKL
        return true;
    }();
    static_cast<void>(kept);
}

void apply_weight(const float* x, const float* weight, float* out, std::int64_t rows, std::int64_t outputs, std::int64_t inputs)
{
    apply_weight_of(x, weight, out, rows, outputs, inputs);
}

void apply_weight(const BFloat16* x, const BFloat16* weight, BFloat16* out, std::int64_t rows, std::int64_t outputs, std::int64_t inputs)
{
    apply_weight_of(x, weight, out, rows, outputs, inputs);
}

void input_gradient(const float* gradient, const float* weight, float* x_gradient, std::int64_t rows, std::int64_t outputs, std::int64_t inputs)
{
    input_gradient_of(gradient, weight, x_gradient, rows, outputs, inputs);
}

void input_gradient(const BFloat16* gradient, const BFloat16* weight, BFloat16* x_gradient, std::int64_t rows, std::int64_t outputs,
                    std::int64_t inputs)
{
    input_gradient_of(gradient, weight, x_gradient, rows, outputs, inputs);
}

void add_weight_gradient(const float* gradient, const float* x, float* weight_gradient, float* /*scratch*/, std::int64_t rows, std::int64_t outputs,
                         std::int64_t inputs)
{
    const at::Tensor result = matrix(weight_gradient, outputs, inputs);
    for_blocks(result, matrix(gradient, rows, outputs).t(), matrix(x, rows, inputs),
               [](at::Tensor& part, const at::Tensor& left, const at::Tensor& right) { at::addmm_out(part, part, left, right); });
}

void add_weight_gradient(const BFloat16* gradient, const BFloat16* x, float* weight_gradient, BFloat16* scratch, std::int64_t rows,
                         std::int64_t outputs, std::int64_t inputs)
{
    multiply(matrix(scratch, outputs, inputs), matrix(gradient, rows, outputs).t(), matrix(x, rows, inputs));
    add_to({scratch, static_cast<std::size_t>(outputs * inputs)}, weight_gradient);
}

} // namespace retort
