#pragma once
#include "core/base/files.h"
#include "core/measure/text_score.h"

#include <filesystem>

namespace retort {

// The file that llama.cpp's llama-perplexity keeps a base's log-probabilities in (--kl-divergence-base): "_logits_", i32 context, i32 vocabulary V,
// i32 chunks, i32 tokens (chunks * context), then for each scored row u16 (2 * ((V + 1) / 2) + 4): f32 scale, f32 lowest log-probability, V u16 of
// log p = scale * u + lowest. It keeps 16 nats below each row's most probable piece, in 65,535 steps. Little-endian.

/// Reads such a file; hostile until checked. One thread.
class LogitsFile final : public ScoredRows {
public:
    [[nodiscard]] static Result<LogitsFile> open(const std::filesystem::path& path);

    [[nodiscard]] std::int64_t context() const { return m_context; }
    [[nodiscard]] std::int64_t vocabulary() const { return m_vocabulary; }
    /// The text that the file was made on, for a model that begins its texts with `bos`.
    [[nodiscard]] Result<ScoringText> text(std::optional<TokenId> bos) const;

    Result<void> read(const ScoringText& text, std::int64_t index, std::stop_token stop) override;
    /// `vocabulary` is vocabulary().
    Result<void> log_probs(std::int64_t first, std::int64_t count, std::int64_t vocabulary, std::vector<float>& out) override;

private:
    explicit LogitsFile(InputFile file) : m_file(std::move(file)) {}

    InputFile m_file;
    std::int64_t m_context = 0, m_vocabulary = 0, m_chunks = 0;
    std::int64_t m_chunk = 0; ///< at hand
};

/// Writes such a file, which appears whole on commit() or not at all.
class LogitsFileWriter {
public:
    [[nodiscard]] static Result<LogitsFileWriter> create(const std::filesystem::path& path, const ScoringText& text, std::int64_t vocabulary);

    /// `log_probs` (rows, vocabulary), the next of the text.
    [[nodiscard]] Result<void> add(std::span<const float> log_probs, std::int64_t rows);
    [[nodiscard]] Result<void> commit() { return m_file.commit(); }

private:
    LogitsFileWriter(AtomicFile file, std::int64_t vocabulary) : m_file(std::move(file)), m_vocabulary(vocabulary) {}

    AtomicFile m_file;
    std::int64_t m_vocabulary;
};

} // namespace retort
