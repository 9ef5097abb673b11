#pragma once
#include "core/model/tensor_rule.h"
#include "core/model/weights.h"

#include <cstdint>
#include <vector>

namespace retort {

/// The shape that a file's tensor has which becomes `slots` by `import`; rows first, as a TensorEntry gives it.
[[nodiscard]] std::vector<std::int64_t> imported_shape(const std::vector<WeightSlot>& slots, Import import);

/// The weights of `slots` from a file's tensor of that shape. Rows share the tensor's memory. `heads`: how many the tensor's rows belong to, for
/// HeadRows (of all three parts together) and Interleaved. Quantised rows move whole; Transposed wants single numbers.
[[nodiscard]] std::vector<Weight> import_weights(const Weight& tensor, const std::vector<WeightSlot>& slots, Import import, std::int64_t heads);

/// The file's tensor of `parts`, which have one type: what import_weights() would take apart again.
[[nodiscard]] Weight export_tensor(const std::vector<Weight>& parts, const std::vector<WeightSlot>& slots, Import import, std::int64_t heads);

/// The weights of a model as its family's files name and keep them. Weights that share a tensor there must have one type.
[[nodiscard]] WeightSet family_tensors(const DecoderShape& spec, const WeightSet& weights);

} // namespace retort
