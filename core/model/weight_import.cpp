#include "core/model/weight_import.h"

#include "core/model/family.h"

#include <algorithm>
#include <cstring>

namespace retort {

namespace {

/// Bytes of one row of a matrix; of a vector every number is a row.
std::size_t row_bytes(const Weight& weight)
{
    const std::int64_t columns = weight.shape.size() > 1 ? weight.columns() : 1;
    return static_cast<std::size_t>(bytes_for(weight.dtype, static_cast<std::uint64_t>(columns)));
}

std::int64_t row_count(const std::vector<std::int64_t>& shape)
{
    return shape.front();
}

Weight with_memory(const Weight& like, std::vector<std::int64_t> shape, std::size_t bytes, std::byte*& place)
{
    auto memory = allocate_weight(bytes);
    place = memory.get();
    return {.dtype = like.dtype, .shape = std::move(shape), .owner = std::move(memory), .bytes = {place, bytes}};
}

/// A weight whose row i is row from(i) of `tensor`.
template <class From>
Weight gathered(const Weight& tensor, std::vector<std::int64_t> shape, From&& from)
{
    const std::size_t row = row_bytes(tensor);
    const std::int64_t rows = row_count(shape);
    std::byte* place = nullptr;
    Weight weight = with_memory(tensor, std::move(shape), static_cast<std::size_t>(rows) * row, place);
    for (std::int64_t i = 0; i < rows; ++i) {
        std::memcpy(place + static_cast<std::size_t>(i) * row, tensor.bytes.data() + static_cast<std::size_t>(from(i)) * row, row);
    }
    return weight;
}

Weight rows_of(const Weight& tensor, std::int64_t first, std::vector<std::int64_t> shape)
{
    const std::size_t row = row_bytes(tensor);
    const auto bytes = tensor.bytes.subspan(static_cast<std::size_t>(first) * row, static_cast<std::size_t>(row_count(shape)) * row);
    return {.dtype = tensor.dtype, .shape = std::move(shape), .owner = tensor.owner, .bytes = bytes};
}

Weight transposed(const Weight& tensor)
{
    const std::size_t size = block_bytes(tensor.dtype);
    const auto rows = static_cast<std::size_t>(tensor.shape[0]);
    const auto columns = static_cast<std::size_t>(tensor.shape[1]);
    std::byte* place = nullptr;
    Weight weight = with_memory(tensor, {tensor.shape[1], tensor.shape[0]}, rows * columns * size, place);
    for (std::size_t row = 0; row < rows; ++row) {
        for (std::size_t column = 0; column < columns; ++column) {
            std::memcpy(place + (column * rows + row) * size, tensor.bytes.data() + (row * columns + column) * size, size);
        }
    }
    return weight;
}

Weight shifted(const Weight& weight, float by)
{
    std::vector<float> values = decoded(weight);
    for (float& value : values) {
        value += by;
    }
    return weight_from_floats(weight.shape, values);
}

std::vector<Weight> split_rows(const Weight& tensor, const std::vector<WeightSlot>& slots)
{
    std::vector<Weight> weights;
    std::int64_t first = 0;
    for (const WeightSlot& slot : slots) {
        weights.push_back(rows_of(tensor, first, slot.shape));
        first += row_count(slot.shape);
    }
    return weights;
}

/// Where row `row` of part `part` lies when each head has its rows of every part together.
std::int64_t place_in_heads(std::int64_t row, std::int64_t part, std::int64_t parts, std::int64_t head_rows)
{
    return (row / head_rows * parts + part) * head_rows + row % head_rows;
}

/// Within a head, llama.cpp's converter stores half-split rows 0, d/2, 1, d/2 + 1, ... (conversion/llama.py, permute).
std::int64_t place_interleaved(std::int64_t row, std::int64_t head_rows)
{
    const std::int64_t within = row % head_rows;
    const std::int64_t half = within / (head_rows / 2);
    return row - within + 2 * (within % (head_rows / 2)) + half;
}

} // namespace

std::vector<std::int64_t> imported_shape(const std::vector<WeightSlot>& slots, Import import)
{
    std::vector<std::int64_t> shape = slots.front().shape;
    for (std::size_t i = 1; i < slots.size(); ++i) {
        shape.front() += slots[i].shape.front();
    }
    if (import == Import::Transposed && shape.size() == 2) {
        std::swap(shape[0], shape[1]);
    }
    return shape;
}

std::vector<Weight> import_weights(const Weight& tensor, const std::vector<WeightSlot>& slots, Import import, std::int64_t heads)
{
    switch (import) {
    case Import::Rows:
        break;
    case Import::Transposed:
        if (tensor.shape.size() == 2) {
            return split_rows(transposed(tensor), slots);
        }
        break;
    case Import::HeadRows: {
        std::vector<Weight> weights;
        const auto parts = static_cast<std::int64_t>(slots.size());
        for (std::int64_t part = 0; part < parts; ++part) {
            const auto& shape = slots[static_cast<std::size_t>(part)].shape;
            const std::int64_t head_rows = row_count(shape) / heads;
            weights.push_back(gathered(tensor, shape, [&](std::int64_t row) { return place_in_heads(row, part, parts, head_rows); }));
        }
        return weights;
    }
    case Import::Interleaved: {
        const std::int64_t head_rows = row_count(tensor.shape) / heads;
        return {gathered(tensor, slots.front().shape, [head_rows](std::int64_t row) { return place_interleaved(row, head_rows); })};
    }
    case Import::PlusOne:
        return {shifted(tensor, 1.0f)};
    }
    return split_rows(tensor, slots);
}

Weight export_tensor(const std::vector<Weight>& parts, const std::vector<WeightSlot>& slots, Import import, std::int64_t heads)
{
    if (import == Import::PlusOne) {
        return shifted(parts.front(), -1.0f);
    }
    if (import == Import::Rows && parts.size() == 1) {
        return parts.front();
    }
    std::int64_t rows = 0;
    for (const WeightSlot& slot : slots) {
        rows += row_count(slot.shape);
    }
    std::vector<std::int64_t> shape = slots.front().shape;
    shape.front() = rows;
    const std::size_t row = row_bytes(parts.front());
    std::byte* place = nullptr;
    Weight tensor = with_memory(parts.front(), shape, static_cast<std::size_t>(rows) * row, place);
    std::int64_t done = 0;
    for (std::size_t part = 0; part < parts.size(); ++part) {
        const std::int64_t own = row_count(slots[part].shape);
        for (std::int64_t i = 0; i < own; ++i) {
            std::int64_t to = done + i;
            if (import == Import::HeadRows) {
                to = place_in_heads(i, static_cast<std::int64_t>(part), static_cast<std::int64_t>(parts.size()), own / heads);
            } else if (import == Import::Interleaved) {
                to = place_interleaved(i, own / heads);
            }
            std::memcpy(place + static_cast<std::size_t>(to) * row, parts[part].bytes.data() + static_cast<std::size_t>(i) * row, row);
        }
        done += own;
    }
    return import == Import::Transposed && shape.size() == 2 ? transposed(tensor) : tensor;
}

WeightSet family_tensors(const DecoderShape& spec, const WeightSet& weights)
{
    const Family* family = family_of_model_type(spec.family);
    if (family == nullptr) {
        return weights;
    }
    std::map<std::pair<Part, bool>, std::vector<WeightSlot>> by_part;
    for (const WeightSlot& slot : weight_table(spec)) {
        by_part[{slot.part, slot.bias}].push_back(slot); // of all layers, in order
    }
    WeightSet tensors;
    for (const TensorRule& rule : family->tensors) {
        for (const bool bias : {false, true}) {
            for (std::size_t i = 0; i < by_part[{rule.parts.front(), bias}].size(); ++i) {
                std::vector<Weight> parts;
                std::vector<WeightSlot> slots;
                for (std::size_t part = 0; part < rule.count; ++part) {
                    slots.push_back(by_part[{rule.parts[part], bias}].at(i));
                    parts.push_back(weights.find(slots.back().name)->second);
                }
                const std::string prefix(rule.parts.front() == Part::Head ? std::string_view() : family->prefix);
                tensors.emplace(prefix + tensor_name(rule, slots.front().layer, bias),
                                export_tensor(parts, slots, bias && rule.import == Import::PlusOne ? Import::Rows : rule.import, spec.heads));
            }
        }
    }
    return tensors;
}

} // namespace retort
