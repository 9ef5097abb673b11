// Which instruction sets the files that include Highway's foreach_target.h are compiled for. To be included before any header of Highway.
#pragma once

// SSE2 stands for every x86 without AVX2, AVX3 for every one with AVX-512: what lies between would cost compiling time for processors that nobody
// trains on. The kernels keep vectors in arrays, which types without a size (SVE, RVV) cannot be.
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_SSE4 | HWY_AVX3_DL | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
