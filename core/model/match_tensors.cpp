// From the names in a model's files to the weights of its shape.
#include "core/base/text_format.h"
#include "core/model/checkpoint.h"
#include "core/model/quant_format.h"
#include "core/model/weight_import.h"

#include <algorithm>
#include <array>
#include <set>
#include <tuple>

namespace retort {

namespace {

/// A file's tensor with what its name means.
struct Meant {
    FoundTensor found;
    RecognisedTensor tensor;

    [[nodiscard]] bool is(Part part) const { return tensor.rule->parts.front() == part && !tensor.bias; }
};

/// What is put before the names when a model is saved from inside something: DataParallel, torch.compile, PEFT, a model that also sees.
std::string_view without_wrappers(std::string_view name, std::string_view prefix)
{
    constexpr std::array<std::string_view, 5> kWrappers = {"module.", "_orig_mod.", "base_model.model.", "language_model.", "model.language_model."};
    for (bool stripped = true; stripped;) {
        stripped = false;
        for (const std::string_view wrapper : kWrappers) {
            if (name.starts_with(wrapper)) {
                name.remove_prefix(wrapper.size());
                stripped = true;
            }
        }
    }
    while (!prefix.empty() && !name.starts_with(prefix)) { // "decoder.layers..." lacks the first half of "model.decoder."
        prefix.remove_prefix(prefix.find('.') + 1);
    }
    return name.substr(prefix.size());
}

/// The biases that the weights hold are there, whatever a description says or leaves out. Whether one was not announced.
bool adopt_bias(const RecognisedTensor& tensor, DecoderShape& shape)
{
    bool* announced = nullptr;
    switch (tensor.rule->parts.front()) {
    case Part::Query:
    case Part::Key:
    case Part::Value:
        announced = &shape.attention.bias;
        break;
    case Part::Output:
        announced = &shape.attention.output_bias;
        break;
    case Part::Gate:
    case Part::Up:
        announced = &shape.feed_forward.bias;
        break;
    case Part::Down:
        announced = &shape.feed_forward.down_bias;
        break;
    case Part::Head:
        announced = &shape.head_bias;
        break;
    default:
        return false;
    }
    return !std::exchange(*announced, true);
}

constexpr TensorRule kHeadAsEmbedding("lm_head", Part::Embedding);

/// Whether the head is the embedding is told by the weights; a description that says otherwise is worth a word.
void decide_tying(std::vector<Meant>& meant, const Naming& naming, DecoderShape& shape, LoadReport& report)
{
    const auto head = std::ranges::find_if(meant, [](const Meant& item) { return item.is(Part::Head); });
    const bool has_embedding = std::ranges::any_of(meant, [](const Meant& item) { return item.is(Part::Embedding); });
    if (head != meant.end() && !has_embedding && naming.says_tied != false) { // the shared matrix, stored under the head's name
        head->tensor.rule = &kHeadAsEmbedding;
        shape.tied = true;
        return;
    }
    if (head == meant.end() && naming.says_tied == false) {
        report.missing.push_back(weight_name(Part::Head));
        report.doubts.push_back(naming.described_by +
                                " says that the output head is a weight of its own, but the weights hold none; the embedding is used.");
    } else if (head != meant.end() && naming.says_tied == true) {
        report.doubts.push_back(naming.described_by +
                                " says that the output head is the embedding, but the weights hold a head of its own; that one is used.");
    }
    shape.tied = head == meant.end();
}

using SlotKey = std::tuple<std::int64_t, Part, bool>;

/// The slots of a shape, each to be filled once.
class Slots {
public:
    explicit Slots(const DecoderShape& shape)
    {
        for (WeightSlot& slot : weight_table(shape)) {
            m_slots.emplace(SlotKey(slot.layer, slot.part, slot.bias), std::move(slot));
        }
    }

