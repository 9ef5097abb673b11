#include "core/data/data_source.h"

#include "core/base/files.h"
#include "core/data/packing.h"
#include "core/data/shuffled.h"
#include "core/text/chat_encoding.h"
#include "core/text/json_problem.h"
#include "core/text/messages_json.h"

#include <algorithm>
#include <cstdint>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

namespace retort {

namespace {

constexpr std::uint64_t kLargestFile = std::uint64_t{1} << 30;
constexpr std::uint64_t kHeldOutShare = 20; ///< one example in so many, on average
constexpr std::uint64_t kMostExamplesOfASequence = 64;

struct Example {
    std::vector<TokenId> pieces; ///< with what a text begins with, and the separator last
    std::vector<std::uint8_t> counts;

    /// The least length of a sequence in which something of it counts.
    [[nodiscard]] std::size_t least_length() const
    {
        const auto first = std::find(counts.begin() + 1, counts.end(), 1); // the first token of a sequence is never predicted
        return first == counts.end() ? SIZE_MAX : static_cast<std::size_t>(first - counts.begin()) + 1;
    }
};

/// FNV-1a: whether an example is held out depends on its text alone, so that no copy of it is trained on.
std::uint64_t hash_of(std::string_view text)
{
    std::uint64_t hash = 0xCBF29CE484222325;
    for (const char c : text) {
        hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3;
    }
    return hash;
}

/// Examples, with those that a sequence of some length leaves nothing to learn of told apart.
class Examples {
public:
    void add(Example example) { m_all.push_back(std::move(example)); }
    [[nodiscard]] std::size_t size() const { return m_all.size(); }

    /// Those of which something counts within `length` tokens. Any thread.
    [[nodiscard]] std::vector<const Example*> learnable(std::int64_t length) const
    {
        std::vector<const Example*> result;
        result.reserve(m_all.size());
        for (const Example& example : m_all) {
            if (example.least_length() <= static_cast<std::size_t>(length)) {
                result.push_back(&example);
            }
        }
        return result;
    }
    [[nodiscard]] std::size_t longer_than(std::int64_t length) const
    {
        return static_cast<std::size_t>(
            std::ranges::count_if(m_all, [length](const Example& example) { return example.pieces.size() > static_cast<std::size_t>(length); }));
    }

private:
    std::vector<Example> m_all;
};

class JsonlSource final : public DataSource {
public:
    JsonlSource(std::uint64_t seed, TokenId separator) : m_seed(seed), m_separator(separator) {}

    void add(Example example, std::uint64_t hash)
    {
        auto& group = Random(hash, 0, 0).below(kHeldOutShare) == 0 ? m_held_out : m_training;
        group.add(std::move(example));
    }

    [[nodiscard]] bool empty() const { return m_training.size() + m_held_out.size() == 0; }

    [[nodiscard]] Result<Batch> batch(std::uint64_t index, std::int64_t sequences, std::int64_t length) const override
    {
        return pack(m_training, m_last_training, index, sequences, length, "train on");
    }

    [[nodiscard]] Result<Batch> held_out(std::uint64_t index, std::int64_t sequences, std::int64_t length) const override
    {
        return pack(m_held_out, m_last_held_out, index, sequences, length, "hold out");
    }

    [[nodiscard]] std::string description() const override
    {
        return std::to_string(m_training.size()) + " examples to train on, " + std::to_string(m_held_out.size()) + " held out";
    }

    [[nodiscard]] std::string remark(std::int64_t length) const override
    {
        const std::size_t longer = m_training.longer_than(length) + m_held_out.longer_than(length);
        const std::size_t lost = m_training.size() + m_held_out.size() - m_training.learnable(length).size() - m_held_out.learnable(length).size();
        if (longer + lost == 0) {
            return {};
        }
        std::string sentence = std::to_string(longer) + " of " + std::to_string(m_training.size() + m_held_out.size()) +
                               " examples are longer than a sequence of " + std::to_string(length) + " tokens and are cut at its end";
        if (lost > 0) {
            sentence += "; " + std::to_string(lost) + " are left out, because nothing of their answers would remain";
        }
        return sentence + ". Longer sequences (batch.length) keep more.";
    }

private:
    /// What can be learned from in sequences of the length asked for last.
    struct Learnable {
        std::mutex mutex;
        std::int64_t length = -1;
        std::shared_ptr<const std::vector<const Example*>> examples;
    };

