#include "core/model/family.h"

#include "core/model/families/common.h"

#include <array>

namespace retort {

namespace {

/// The families that are known, one row each. core/model/README.md shows how one is added.
const auto& rows()
{
    static const std::array kFamilies = {
        llama_family(), mistral_family(),  qwen2_family(), qwen3_family(),   gemma2_family(), gemma3_family(),  phi_family(),      phi3_family(),
        gpt2_family(),  gpt_neox_family(), opt_family(),   smollm3_family(), olmo2_family(),  granite_family(), stablelm_family(),
    };
    return kFamilies;
}

std::string names(std::string_view Family::*member)
{
    std::string list;
    for (const Family& family : rows()) {
        if (!(family.*member).empty()) {
            list += (list.empty() ? "" : ", ") + std::string(family.*member);
        }
    }
    return list;
}

const Family* find(std::string_view Family::*member, std::string_view name)
{
    for (const Family& family : rows()) {
        if (!name.empty() && family.*member == name) {
            return &family;
        }
    }
    return nullptr;
}

} // namespace

std::span<const Family> families()
{
    return rows();
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
