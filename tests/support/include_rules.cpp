#include "tests/support/include_rules.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <map>
#include <set>
#include <string_view>

namespace retort::tests {

namespace {

namespace fs = std::filesystem;

struct Include {
    int line = 0;
    bool quoted = false;
    std::string target;
};
using IncludeMap = std::map<std::string, std::vector<Include>>; // by path from the root

/// Lowest first; store knows runs and answers.
constexpr std::array<std::string_view, 15> kCoreOrder = {"base",     "plugin",  "text",   "data",  "kernels", "model",  "inference", "distil",
                                                         "compress", "measure", "remote", "store", "desk",    "lesson", "report"};

std::vector<Include> includes_of(const fs::path& file)
{
    std::vector<Include> found;
    std::ifstream in(file);
    std::string line;
    for (int number = 1; std::getline(in, line); ++number) {
        std::string_view text = line;
        text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
        if (!text.starts_with('#')) {
            continue;
        }
        text.remove_prefix(1);
        text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
        if (!text.starts_with("include")) {
            continue;
        }
        const auto open = text.find_first_of("<\"");
        if (open == std::string_view::npos) {
            continue; // a macro
        }
        const bool quoted = text[open] == '"';
        const auto close = text.find(quoted ? '"' : '>', open + 1);
        found.push_back({number, quoted, std::string(text.substr(open + 1, close - open - 1))});
    }
    return found;
}

IncludeMap all_includes(const fs::path& root)
{
    IncludeMap files;
    for (const std::string_view top : {"core", "ui", "app", "plugins"}) {
        const fs::path folder = root / top;
        if (!fs::is_directory(folder)) {
            continue;
        }
        for (const auto& entry : fs::recursive_directory_iterator(folder)) {
            const auto extension = entry.path().extension();
            if (extension == ".h" || extension == ".cpp" || extension == ".inl") {
                files[fs::relative(entry.path(), root).generic_string()] = includes_of(entry.path());
            }
        }
    }
    return files;
}

bool is_qt(std::string_view target)
{
    return target.size() > 1 && target[0] == 'Q' && target[1] >= 'A' && target[1] <= 'Z';
}

bool is_torch(std::string_view target)
{
    return target.starts_with("torch/") || target.starts_with("ATen/") || target.starts_with("c10/");
}

/// Place of a file's folder in kCoreOrder, or -1 outside core/.
int core_place(std::string_view path)
{
    if (!path.starts_with("core/")) {
        return -1;
    }
    path.remove_prefix(5);
    const auto found = std::ranges::find(kCoreOrder, path.substr(0, path.find('/')));
    return found == kCoreOrder.end() ? -1 : static_cast<int>(found - kCoreOrder.begin());
}

/// Whether `file` comes to a torch header through headers of the repository.
bool reaches_torch(const IncludeMap& files, const std::string& file, std::set<std::string>& seen)
{
    const auto found = files.find(file);
    if (found == files.end() || !seen.insert(file).second) {
        return false;
    }
    return std::ranges::any_of(found->second, [&](const Include& include) {
        return is_torch(include.target) || (include.quoted && reaches_torch(files, include.target, seen));
    });
}

std::string complaint(const IncludeMap& files, const fs::path& root, const std::string& file, const Include& include)
{
    const std::string_view target = include.target;
    const bool in_core = file.starts_with("core/");
    const bool in_window = file.starts_with("ui/") || file.starts_with("app/");
    if (in_core && (is_qt(target) || target == "qcustomplot.h")) {
        return "core/ includes no Qt";
    }
    if (in_window && is_torch(target)) {
        return "ui/ and app/ include no torch";
    }
    if (target == "qcustomplot.h" && file != "ui/plot/qcp.h") {
        return "qcustomplot.h is included by ui/plot/qcp.h alone";
    }
    if (!include.quoted || target.ends_with(".moc")) {
        return {};
    }
    if (!fs::is_regular_file(root / target)) {
        return "a quoted path starts at the repository's root and exists";
    }
    if (in_core && (target.starts_with("ui/") || target.starts_with("app/") || target.starts_with("plugins/"))) {
        return "core/ never includes ui/, app/ or plugins/";
    }
    if (file.starts_with("ui/") && target.starts_with("app/")) {
        return "ui/ never includes app/";
    }
    if (target == "ui/plot/qcp.h" && !file.starts_with("ui/plot/")) {
        return "only ui/plot/ includes ui/plot/qcp.h";
    }
    if (in_core && core_place(target) > core_place(file)) {
        return "a folder of core/ includes only itself and those below it";
    }
    if (std::set<std::string> seen; in_window && reaches_torch(files, include.target, seen)) {
        return "this header brings torch into ui/ or app/";
    }
    return {};
}

} // namespace

std::vector<std::string> include_violations(const fs::path& root)
{
    const IncludeMap files = all_includes(root);
    std::vector<std::string> violations;
    for (const auto& [file, includes] : files) {
        for (const Include& include : includes) {
            if (const std::string why = complaint(files, root, file, include); !why.empty()) {
                violations.push_back(file + ":" + std::to_string(include.line) + ": " + include.target + ": " + why);
            }
        }
    }
    return violations;
}

} // namespace retort::tests
