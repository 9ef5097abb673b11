#include "core/model/load_report.h"

#include "core/base/text_format.h"

#include <algorithm>

namespace retort {

namespace {

std::string count_of(std::size_t count, const char* what)
{
    return (count == 0 ? std::string("none") : std::to_string(count)) + " " + what;
}

} // namespace

std::string some_of(const std::vector<std::string>& names)
{
    constexpr std::size_t kMost = 4;
    std::string list;
    for (std::size_t i = 0; i < std::min(names.size(), kMost); ++i) {
        list += (i == 0 ? "" : ", ") + printable(names[i]);
    }
    return names.size() > kMost ? list + ", ..." : list;
}

std::string LoadReport::warning() const
{
    std::string line;
    const auto add = [&line](const std::string& sentence) { line += (line.empty() ? "" : " ") + sentence; };
    std::ranges::for_each(doubts, add);
    if (!ignored.empty()) {
        add(std::to_string(ignored.size()) + (ignored.size() == 1 ? " tensor of the files is" : " tensors of the files are") +
            " not used: " + some_of(ignored) + ".");
    }
    return line;
}

std::string LoadReport::summary() const
{
    return std::to_string(used) + " tensors used, " + count_of(ignored.size(), "not used") + ", " + count_of(missing.size(), "missing") + ", " +
           count_of(converted.size(), "converted");
}

} // namespace retort
