#include "core/distil/precision.h"

#include "core/kernels/aligned_buffer.h"
#include "core/kernels/train_products.h"

#include <algorithm>
#include <chrono>

namespace retort {
namespace {

/// Seconds of the fastest of a few rounds of the three products that training has, in its sizes.
template <class Act>
double product_seconds()
{
    constexpr std::int64_t kRows = 512;
    constexpr std::int64_t kWidth = 256;
    const AlignedBuffer<Act> x(kRows * kWidth);
    const AlignedBuffer<Act> weight(kWidth * kWidth);
    AlignedBuffer<Act> out(kRows * kWidth);
    AlignedBuffer<float> weight_gradient(kWidth * kWidth);
    AlignedBuffer<Act> scratch(kWidth * kWidth);
    double best = 1e9;
    for (int i = 0; i < 10; ++i) {
        const auto begin = std::chrono::steady_clock::now();
        apply_weight(x.data(), weight.data(), out.data(), kRows, kWidth, kWidth);
        input_gradient(x.data(), weight.data(), out.data(), kRows, kWidth, kWidth);
        add_weight_gradient(x.data(), out.data(), weight_gradient.data(), scratch.data(), kRows, kWidth, kWidth);
        best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
    }
    return best;
}

} // namespace

TrainableNet::Precision decide_precision(const std::string& wanted)
{
    if (wanted == "fp32") {
        return TrainableNet::Precision::Fp32;
    }
    if (wanted == "bf16") {
        return TrainableNet::Precision::Bf16;
    }
    return product_seconds<BFloat16>() * 1.3 < product_seconds<float>() ? TrainableNet::Precision::Bf16 : TrainableNet::Precision::Fp32;
}

std::string name_of(TrainableNet::Precision precision)
{
    return precision == TrainableNet::Precision::Bf16 ? "bf16" : "fp32";
}

} // namespace retort
