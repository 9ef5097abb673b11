#include "core/model/tensor_entry.h"

#include "core/base/text_format.h"

namespace retort {

std::optional<std::uint64_t> checked_values(const std::vector<std::int64_t>& shape)
{
    std::int64_t product = 1;
    for (const std::int64_t dimension : shape) {
        if (dimension < 0 || __builtin_mul_overflow(product, dimension, &product)) {
            return std::nullopt;
        }
    }
    return static_cast<std::uint64_t>(product);
}

std::string shape_text(const std::vector<std::int64_t>& shape)
{
    std::string text = "(";
    for (const std::int64_t dimension : shape) {
        text += (text.size() > 1 ? ", " : "") + std::to_string(dimension);
    }
    return text + ")";
}

std::string quoted_tensor(const std::string& name)
{
    return "tensor \"" + printable(name) + "\"";
}

} // namespace retort
