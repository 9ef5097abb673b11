#pragma once
#include <string>
#include <string_view>

namespace retort {

/// What a model's README.md says between its first two lines of "---" (Hugging Face's model card metadata), as far as it matters here.
struct ModelCard {
    std::string licence;
    std::string base_model; ///< what it was made from; the first, when there are several
};
[[nodiscard]] ModelCard parse_model_card(std::string_view readme);

/// `readme` with such a front matter before it; as it is when it has one.
[[nodiscard]] std::string with_front_matter(std::string_view readme, const ModelCard& card);

} // namespace retort
