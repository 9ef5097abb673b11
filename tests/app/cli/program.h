#pragma once
#include <QProcess>
#include <QStringList>
#include <algorithm>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace retort {

using Json = nlohmann::json;

/// What a run of retort-cli left behind.
struct Outcome {
    int status = -1;
    std::string out, err;

    /// Standard output as JSON Lines; empty when a line is none.
    [[nodiscard]] std::vector<Json> lines() const
    {
        std::vector<Json> values;
        for (const QByteArray& line : QByteArray::fromStdString(out).split('\n')) {
            if (!line.isEmpty()) {
                values.push_back(Json::parse(line.toStdString(), nullptr, false));
                if (values.back().is_discarded()) {
                    return {};
                }
            }
        }
        return values;
    }
    [[nodiscard]] Json json() const { return Json::parse(out, nullptr, false); }
    /// Whether standard error is one sentence that holds `part`, and standard output empty.
    [[nodiscard]] bool says(const std::string& part) const
    {
        return out.empty() && err.find(part) != std::string::npos && std::count(err.begin(), err.end(), '\n') == 1 &&
               err.find(".\n") != std::string::npos;
    }
};

inline QStringList arguments(std::initializer_list<std::string> list)
{
    QStringList result;
    for (const std::string& argument : list) {
        result << QString::fromStdString(argument);
    }
    return result;
}

/// Runs retort-cli to its end; status -1 when it crashed or did not end.
inline Outcome run_cli(std::initializer_list<std::string> list, const std::string& input = {}, const std::string& folder = {})
{
    QProcess process;
    process.setWorkingDirectory(QString::fromStdString(folder));
    process.start(RETORT_BINARY_DIR "/bin/retort-cli", arguments(list));
    process.write(input.data(), static_cast<qint64>(input.size()));
    process.closeWriteChannel();
    if (!process.waitForFinished(120'000) || process.exitStatus() != QProcess::NormalExit) {
        return {};
    }
    return {process.exitCode(), process.readAllStandardOutput().toStdString(), process.readAllStandardError().toStdString()};
}

} // namespace retort
