#include "core/model/safetensors.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace retort {

namespace {

bool is_plain(DType dtype)
{
    return block_values(dtype) == 1;
}

/// Larger numbers first, so that every tensor is aligned to its own; then by name, so that equal weights give equal files.
std::vector<const WeightSet::value_type*> in_file_order(const WeightSet& tensors)
{
    std::vector<const WeightSet::value_type*> order;
    for (const auto& tensor : tensors) {
        order.push_back(&tensor);
    }
    const auto size_of_one = [](const WeightSet::value_type* tensor) { return block_bytes(tensor->second.dtype); };
    std::ranges::stable_sort(order, std::ranges::greater(), size_of_one);
    return order;
}

std::string header_text(const std::vector<const WeightSet::value_type*>& order, const std::map<std::string, std::string>& metadata)
{
    nlohmann::ordered_json header = nlohmann::ordered_json::object();
    if (!metadata.empty()) {
        header["__metadata__"] = metadata;
    }
    std::uint64_t offset = 0;
    for (const auto* tensor : order) {
        const Weight& weight = tensor->second;
        const std::uint64_t end = offset + weight.bytes.size();
        header[tensor->first] = {{"dtype", name_of(weight.dtype)}, {"shape", weight.shape}, {"data_offsets", {offset, end}}};
        offset = end;
    }
    std::string text = header.dump();
    text.resize((text.size() + 7) / 8 * 8, ' ');
    return text;
}

} // namespace

Result<AtomicFile> prepare_safetensors(const std::filesystem::path& path, const WeightSet& tensors,
                                       const std::map<std::string, std::string>& metadata, const Progress& progress)
{
    for (const auto& [name, weight] : tensors) {
        if (!is_plain(weight.dtype)) {
            return failure(Error::Kind::Usage, quoted_tensor(name) + " is stored as " + std::string(name_of(weight.dtype)) +
                                                   "; a safetensors file takes F32, F16 and BF16. Decode it first.");
        }
    }
    auto file = AtomicFile::create(path);
    if (!file) {
        return file;
    }
    const auto order = in_file_order(tensors);
    const std::string header = header_text(order, metadata);
    const std::uint64_t length = header.size();
    if (auto written = file->write(std::as_bytes(std::span(&length, 1))); !written) {
        return failure(std::move(written.error()));
    }
    if (auto written = file->write(header); !written) {
        return failure(std::move(written.error()));
    }
    std::size_t done = 0;
    for (const auto* tensor : order) {
        if (progress.cancelled()) {
            return cancelled();
        }
        if (auto written = file->write(tensor->second.bytes); !written) {
            return failure(std::move(written.error()));
        }
        progress.at("Writing the weights", static_cast<double>(++done) / static_cast<double>(order.size()));
    }
    return file;
}

Result<void> write_safetensors(const std::filesystem::path& path, const WeightSet& tensors, const std::map<std::string, std::string>& metadata,
                               const Progress& progress)
{
    return prepare_safetensors(path, tensors, metadata, progress).and_then([](AtomicFile file) { return file.commit(); });
}

} // namespace retort
