#include "core/measure/logits_file.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>

namespace retort {

namespace {

constexpr std::string_view kMagic = "_logits_";
constexpr std::int64_t kHeadBytes = 8 + 3 * 4;
constexpr float kRange = 16.0F; // nats below the most probable piece
constexpr float kSteps = 65535.0F;
static_assert(std::endian::native == std::endian::little, "the file is read as it lies in memory");

/// u16 values of one row, its two floats among them.
std::int64_t row_values(std::int64_t vocabulary)
{
    return 2 * ((vocabulary + 1) / 2) + 4;
}

Result<LogitsFile> damaged(const std::filesystem::path& path, const std::string& what)
{
    return failure(Error::Kind::BadFile, path.string() + ": " + what);
}

void encode_row(std::span<const float> row, std::span<std::uint16_t> out)
{
    const auto [least, most] = std::ranges::minmax(row);
    const float lowest = std::max(least, most - kRange);
    const float scale = (most - lowest) / kSteps;
    std::ranges::fill(out, std::uint16_t{0});
    std::memcpy(out.data(), &scale, sizeof scale);
    std::memcpy(out.data() + 2, &lowest, sizeof lowest);
    for (std::size_t i = 0; scale > 0.0F && i < row.size(); ++i) {
        out[i + 4] = row[i] > lowest ? static_cast<std::uint16_t>(std::lround(std::min(kSteps, (row[i] - lowest) / scale))) : std::uint16_t{0};
    }
}

} // namespace

Result<LogitsFile> LogitsFile::open(const std::filesystem::path& path)
{
    auto opened = InputFile::open(path);
    if (!opened) {
        return failure(opened.error());
    }
    LogitsFile file(*std::move(opened));
    std::array<char, kMagic.size()> magic{};
    std::array<std::int32_t, 3> head{};
    if (file.m_file.size() < static_cast<std::uint64_t>(kHeadBytes) || !file.m_file.read_at(0, std::as_writable_bytes(std::span(magic))) ||
        std::string_view(magic.data(), magic.size()) != kMagic) {
        return damaged(path, "this is no file of log-probabilities: it does not begin with \"_logits_\". llama-perplexity --kl-divergence-base "
                             "and retort-cli score --save-logits write such files.");
    }
    if (auto done = file.m_file.read_at(kMagic.size(), std::as_writable_bytes(std::span(head))); !done) {
        return failure(done.error());
    }
    file.m_context = head[0];
    file.m_vocabulary = head[1];
    file.m_chunks = head[2];
    constexpr std::int64_t kMostContext = 1 << 22, kMostPieces = 1 << 24; // far beyond any model; keeps the products below in 64 bits
    if (file.m_context < 4 || file.m_context > kMostContext || file.m_vocabulary < 1 || file.m_vocabulary > kMostPieces || file.m_chunks < 1) {
        return damaged(path, "its head gives a context of " + std::to_string(head[0]) + ", " + std::to_string(head[1]) + " pieces and " +
                                 std::to_string(head[2]) + " chunks, which cannot be. The file is damaged.");
    }
    const auto rows = static_cast<std::uint64_t>(file.m_context - 1 - file.m_context / 2);
    const std::uint64_t chunk_bytes =
        rows * 2 * static_cast<std::uint64_t>(row_values(file.m_vocabulary)) + 4 * static_cast<std::uint64_t>(file.m_context);
    const std::uint64_t body = file.m_file.size() - static_cast<std::uint64_t>(kHeadBytes);
    if (body / chunk_bytes != static_cast<std::uint64_t>(file.m_chunks) || body % chunk_bytes != 0) {
        return damaged(path, "its head promises " + std::to_string(file.m_chunks) + " chunks of " + std::to_string(chunk_bytes) + " bytes; " +
                                 std::to_string(body) + " bytes follow. The file is cut off or damaged.");
    }
    return file;
}

Result<ScoringText> LogitsFile::text(std::optional<TokenId> bos) const
{
    ScoringText text;
    text.context = m_context;
    text.bos = bos;
    text.ids.resize(static_cast<std::size_t>(m_context * m_chunks));
    if (auto done = m_file.read_at(kHeadBytes, std::as_writable_bytes(std::span(text.ids))); !done) {
        return failure(done.error());
    }
    return text;
}

Result<void> LogitsFile::read(const ScoringText&, std::int64_t index, std::stop_token)
{
    m_chunk = index;
    return {};
}

Result<void> LogitsFile::log_probs(std::int64_t first, std::int64_t count, std::int64_t vocabulary, std::vector<float>& out)
{
    const std::int64_t rows = m_context - 1 - m_context / 2;
    const std::int64_t width = row_values(m_vocabulary);
    std::vector<std::uint16_t> values(static_cast<std::size_t>(count * width));
    const std::int64_t offset = kHeadBytes + 4 * m_context * m_chunks + 2 * width * (m_chunk * rows + first);
    if (auto done = m_file.read_at(static_cast<std::uint64_t>(offset), std::as_writable_bytes(std::span(values))); !done) {
        return done;
    }
    out.resize(static_cast<std::size_t>(count * vocabulary));
    for (std::int64_t row = 0; row < count; ++row) {
        const std::uint16_t* at = values.data() + row * width;
        float scale = 0, lowest = 0;
        std::memcpy(&scale, at, sizeof scale);
        std::memcpy(&lowest, at + 2, sizeof lowest);
        if (!std::isfinite(scale) || !std::isfinite(lowest) || scale < 0.0F || scale * kSteps + lowest > 1.0F) {
            return failure(Error::Kind::BadFile, m_file.path().string() + ": row " + std::to_string(first + row) + " of chunk " +
                                                     std::to_string(m_chunk) + " holds no log-probabilities. The file is damaged.");
        }
        for (std::int64_t i = 0; i < vocabulary; ++i) {
            out[static_cast<std::size_t>(row * vocabulary + i)] = scale * static_cast<float>(at[4 + i]) + lowest;
        }
    }
    return {};
}

Result<LogitsFileWriter> LogitsFileWriter::create(const std::filesystem::path& path, const ScoringText& text, std::int64_t vocabulary)
{
    auto file = AtomicFile::create(path);
    if (!file) {
        return failure(file.error());
    }
    const std::array<std::int32_t, 3> head = {static_cast<std::int32_t>(text.context), static_cast<std::int32_t>(vocabulary),
                                              static_cast<std::int32_t>(text.chunks())};
    LogitsFileWriter writer(*std::move(file), vocabulary);
    for (const std::span<const std::byte> bytes : {std::span<const std::byte>(std::as_bytes(std::span(kMagic))),
                                                   std::span<const std::byte>(std::as_bytes(std::span(head))), std::as_bytes(std::span(text.ids))}) {
        if (auto done = writer.m_file.write(bytes); !done) {
            return failure(done.error());
        }
    }
    return writer;
}

Result<void> LogitsFileWriter::add(std::span<const float> log_probs, std::int64_t rows)
{
    const auto pieces = static_cast<std::size_t>(m_vocabulary);
    const auto width = static_cast<std::size_t>(row_values(m_vocabulary));
    std::vector<std::uint16_t> values(static_cast<std::size_t>(rows) * width);
    for (std::size_t row = 0; row < static_cast<std::size_t>(rows); ++row) {
        encode_row(log_probs.subspan(row * pieces, pieces), std::span(values).subspan(row * width, width));
    }
    return m_file.write(std::as_bytes(std::span(values)));
}

} // namespace retort
