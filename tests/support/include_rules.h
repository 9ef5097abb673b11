#pragma once
#include <filesystem>
#include <string>
#include <vector>

namespace retort::tests {

/// The sentences "FILE:LINE: why" for every #include under `root` that goes against the direction of the arrows or over a fence:
/// 1. core/ includes no Qt.  2. ui/ and app/ include no torch, ATen or c10, not even through a header of core.  3. core/ never includes ui/, app/ or
/// plugins/, ui/ never app/.  4. Only ui/plot/ includes ui/plot/qcp.h, and only that includes qcustomplot.h.  5. Within core/ a folder includes only
/// itself and those below it.  6. Quoted paths start at the repository's root and exist.
[[nodiscard]] std::vector<std::string> include_violations(const std::filesystem::path& root);

} // namespace retort::tests
