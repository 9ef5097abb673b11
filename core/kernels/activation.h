#pragma once

namespace retort {

/// What a feed-forward bends its values with: silu(z) = z / (1 + exp(-z)); gelu(z) = z P(Z <= z), by the error function or by its tanh approximation
/// (Hendrycks, Gimpel 2016); max(z, 0).
enum class Activation { Silu, Gelu, GeluTanh, Relu };

} // namespace retort
