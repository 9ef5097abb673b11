#pragma once
#include <functional>
#include <stop_token>
#include <string_view>

namespace retort {

/// How long work reports itself and learns that it is no longer wanted. Both parts may be left empty.
struct Progress {
    /// `fraction` from 0 to 1 within `stage` ("Reading tensors"). Called on the thread that works, at most some hundred times.
    std::function<void(std::string_view stage, double fraction)> report;
    std::stop_token stop;

    void at(std::string_view stage, double fraction) const
    {
        if (report) {
            report(stage, fraction);
        }
    }
    [[nodiscard]] bool cancelled() const { return stop.stop_requested(); }
};

} // namespace retort
