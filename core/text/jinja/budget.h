#pragma once
#include "core/text/jinja/value.h"

namespace retort::jinja {

/// What a running template may use up; counted in one place so that no filter, loop or recursion escapes it. One thread.
class Budget {
public:
    static constexpr std::size_t kMostSteps = 1'000'000;
    static constexpr std::size_t kMostText = 1 << 20;
    static constexpr int kDeepest = 100;

    /// `count` steps of work: one for each node run, and one for every 64 bytes made.
    void spend(std::size_t count)
    {
        m_steps += count;
        if (m_steps > kMostSteps) {
            throw Problem("it takes more than 1,000,000 steps", 0);
        }
    }
    /// Passes a text on, which may be long only so often.
    [[nodiscard]] std::string made(std::string text)
    {
        if (text.size() > kMostText) {
            throw Problem("it makes a text of more than 1 MiB", 0);
        }
        spend(text.size() / 64);
        return text;
    }

private:
    std::size_t m_steps = 0;
};

} // namespace retort::jinja