    static std::shared_ptr<const std::vector<const Example*>> learnable(const Examples& examples, Learnable& last, std::int64_t length)
    {
        const std::lock_guard lock(last.mutex);
        if (last.length != length) {
            last.examples = std::make_shared<const std::vector<const Example*>>(examples.learnable(length));
            last.length = length;
        }
        return last.examples;
    }

    /// Batch `index` takes its examples from a stretch of the shuffled order of its own, so that it needs no batch before it.
    Result<Batch> pack(const Examples& all, Learnable& last, std::uint64_t index, std::int64_t sequences, std::int64_t length, const char* use) const
    {
        if (const Result<void> shape = check_batch_shape(sequences, length); !shape) {
            return failure(shape.error());
        }
        if (all.size() == 0) {
            return failure(Error::Kind::Usage,
                           "The files have no example to " + std::string(use) + "; one in twenty is held out, so give some dozens.");
        }
        const auto examples = learnable(all, last, length);
        if (examples->empty()) {
            return failure(Error::Kind::Usage, "Of the " + std::to_string(all.size()) + " examples to " + use + " none has an answer within " +
                                                   std::to_string(length) +
                                                   " tokens: their prompts are longer. Give longer sequences (batch.length).");
        }
        SequencePacker packer(sequences, length, m_separator);
        const std::uint64_t most = static_cast<std::uint64_t>(sequences) * kMostExamplesOfASequence;
        for (std::uint64_t i = 0; i < most; ++i) {
            const Example& example = *(*examples)[shuffled(m_seed, index * most + i, examples->size())];
            if (!packer.add(example.pieces, example.counts)) {
                break;
            }
        }
        return packer.batch(0, sequences);
    }

    std::uint64_t m_seed;
    TokenId m_separator;
    Examples m_training;
    Examples m_held_out;
    mutable Learnable m_last_training;
    mutable Learnable m_last_held_out;
};

/// Turns lines into examples.
class LineReader {
public:
    LineReader(const Tokenizer& tokenizer, TokenId separator, const ChatFormat& chat)
        : m_tokenizer(tokenizer), m_beginning(beginning_of_text(tokenizer)), m_separator(separator), m_chat(chat)
    {
        if (chat.chat_template) {
            m_encoder.emplace(tokenizer, *chat.chat_template);
        }
    }

