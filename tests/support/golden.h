#pragma once
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

namespace retort::test {

/// Reference values of tests/golden/; an empty value where the file cannot be read, which every test of its content then fails on.
inline nlohmann::json golden(const std::string& path)
{
    std::ifstream file(std::string(RETORT_SOURCE_DIR "/tests/golden/") + path);
    return nlohmann::json::parse(file, nullptr, false);
}

} // namespace retort::test
