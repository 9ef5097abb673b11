#include "core/kernels/product_speed.h"

#include "core/kernels/aligned_buffer.h"
#include "core/kernels/team.h"
#include "core/kernels/train_products.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/_int_mm.h>
#include <ATen/ops/ones.h>
#include <algorithm>
#include <chrono>
#include <exception>

namespace retort {

namespace {

constexpr std::int64_t kSize = 1024;

template <class Product>
double speed_of(const Product& product)
{
    try {
        double best = 1e9;
        for (int i = 0; i < 4; ++i) { // the first one also sets the library up
            const auto begin = std::chrono::steady_clock::now();
            product();
            best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
        }
        return 2e-9 * static_cast<double>(kSize * kSize * kSize) / best;
    } catch (const std::exception&) {
        return 0.0; // not every processor has every product, which is what is asked here
    }
}

template <class Act>
double dense_speed()
{
    const AlignedBuffer<Act> x(kSize * kSize);
    const AlignedBuffer<Act> weight(kSize * kSize);
    AlignedBuffer<Act> out(kSize * kSize);
    return speed_of([&] { apply_weight(x.data(), weight.data(), out.data(), kSize, kSize, kSize); });
}

double int8_speed()
{
    constexpr std::int64_t kRows = 128; // of a member's product
    const at::Tensor a = at::ones({kSize, kSize}, at::kChar);
    return speed_of([&a] {
        for_chunks(kSize / kRows, [&a](std::int64_t chunk, int) {
            keep_libtorch_to_this_thread();
            static_cast<void>(at::_int_mm(a.narrow(0, chunk * kRows, kRows), a));
        });
    });
}

} // namespace

ProductSpeed measure_product_speed()
{
    return {dense_speed<float>(), dense_speed<BFloat16>(), int8_speed()};
}

} // namespace retort
