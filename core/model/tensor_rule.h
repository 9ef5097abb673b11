#pragma once
#include "core/model/weight_table.h"

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace retort {

/// How the numbers of a file's tensor become those of one or several weights.
enum class Import {
    Rows,        ///< as they are; the rows of several parts follow one another
    Transposed,  ///< (inputs, outputs), as GPT-2 keeps its matrices; biases as Rows
    HeadRows,    ///< for each head its rows of q, of k and of v, as GPT-NeoX keeps them
    Interleaved, ///< rows of each head in the order of interleaved RoPE, as llama.cpp keeps q and k of some families
    PlusOne,     ///< a norm's gain that is kept less one, as Gemma keeps it
};

/// What a family's files call a tensor, without the family's prefix and the ending ".weight" or ".bias"; "N" stands for a layer's number. In
/// the order in which Rows follow one another.
struct TensorRule {
    std::string_view name;
    std::array<Part, 3> parts{};
    std::size_t count = 1;
    Import import = Import::Rows;

    constexpr TensorRule(std::string_view called, Part part, Import how = Import::Rows) : name(called), parts{part}, import(how) {}
    constexpr TensorRule(std::string_view called, Part first, Part second) : name(called), parts{first, second}, count(2) {}
    constexpr TensorRule(std::string_view called, Part first, Part second, Part third, Import how = Import::Rows)
        : name(called), parts{first, second, third}, count(3), import(how)
    {
    }
};

/// A tensor that a rule recognised.
struct RecognisedTensor {
    const TensorRule* rule = nullptr;
    bool bias = false;
    std::int64_t layer = -1;
};

/// `name`, without its family's prefix, by the rules; empty when no rule has it.
[[nodiscard]] std::optional<RecognisedTensor> recognise(std::string_view name, std::span<const TensorRule> rules);

/// Whether a name that no rule has would be inside a layer by these rules: "layers.3.self_attn.sinks". The layer's number, or empty.
[[nodiscard]] std::optional<std::int64_t> layer_by_rules(std::string_view name, std::span<const TensorRule> rules);

/// What a rule calls a tensor of `layer`: the inverse of recognise().
[[nodiscard]] std::string tensor_name(const TensorRule& rule, std::int64_t layer, bool bias);

} // namespace retort
