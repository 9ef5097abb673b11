#pragma once
#include "core/data/batch.h"
#include "core/data/world/world.h"
#include "core/text/chat_template.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace retort {

/// How chats are written out for the model: its template and what the template calls bos_token and eos_token.
struct ChatFormat {
    std::shared_ptr<const ChatTemplate> chat_template{}; ///< null: files with chats are refused
    std::string bos_token{}, eos_token{};
};

/// What to train on, as a plan's `data` says it.
struct DataSettings {
    std::string kind = "world"; ///< world, text, jsonl, token_batches
    std::uint64_t seed = 1;     ///< of the order of the training data; the world's facts have their own (world.seed)
    std::vector<std::string> files{};
    WorldSettings world{};
    ChatFormat chat{}; ///< for jsonl files of messages
};

/// The source that `settings` ask for. A file is read whole, here. Errors: an unknown kind, no file where one is needed, a file that cannot be read
/// or is not what its kind needs.
[[nodiscard]] Result<std::shared_ptr<const DataSource>> make_data_source(const DataSettings& settings, std::shared_ptr<const Tokenizer> tokenizer);

/// UTF-8 text files, one after another with the tokenizer's separator between, cut into windows that overlap by one token, so that each token is
/// predicted once. The last twentieth of the windows (at least one) is held out; the others come in a random order, anew in each round.
[[nodiscard]] Result<std::shared_ptr<const DataSource>> make_text_source(const std::vector<std::string>& files, const Tokenizer& tokenizer,
                                                                         std::uint64_t seed);

/// One JSON object a line: {"messages": [{"role": ..., "content": ...}, ...]}, of which what the assistant says counts, with the end of its turn;
/// {"prompt": ..., "completion": ...}, of which only the completion and the end count; or {"text": ...}, of which all counts. A line that is none
/// is refused by its number. Whole examples are packed as the world's documents are; one example in twenty, chosen by a hash of its text, is held
/// out.
[[nodiscard]] Result<std::shared_ptr<const DataSource>> make_jsonl_source(const std::vector<std::string>& files, const Tokenizer& tokenizer,
                                                                          std::uint64_t seed, const ChatFormat& chat = {});

/// Batches as another framework took them: a JSON file with `input_ids` (steps, sequences, length) and `target_mask` of the same shape. Batch number
/// i is step i, in that shape only. Nothing is held out.
[[nodiscard]] Result<std::shared_ptr<const DataSource>> make_token_batches_source(const std::string& file, const Tokenizer& tokenizer);

} // namespace retort