    /// The slots of a tensor; empty when the shape has not all of them.
    [[nodiscard]] std::vector<WeightSlot> of(const RecognisedTensor& tensor) const
    {
        std::vector<WeightSlot> slots;
        for (std::size_t i = 0; i < tensor.rule->count; ++i) {
            const auto found = m_slots.find(SlotKey(tensor.layer, tensor.rule->parts[i], tensor.bias));
            if (found == m_slots.end()) {
                return {};
            }
            slots.push_back(found->second);
        }
        return slots;
    }
    /// False when one of them is filled already.
    [[nodiscard]] bool fill(const std::vector<WeightSlot>& slots)
    {
        return std::ranges::all_of(slots, [this](const WeightSlot& slot) { return m_filled.insert(slot.name).second; });
    }
    [[nodiscard]] const WeightSlot* first_missing() const
    {
        const auto found = std::ranges::find_if(m_slots, [this](const auto& item) { return !m_filled.contains(item.second.name); });
        return found == m_slots.end() ? nullptr : &found->second;
    }

private:
    std::map<SlotKey, WeightSlot> m_slots;
    std::set<std::string> m_filled;
};

std::int64_t heads_of(const DecoderShape& shape, const TensorRule& rule)
{
    return rule.import == Import::Interleaved && rule.parts.front() == Part::Key ? shape.kv_heads : shape.heads;
}

Result<void> check_tensor(const TensorPlace& place, const Naming& naming, const std::string& origin)
{
    const TensorEntry& entry = place.entry;
    if (const auto expected = imported_shape(place.slots, place.import); entry.shape != expected) {
        return failure(Error::Kind::Mismatch, origin + ": " + quoted_tensor(entry.name) + " has shape " + shape_text(entry.shape) + "; " +
                                                  naming.described_by + " asks for " + shape_text(expected) +
                                                  ". The two belong to different models.");
    }
    if (!entry.dtype) {
        return failure(Error::Kind::BadFile, origin + ": " + quoted_tensor(entry.name) + " is stored as " + entry.type_name + "; " +
                                                 readable_types() + " can be read. Convert the file to one of them.");
    }
    const bool blocks = block_values(*entry.dtype) > 1;
    if (blocks && (place.import == Import::Transposed || (entry.shape.size() < 2 && place.slots.size() > 1))) {
        return failure(Error::Kind::BadFile, origin + ": " + quoted_tensor(entry.name) + " is stored as " + entry.type_name +
                                                 ", whose blocks cannot be taken apart here. Convert the file to F32, F16 or BF16.");
    }
    return {};
}

/// What the files call a weight that they lack.
Error missing_weight(const WeightSlot& slot, const DecoderShape& shape, const Naming& naming, const std::string& origin)
{
    std::string name = slot.name;
    std::vector<std::int64_t> size = slot.shape;
    for (const TensorRule& rule : naming.rules) {
        const std::span<const Part> parts = std::span(rule.parts).first(rule.count);
        if (std::ranges::find(parts, slot.part) != parts.end()) {
            name = std::string(slot.part == Part::Head ? std::string_view() : naming.prefix) + tensor_name(rule, slot.layer, slot.bias);
            if (const auto slots = Slots(shape).of({&rule, slot.bias, slot.layer}); !slots.empty()) {
                size = imported_shape(slots, rule.import);
            }
            break;
        }
    }
    return Error{Error::Kind::BadFile,
                 origin + ": " + quoted_tensor(name) + " of shape " + shape_text(size) +
                     " is missing. The file is incomplete or belongs to another model than " + naming.described_by + ".",
                 {}};
}

/// A tensor that no weight of the shape is made of: left aside, unless it is one of a layer's own.
Result<void> leave_aside(const std::string& name, std::string_view bare, const Naming& naming, const DecoderShape& shape, const std::string& origin,
                         LoadReport& report)
{
    if (std::ranges::any_of(naming.buffers, [bare](std::string_view ending) { return bare.ends_with(ending); })) {
        return {};
    }
    const auto layer = layer_by_rules(bare, naming.rules);
    if (layer && *layer < shape.layers) {
        return failure(Error::Kind::Mismatch, origin + ": " + quoted_tensor(name) + " is part of a layer, but a " + shape.family +
                                                  " model as it is known here has no use for it; without it the answers would be others.");
    }
    report.ignored.push_back(name);
    return {};
}

/// The type that most of the values are stored in.
std::string main_type(const Checkpoint& checkpoint)
{
    std::map<std::string, std::uint64_t> values;
    for (const TensorPlace& place : checkpoint.tensors) {
        values[place.entry.type_name] += checked_values(place.entry.shape).value_or(0);
    }
    const auto most = std::ranges::max_element(values, {}, [](const auto& item) { return item.second; });
    return most == values.end() ? std::string() : most->first;
}

/// What a tensor takes when it is laid out; a matrix is filled up to whole groups.
std::uint64_t packed_bytes(const TensorEntry& entry)
{
    if (entry.shape.size() < 2) {
        return checked_values(entry.shape).value_or(0) * sizeof(float);
    }
    const std::int64_t rows = padded_rows(entry.shape.front());
    return static_cast<std::uint64_t>(rows / kGroupRows) * group_bytes(packed_format(*entry.dtype), padded_columns(entry.shape.back()));
}

void describe(Checkpoint& checkpoint)
{
    ModelInfo& info = checkpoint.info;
    info.dtype = main_type(checkpoint);
    info.parameters = info.spec.parameters();
    info.report.used = checkpoint.tensors.size();
    for (const InputFile& file : checkpoint.files) {
        info.file_bytes += file.size();
    }
    for (const TensorPlace& place : checkpoint.tensors) {
        info.weight_bytes += packed_bytes(place.entry);
        if (place.import != Import::Rows) {
            info.report.converted.push_back(place.entry.name);
        }
    }
}

} // namespace

Result<void> match_tensors(Checkpoint& checkpoint, std::vector<FoundTensor> found, const Naming& naming, const std::string& origin)
{
    DecoderShape& shape = checkpoint.info.spec;
    LoadReport& report = checkpoint.info.report;
    std::vector<Meant> meant;
    std::vector<std::string> unknown;
    bool unannounced = false;
    for (FoundTensor& tensor : found) {
        if (const auto recognised = recognise(without_wrappers(tensor.entry.name, naming.prefix), naming.rules)) {
            unannounced = (recognised->bias && adopt_bias(*recognised, shape)) || unannounced;
            meant.push_back({std::move(tensor), *recognised});
        } else {
            unknown.push_back(tensor.entry.name);
        }
    }
    if (unannounced && naming.says_biases) {
        report.doubts.push_back("The weights hold biases that " + naming.described_by + " does not announce; they are used.");
    }
    decide_tying(meant, naming, shape, report);
    if (auto sane = check(shape, naming.says_biases ? naming.described_by : origin); !sane) {
        return sane;
    }
    Slots slots(shape);
    for (Meant& item : meant) {
        TensorPlace place{.file = item.found.file,
                          .entry = std::move(item.found.entry),
                          .import = item.tensor.bias && item.tensor.rule->import == Import::PlusOne ? Import::Rows : item.tensor.rule->import,
                          .heads = heads_of(shape, *item.tensor.rule),
                          .slots = slots.of(item.tensor)};
        if (place.slots.empty()) {
            unknown.push_back(place.entry.name);
            continue;
        }
        if (auto checked = check_tensor(place, naming, origin); !checked) {
            return checked;
        }
        if (!slots.fill(place.slots)) {
            return failure(Error::Kind::BadFile, origin + ": " + quoted_tensor(place.entry.name) +
                                                     " comes twice under two names. Remove what does not belong to the model.");
        }
        checkpoint.tensors.push_back(std::move(place));
    }
    if (const WeightSlot* missing = slots.first_missing()) {
        return failure(missing_weight(*missing, shape, naming, origin));
    }
    for (const std::string& name : unknown) {
        if (auto left = leave_aside(name, without_wrappers(name, naming.prefix), naming, shape, origin, report); !left) {
            return left;
        }
    }
    describe(checkpoint);
    return {};
}

} // namespace retort
