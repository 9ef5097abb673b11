#include "core/model/weights_reader.h"

#include "core/base/memory.h"
#include "core/base/text_format.h"
#include "core/model/quant_format.h"

#include <algorithm>

namespace retort {

namespace {

constexpr std::uint64_t kPiece = std::uint64_t{4} << 20;

Result<void> check_dtype(const TensorEntry& entry, const std::string& origin)
{
    if (!entry.dtype) {
        return failure(Error::Kind::BadFile, origin + ": " + quoted_tensor(entry.name) + " is stored as " + entry.type_name + "; " +
                                                 readable_types() + " can be read. Convert the file to one of them.");
    }
    return {};
}

} // namespace

Result<void> check_memory(std::uint64_t bytes, const std::string& what)
{
    const std::uint64_t available = available_memory();
    if (available != 0 && bytes > available) { // 0: the system does not say
        return failure(Error::Kind::OutOfMemory, what + " needs " + format_bytes(bytes) + " of memory; " + format_bytes(available) +
                                                     " are free. Close other programs, or take a smaller or more strongly quantised model.");
    }
    return {};
}

Result<void> WeightsReader::read(const InputFile& file, std::vector<TensorEntry> entries, const Take& take)
{
    std::ranges::sort(entries, {}, &TensorEntry::offset);
    Sha256 hash;
    std::uint64_t at = 0;
    for (const TensorEntry& entry : entries) {
        if (auto known = check_dtype(entry, file.path().filename().string()); !known) {
            return known;
        }
        if (auto skipped = skip(file, at, entry.offset, hash); !skipped) {
            return skipped;
        }
        auto memory = allocate_weight(entry.bytes);
        const std::span<std::byte> bytes(memory.get(), entry.bytes);
        if (auto filled = fill(file, entry.offset, bytes, hash); !filled) {
            return filled;
        }
        at = entry.offset + entry.bytes;
        take(entry, Weight{.dtype = *entry.dtype, .shape = entry.shape, .owner = std::move(memory), .bytes = bytes});
    }
    if (auto skipped = skip(file, at, file.size(), hash); !skipped) {
        return skipped;
    }
    m_last_hash = hash.hex();
    return {};
}

Result<void> WeightsReader::fill(const InputFile& file, std::uint64_t offset, std::span<std::byte> out, Sha256& hash)
{
    while (!out.empty()) {
        if (m_progress.cancelled()) {
            return cancelled();
        }
        const auto piece = out.first(std::min<std::uint64_t>(out.size(), kPiece));
        if (auto read = file.read_at(offset, piece); !read) {
            return read;
        }
        hash.add(piece);
        offset += piece.size();
        out = out.subspan(piece.size());
        count(piece.size());
    }
    return {};
}

Result<void> WeightsReader::skip(const InputFile& file, std::uint64_t begin, std::uint64_t end, Sha256& hash)
{
    std::vector<std::byte> buffer(end > begin ? std::min(end - begin, kPiece) : 0);
    while (begin < end) {
        const auto piece = std::span(buffer).first(std::min<std::uint64_t>(buffer.size(), end - begin));
        if (auto read = fill(file, begin, piece, hash); !read) {
            return read;
        }
        begin += piece.size();
    }
    return {};
}

void WeightsReader::count(std::uint64_t bytes)
{
    m_done += bytes;
    const double fraction = m_total == 0 ? 1.0 : static_cast<double>(m_done) / static_cast<double>(m_total);
    const int percent = static_cast<int>(fraction * 100.0);
    if (percent != m_reported) {
        m_reported = percent;
        m_progress.at("Reading the weights", std::min(fraction, 1.0));
    }
}

Result<WeightSet> read_weights(const InputFile& file, const std::vector<TensorEntry>& entries, const Progress& progress)
{
    if (auto fits = check_memory(file.size(), file.path().filename().string()); !fits) {
        return failure(std::move(fits.error()));
    }
    WeightSet weights;
    WeightsReader reader(progress, file.size());
    const auto take = [&weights](const TensorEntry& entry, Weight weight) { weights.insert_or_assign(entry.name, std::move(weight)); };
    if (auto read = reader.read(file, entries, take); !read) {
        return failure(std::move(read.error()));
    }
    return weights;
}

} // namespace retort
