#include "core/data/data_source.h"

#include "core/base/files.h"
#include "core/text/json_problem.h"

#include <nlohmann/json.hpp>

namespace retort {

namespace {

constexpr std::uint64_t kLargestFile = std::uint64_t{128} << 20;

class TokenBatches final : public DataSource {
public:
    TokenBatches(std::vector<Batch> steps, std::string file) : m_steps(std::move(steps)), m_file(std::move(file)) {}

    [[nodiscard]] Result<Batch> batch(std::uint64_t index, std::int64_t sequences, std::int64_t length) const override
    {
        if (index >= m_steps.size()) {
            return failure(Error::Kind::Usage, m_file + " has " + std::to_string(m_steps.size()) + " batches; batch number " +
                                                   std::to_string(index + 1) + " was asked for. Train for fewer steps.");
        }
        const Batch& step = m_steps[index];
        if (step.sequences != sequences || step.length != length) {
            return failure(Error::Kind::Usage, m_file + " has batches of " + std::to_string(step.sequences) + " sequences of " +
                                                   std::to_string(step.length) + " tokens; the plan asks for " + std::to_string(sequences) + " of " +
                                                   std::to_string(length) + ".");
        }
        return step;
    }

    [[nodiscard]] bool has_held_out() const override { return false; }

    [[nodiscard]] Result<Batch> held_out(std::uint64_t, std::int64_t, std::int64_t) const override
    {
        return failure(Error::Kind::Usage, m_file + " holds nothing out; a run on token batches takes evaluate.every 0.");
    }

    [[nodiscard]] std::string description() const override { return std::to_string(m_steps.size()) + " batches of token ids from " + m_file; }

private:
    std::vector<Batch> m_steps;
    std::string m_file;
};

/// Reads one of the two arrays, checking that its shape is that of the first step of the first.
class StepReader {
public:
    StepReader(const std::string& file, std::size_t vocabulary) : m_file(file), m_vocabulary(vocabulary) {}

    Result<std::vector<Batch>> read(const nlohmann::json& input_ids, const nlohmann::json& target_mask)
    {
        if (!input_ids.is_array() || !target_mask.is_array() || input_ids.empty() || input_ids.size() != target_mask.size()) {
            return failure(Error::Kind::BadFile, m_file + ": input_ids and target_mask must be lists of equally many batches, at least one.");
        }
        std::vector<Batch> steps(input_ids.size());
        for (std::size_t i = 0; i < steps.size(); ++i) {
            const std::string place = m_file + ": batch " + std::to_string(i);
            if (const Result<void> ids =
                    read_step(input_ids[i], place + " of input_ids", static_cast<std::int64_t>(m_vocabulary), steps[i], steps[i].ids);
                !ids) {
                return failure(ids.error());
            }
            const Batch shape{.sequences = steps[i].sequences, .length = steps[i].length};
            if (const Result<void> mask = read_step(target_mask[i], place + " of target_mask", 2, steps[i], steps[i].mask); !mask) {
                return failure(mask.error());
            }
            if (steps[i].sequences != shape.sequences || steps[i].length != shape.length) {
                return failure(Error::Kind::BadFile, place + ": input_ids and target_mask have different shapes.");
            }
        }
        return steps;
    }

private:
    template <class Number>
    Result<void> read_step(const nlohmann::json& rows, const std::string& place, std::int64_t limit, Batch& shape, std::vector<Number>& out) const
    {
        if (!rows.is_array() || rows.empty() || !rows[0].is_array() || rows[0].size() < 2) {
            return failure(Error::Kind::BadFile, place + " must be a list of sequences of at least two numbers.");
        }
        shape.sequences = static_cast<std::int64_t>(rows.size());
        shape.length = static_cast<std::int64_t>(rows[0].size());
        for (const nlohmann::json& row : rows) {
            if (!row.is_array() || row.size() != rows[0].size()) {
                return failure(Error::Kind::BadFile,
                               place + " has sequences of different lengths; all must have " + std::to_string(shape.length) + " numbers.");
            }
            for (const nlohmann::json& number : row) {
                const std::int64_t value = number.is_boolean() ? number.get<bool>() : number.is_number_integer() ? number.get<std::int64_t>() : -1;
                if (value < 0 || value >= limit) {
                    return failure(Error::Kind::BadFile, place + " has a value that is no whole number from 0 to " + std::to_string(limit - 1) + ".");
                }
                out.push_back(static_cast<Number>(value));
            }
        }
        return {};
    }

    const std::string& m_file;
    std::size_t m_vocabulary;
};

} // namespace

Result<std::shared_ptr<const DataSource>> make_token_batches_source(const std::string& file, const Tokenizer& tokenizer)
{
    const Result<std::string> text = read_text_file(file, kLargestFile);
    if (!text) {
        return failure(text.error());
    }
    const nlohmann::json json = nlohmann::json::parse(*text, nullptr, false);
    if (json.is_discarded()) {
        return failure(Error::Kind::BadFile, file + " " + json_problem(*text) + ".");
    }
    if (!json.is_object() || !json.contains("input_ids") || !json.contains("target_mask")) {
        return failure(Error::Kind::BadFile, file + " is not a JSON object with input_ids and target_mask.");
    }
    Result<std::vector<Batch>> steps = StepReader(file, tokenizer.size()).read(json["input_ids"], json["target_mask"]);
    if (!steps) {
        return failure(std::move(steps.error()));
    }
    return std::make_shared<TokenBatches>(std::move(*steps), file);
}

} // namespace retort
