#include "core/model/shard_index.h"

#include "core/base/text_format.h"
#include "core/model/json_reader.h"

#include <algorithm>

namespace retort {

namespace {

constexpr std::size_t kLongestFileName = 255;

bool plain_file_name(std::string_view name)
{
    constexpr std::string_view kAllowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
    return !name.empty() && name.size() <= kLongestFileName && name.find_first_not_of(kAllowed) == std::string_view::npos && name != "." &&
           name != "..";
}

} // namespace

Result<std::map<std::string, std::string>> parse_shard_index(std::string_view text, const std::string& origin)
{
    auto document = parse_json(text, origin);
    if (!document) {
        return failure(std::move(document.error()));
    }
    if (!document->is_object() || !document->contains("weight_map") || !(*document)["weight_map"].is_object()) {
        return failure(Error::Kind::BadFile, origin + ": weight_map, which says where each tensor is, is missing. Copy or download the file again.");
    }
    std::map<std::string, std::string> files;
    for (const auto& [tensor, file] : (*document)["weight_map"].items()) {
        if (!file.is_string() || !plain_file_name(file.get_ref<const std::string&>())) {
            return failure(Error::Kind::BadFile, origin + ": tensor \"" + printable(tensor) + "\" is said to be in \"" +
                                                     printable(file.is_string() ? file.get<std::string>() : std::string("?")) +
                                                     "\"; the plain name of a file in the same folder was expected.");
        }
        files[tensor] = file.get<std::string>();
    }
    return files;
}

} // namespace retort
