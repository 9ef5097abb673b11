#pragma once
#include "core/base/files.h"
#include "core/model/model.h"

#include <QTemporaryDir>
#include <filesystem>
#include <string>

namespace retort::test {

/// A golden model's folder: "llama" (tied) or "llama_rope3" (with a head of its own and llama3's RoPE scaling).
inline std::filesystem::path golden_model(const std::string& name)
{
    return std::filesystem::path(RETORT_SOURCE_DIR "/tests/golden/model") / name;
}

/// A copy of a golden model's config.json and model.safetensors that a test may spoil.
class ModelFolder {
public:
    explicit ModelFolder(const std::string& name)
    {
        for (const char* file : {"config.json", "model.safetensors"}) {
            std::filesystem::copy_file(golden_model(name) / file, path() / file);
        }
    }
    [[nodiscard]] std::filesystem::path path() const { return m_folder.path().toStdString(); }
    [[nodiscard]] bool write(const char* file, std::string_view content) const { return write_file_atomically(path() / file, content).has_value(); }
    [[nodiscard]] std::string read(const char* file) const { return read_file(path() / file, 1 << 24).value_or(std::string()); }

private:
    QTemporaryDir m_folder;
};

} // namespace retort::test
