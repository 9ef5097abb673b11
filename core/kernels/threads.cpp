#include "core/kernels/threads.h"

#include <ATen/Parallel.h>

namespace retort {

void use_threads(int count)
{
    at::set_num_threads(count);
}

int threads_in_use()
{
    return at::get_num_threads();
}

} // namespace retort
