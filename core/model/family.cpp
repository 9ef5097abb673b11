#include "core/model/family.h"

#include "core/model/family_llama.h"

#include <array>

namespace retort {

namespace {

constexpr std::array kFamilies = {
    Family{"llama", "llama", llama_from_config, llama_from_gguf, llama_canonical_name, true},
    Family{"mistral", "", mistral_from_config},
};

std::string names(std::string_view Family::*member)
{
    std::string list;
    for (const Family& family : kFamilies) {
        if (!(family.*member).empty()) {
            list += (list.empty() ? "" : ", ") + std::string(family.*member);
        }
    }
    return list;
}

const Family* find(std::string_view Family::*member, std::string_view name)
{
    for (const Family& family : kFamilies) {
        if (!name.empty() && family.*member == name) {
            return &family;
        }
    }
    return nullptr;
}

} // namespace

std::span<const Family> families()
{
    return kFamilies;
}

const Family* family_of_model_type(std::string_view model_type)
{
    return find(&Family::model_type, model_type);
}

const Family* family_of_gguf(std::string_view architecture)
{
    return find(&Family::gguf_architecture, architecture);
}

std::string known_model_types()
{
    return names(&Family::model_type);
}

std::string known_gguf_architectures()
{
    return names(&Family::gguf_architecture);
}

} // namespace retort
