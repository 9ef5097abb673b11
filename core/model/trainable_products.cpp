#include "core/model/trainable_products.h"

#include "core/kernels/train_layers.h"

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/mm.h>

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

template <class Act>
void apply_weight_of(const Act* x, const Act* weight, Act* out, std::int64_t rows, std::int64_t outputs, std::int64_t inputs)
{
    const at::NoGradGuard no_graph;
    at::Tensor result = matrix(out, rows, outputs);
    at::mm_out(result, matrix(x, rows, inputs), matrix(weight, outputs, inputs).t());
}

template <class Act>
void input_gradient_of(const Act* gradient, const Act* weight, Act* x_gradient, std::int64_t rows, std::int64_t outputs, std::int64_t inputs)
{
    const at::NoGradGuard no_graph;
    at::Tensor result = matrix(x_gradient, rows, inputs);
    at::mm_out(result, matrix(gradient, rows, outputs), matrix(weight, outputs, inputs));
}

} // namespace

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
    const at::NoGradGuard no_graph;
    at::Tensor result = matrix(weight_gradient, outputs, inputs);
    at::addmm_out(result, result, matrix(gradient, rows, outputs).t(), matrix(x, rows, inputs));
}

void add_weight_gradient(const BFloat16* gradient, const BFloat16* x, float* weight_gradient, BFloat16* scratch, std::int64_t rows,
                         std::int64_t outputs, std::int64_t inputs)
{
    const at::NoGradGuard no_graph;
    at::Tensor result = matrix(scratch, outputs, inputs);
    at::mm_out(result, matrix(gradient, rows, outputs).t(), matrix(x, rows, inputs));
    add_to({scratch, static_cast<std::size_t>(outputs * inputs)}, weight_gradient);
}

} // namespace retort
