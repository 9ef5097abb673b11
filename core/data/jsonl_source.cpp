#include "core/data/data_source.h"

#include "core/base/files.h"
#include "core/data/packing.h"
#include "core/data/shuffled.h"
#include "core/text/chat_encoding.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

namespace retort {

namespace {

constexpr std::uint64_t kLargestFile = std::uint64_t{1} << 30;
constexpr std::uint64_t kHeldOutShare = 20; ///< one example in so many, on average
constexpr std::uint64_t kMostExamplesOfASequence = 64;

struct Example {
    std::vector<TokenId> pieces; ///< the separator last
    std::vector<std::uint8_t> counts;
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

class JsonlSource final : public DataSource {
public:
    JsonlSource(std::uint64_t seed, TokenId separator) : m_seed(seed), m_separator(separator) {}

    void add(Example example, std::uint64_t hash)
    {
        auto& group = Random(hash, 0, 0).below(kHeldOutShare) == 0 ? m_held_out : m_training;
        group.push_back(std::move(example));
    }

    [[nodiscard]] bool empty() const { return m_training.empty() && m_held_out.empty(); }

    [[nodiscard]] Result<Batch> batch(std::uint64_t index, std::int64_t sequences, std::int64_t length) const override
    {
        return pack(m_training, index, sequences, length, "train on");
    }

    [[nodiscard]] Result<Batch> held_out(std::uint64_t index, std::int64_t sequences, std::int64_t length) const override
    {
        return pack(m_held_out, index, sequences, length, "hold out");
    }

    [[nodiscard]] std::string description() const override
    {
        return std::to_string(m_training.size()) + " examples to train on, " + std::to_string(m_held_out.size()) + " held out";
    }

private:
    /// Batch `index` takes its examples from a stretch of the shuffled order of its own, so that it needs no batch before it.
    Result<Batch> pack(const std::vector<Example>& examples, std::uint64_t index, std::int64_t sequences, std::int64_t length, const char* use) const
    {
        if (const Result<void> shape = check_batch_shape(sequences, length); !shape) {
            return failure(shape.error());
        }
        if (examples.empty()) {
            return failure(Error::Kind::Usage,
                           "The files have no example to " + std::string(use) + "; one in twenty is held out, so give some dozens.");
        }
        SequencePacker packer(sequences, length, m_separator);
        const std::uint64_t most = static_cast<std::uint64_t>(sequences) * kMostExamplesOfASequence;
        for (std::uint64_t i = 0; i < most; ++i) {
            const Example& example = examples[shuffled(m_seed, index * most + i, examples.size())];
            if (!packer.add(example.pieces, example.counts)) {
                break;
            }
        }
        return packer.batch(0, sequences);
    }

    std::uint64_t m_seed;
    TokenId m_separator;
    std::vector<Example> m_training;
    std::vector<Example> m_held_out;
};

/// The text of `json`'s member, null when it has none.
const std::string* text_of(const nlohmann::json& json, const char* name)
{
    const auto member = json.find(name);
    return member == json.end() ? nullptr : member->get_ptr<const std::string*>();
}

/// Turns lines into examples.
class LineReader {
public:
    LineReader(const Tokenizer& tokenizer, TokenId separator, const ChatFormat& chat) : m_tokenizer(tokenizer), m_separator(separator), m_chat(chat)
    {
        if (chat.chat_template) {
            m_encoder.emplace(tokenizer, *chat.chat_template);
        }
    }

    [[nodiscard]] Result<Example> read(std::string_view line, const std::string& place) const
    {
        const nlohmann::json json = nlohmann::json::parse(line, nullptr, false);
        if (json.is_object() && json.contains("messages")) {
            return read_chat(json["messages"], place);
        }
        const std::string* prompt = json.is_object() ? text_of(json, "prompt") : nullptr;
        const std::string* rest = json.is_object() ? text_of(json, prompt == nullptr ? "text" : "completion") : nullptr;
        if (rest == nullptr) {
            return failure(Error::Kind::BadFile,
                           place + R"( is not a JSON object with "messages", with texts "prompt" and "completion", or with a "text".)");
        }
        Example example;
        if (prompt != nullptr) {
            example.pieces = m_tokenizer.encode(*prompt);
            example.counts.assign(example.pieces.size(), 0);
        }
        const std::vector<TokenId> pieces = m_tokenizer.encode(*rest);
        example.pieces.insert(example.pieces.end(), pieces.begin(), pieces.end());
        example.pieces.push_back(m_separator);
        example.counts.resize(example.pieces.size(), 1);
        return example;
    }

private:
    [[nodiscard]] Result<Example> read_chat(const nlohmann::json& list, const std::string& place) const
    {
        if (!m_encoder) {
            return failure(Error::Kind::Mismatch, place + " is a chat, and the teacher comes without a chat template to write it out with; give "
                                                          "prompt and completion instead.");
        }
        const auto no_list = failure(Error::Kind::BadFile, place + R"(: "messages" is not a list of objects with texts "role" and "content".)");
        if (!list.is_array()) {
            return no_list;
        }
        std::vector<ChatMessage> messages;
        for (const nlohmann::json& item : list) {
            const std::string* role = item.is_object() ? text_of(item, "role") : nullptr;
            const std::string* content = item.is_object() ? text_of(item, "content") : nullptr;
            if (role == nullptr || content == nullptr) {
                return no_list;
            }
            messages.push_back({*role, *content});
        }
        auto chat = m_encoder->dialogue(messages, {.bos_token = m_chat.bos_token, .eos_token = m_chat.eos_token, .now = {}});
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
    TokenId m_separator;
    const ChatFormat& m_chat;
    std::optional<ChatEncoder> m_encoder;
};

Result<void> read_file(const std::string& file, const LineReader& reader, JsonlSource& source)
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
        if (const Result<void> read = read_file(file, reader, *source); !read) {
            return failure(read.error());
        }
    }
    if (source->empty()) {
        return failure(Error::Kind::BadFile, files.front() + " has no example in it.");
    }
    return source;
}

} // namespace retort
