#pragma once

namespace retort {

/// How many threads the arithmetic of this process uses, in LibTorch and in the kernels here. To be called on the thread that computes, before it
/// does. Without a call it is as many as there are processors.
void use_threads(int count);
[[nodiscard]] int threads_in_use();

} // namespace retort
