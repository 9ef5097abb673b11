#pragma once
#include "core/data/batch.h"
#include "core/data/world/world.h"
#include "core/plugin/catalogue.h"
#include "core/text/chat_template.h"

#include <cstdint>
#include <functional>
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
    std::string kind = "world"; ///< one of the catalogue
    std::uint64_t seed = 1;     ///< of the order of the training data; the world's facts have their own (world.seed)
    std::vector<std::string> files{};
    WorldSettings world{};
    ChatFormat chat{}; ///< for jsonl files of messages
};

/// A kind of data that a plan can name.
struct DataKind {
    std::string name;
    std::string summary;
    enum class Files { None, One, AtLeastOne };
    Files files = Files::AtLeastOne; ///< in data.files; checked before make()
    std::function<Result<std::shared_ptr<const DataSource>>(const DataSettings&, std::shared_ptr<const Tokenizer>)> make;
};
[[nodiscard]] Catalogue<DataKind> built_in_data_kinds();

/// The source that `settings` ask for. A file is read whole, here. Errors: a kind that is not among `kinds` (the built-ins where none are given), too
/// few files or too many, a file that cannot be read or is not what its kind needs.
[[nodiscard]] Result<std::shared_ptr<const DataSource>> make_data_source(const DataSettings& settings, std::shared_ptr<const Tokenizer> tokenizer,
                                                                         const Catalogue<DataKind>& kinds = built_in_data_kinds());

/// UTF-8 text files, one after another with the tokenizer's separator between, cut into windows that begin as every text does and
/// overlap by one token, so that each token is predicted once. The last twentieth of the windows (at least one) is held out; the others come in a
/// random order, anew in each round.
[[nodiscard]] Result<std::shared_ptr<const DataSource>> make_text_source(const std::vector<std::string>& files, const Tokenizer& tokenizer,
                                                                         std::uint64_t seed);

/// One JSON object a line: {"messages": [{"role": ..., "content": ...}, ...]}, of which what the assistant says counts, with the end of its turn;
/// {"prompt": ..., "completion": ...}, of which only the completion and the end count; or {"text": ...}, of which all counts. A line that is none
/// is refused by its number, with the reason. Examples of which nothing that counts fits a sequence are left out; remark() says how many. Whole
/// examples are packed as the world's documents are; one example in twenty, chosen by a hash of its text, is held out.
[[nodiscard]] Result<std::shared_ptr<const DataSource>> make_jsonl_source(const std::vector<std::string>& files, const Tokenizer& tokenizer,
                                                                          std::uint64_t seed, const ChatFormat& chat = {});

/// Batches as another framework took them: a JSON file with `input_ids` (steps, sequences, length) and `target_mask` of the same shape. Batch number
/// i is step i, in that shape only. Nothing is held out.
[[nodiscard]] Result<std::shared_ptr<const DataSource>> make_token_batches_source(const std::string& file, const Tokenizer& tokenizer);

} // namespace retort