    [[nodiscard]] Result<Example> read(std::string_view line, const std::string& place) const
    {
        const nlohmann::json json = nlohmann::json::parse(line, nullptr, false);
        if (json.is_discarded()) {
            return failure(Error::Kind::BadFile, place + " " + json_problem(line) + ".");
        }
        if (json.is_object() && json.contains("messages")) {
            return read_chat(json["messages"], place);
        }
        const bool has_prompt = json.is_object() && json.contains("prompt");
        const char* rest = has_prompt ? "completion" : "text";
        if (!json.is_object() || !json.contains(rest)) {
            return failure(Error::Kind::BadFile,
                           place + R"( is not a JSON object with "messages", with texts "prompt" and "completion", or with a "text".)");
        }
        for (const char* name : {has_prompt ? "prompt" : rest, rest}) {
            if (!json[name].is_string()) {
                return failure(Error::Kind::BadFile,
                               place + ": \"" + name + "\" must be a text in quotes; it is " + std::string(json[name].type_name()) + ".");
            }
        }
        return make_example(has_prompt ? json["prompt"].get_ref<const std::string&>() : std::string(), json[rest].get_ref<const std::string&>());
    }

private:
    /// What counts are the pieces that follow the prompt in the text as a whole, so that the blank between them is neither lost nor written twice;
    /// where the two share a piece, the prompt is cut as it is when it is asked, and the completion apart from it.
    [[nodiscard]] Example make_example(const std::string& prompt, const std::string& completion) const
    {
        const std::vector<TokenId> asked = prompt.empty() ? std::vector<TokenId>() : m_tokenizer.encode(prompt);
        std::vector<TokenId> whole = m_tokenizer.encode(prompt + completion);
        if (whole.size() < asked.size() || !std::equal(asked.begin(), asked.end(), whole.begin())) {
            whole = asked;
            const std::vector<TokenId> apart = m_tokenizer.encode(completion);
            whole.insert(whole.end(), apart.begin(), apart.end());
        }
        Example example{m_beginning, {}};
        example.pieces.insert(example.pieces.end(), whole.begin(), whole.end());
        example.pieces.push_back(m_separator);
        example.counts.assign(m_beginning.size() + asked.size(), 0);
        example.counts.resize(example.pieces.size(), 1);
        return example;
    }

    [[nodiscard]] Result<Example> read_chat(const nlohmann::json& list, const std::string& place) const
    {
        if (!m_encoder) {
            return failure(Error::Kind::Mismatch, place + " is a chat, and the teacher comes without a chat template to write it out with; give "
                                                          "prompt and completion instead.");
        }
        const auto messages = read_messages(list, place);
        if (!messages) {
            return failure(messages.error());
        }
        auto chat = m_encoder->dialogue(*messages, {.bos_token = m_chat.bos_token, .eos_token = m_chat.eos_token, .now = {}});
        if (!chat) {
            return failure(chat.error().kind, place + ": " + chat.error().message);
        }
        if (std::ranges::find(chat->counts, 1) == chat->counts.end()) {
            return failure(Error::Kind::BadFile, place + ": the assistant answers nothing, so there is nothing to learn from it.");
        }
        Example example{std::move(chat->ids), std::move(chat->counts)};
        example.pieces.push_back(m_separator); // the template has its own end of a turn, which counts
        example.counts.push_back(0);
        return example;
    }

    const Tokenizer& m_tokenizer;
    std::vector<TokenId> m_beginning;
    TokenId m_separator;
    const ChatFormat& m_chat;
    std::optional<ChatEncoder> m_encoder;
};

Result<void> read_lines(const std::string& file, const LineReader& reader, JsonlSource& source)
{
    const Result<std::string> text = read_text_file(file, kLargestFile);
    if (!text) {
        return failure(text.error());
    }
    std::string_view rest = *text;
    for (std::size_t number = 1; !rest.empty(); ++number) {
        const std::string_view line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(rest.size(), line.size() + 1));
        if (line.find_first_not_of(" \t\r") == std::string_view::npos) {
            continue;
        }
        Result<Example> example = reader.read(line, file + ", line " + std::to_string(number));
        if (!example) {
            return failure(std::move(example.error()));
        }
        source.add(std::move(*example), hash_of(line));
    }
    return {};
}

} // namespace

Result<std::shared_ptr<const DataSource>> make_jsonl_source(const std::vector<std::string>& files, const Tokenizer& tokenizer, std::uint64_t seed,
                                                            const ChatFormat& chat)
{
    const Result<TokenId> separator = separator_of(tokenizer);
    if (!separator) {
        return failure(separator.error());
    }
    auto source = std::make_shared<JsonlSource>(seed, *separator);
    const LineReader reader(tokenizer, *separator, chat);
    for (const std::string& file : files) {
        if (const Result<void> read = read_lines(file, reader, *source); !read) {
            return failure(read.error());
        }
    }
    if (source->empty()) {
        return failure(Error::Kind::BadFile, files.front() + " has no example in it.");
    }
    return source;
}

} // namespace retort
