#pragma once
#include "core/base/error.h"
#include "core/kernels/train_types.h"
#include "core/model/decoder_shape.h"
#include "core/model/parameter_layout.h"
#include "core/model/weights.h"

#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace retort {

/// A net that learns, or that teaches: forward and backward over whole batches, written by hand for the llama shape, with parameters, gradients and
/// their bfloat16 copies in one flat buffer each. The Net of inference is laid out for speed of single sequences; this one for products of whole
/// batches.
///
/// A step's order: forward(), pick() the rows whose prediction counts, then for chunks of them logits(), a loss that leaves its gradient in place of
/// the logits, head_backward(); at last backward(). A (batch, time, vocabulary) array never exists. One thread at a time; products and kernels inside
/// use all cores. May throw std::bad_alloc or what LibTorch throws.
class TrainableNet {
public:
    /// Fp32: float throughout. Bf16: activations and the products' operands rounded to bfloat16, sums and parameters in float.
    enum class Precision { Fp32, Bf16 };
    /// Teacher: forward only, weights frozen (and kept only in bfloat16 with Bf16), activations of one layer at a time.
    enum class Purpose { Training, Teacher };

    /// Checks that `weights` has every weight of `spec` in its shape; `origin` names the model in messages.
    [[nodiscard]] static Result<std::unique_ptr<TrainableNet>> create(const DecoderShape& spec, const WeightSet& weights, const std::string& origin,
                                                                      Precision precision, Purpose purpose);
    virtual ~TrainableNet() = default;

    [[nodiscard]] const DecoderShape& spec() const { return m_spec; }
    [[nodiscard]] const ParameterLayout& layout() const { return m_layout; }

    /// Hidden states of `ids` (sequences, length), each below spec().vocabulary.
    virtual void forward(std::span<const std::int32_t> ids, std::int64_t sequences, std::int64_t length) = 0;

    /// Takes the final hidden states of these rows (sequence x length + position), in this order, as what logits() counts from.
    virtual void pick(std::span<const std::int64_t> rows) = 0;

    /// Logits of picked rows, in memory of the net that the next call overwrites; in the type of the net's precision.
    struct Logits {
        float* fp32 = nullptr;    ///< (rows, vocabulary), or null
        BFloat16* bf16 = nullptr; ///< the same for Bf16
        std::int64_t rows = 0, vocabulary = 0;
    };
    /// Picked rows [first, first + count) over the first `vocabulary` pieces.
    [[nodiscard]] virtual Logits logits(std::int64_t first, std::int64_t count, std::int64_t vocabulary) = 0;

    // For Purpose::Training.
    /// The latest logits() memory now holds their gradient: adds the head's share to the gradients, keeps the hidden states'.
    virtual void head_backward(std::int64_t first, const Logits& gradient) = 0;
    /// From the hidden states' gradients (all picked rows went through head_backward) to all others.
    virtual void backward() = 0;

    [[nodiscard]] virtual std::span<float> parameters() = 0; ///< layout().total() numbers
    [[nodiscard]] virtual std::span<const float> parameters() const = 0;
    [[nodiscard]] virtual std::span<float> gradients() = 0; ///< the same
    /// The matrices' bfloat16 copies, to be written whenever parameters are: layout().total() - layout().vectors() numbers; empty with Fp32.
    [[nodiscard]] virtual std::span<BFloat16> rounded() = 0;

    /// The parameters as a model's weights, copied.
    [[nodiscard]] WeightSet weights() const;
    /// Takes over weights of the same shapes, rounding included.
    [[nodiscard]] virtual Result<void> load(const WeightSet& weights, const std::string& origin) = 0;

protected:
    explicit TrainableNet(const DecoderShape& spec) : m_spec(spec), m_layout(spec) {}

private:
    DecoderShape m_spec;
    ParameterLayout m_layout;
};

/// A failure that names what a model of this shape has beyond a llama, which is all that a TrainableNet can be so far, as teacher too.
[[nodiscard]] Result<void> check_trainable(const DecoderShape& spec, const std::string& origin);

} // namespace retort
