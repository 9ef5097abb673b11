#pragma once
#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace retort {

/// Why something could not be done, said so that a person can act on it.
struct Error {
    enum class Kind { Io, BadFile, Mismatch, OutOfMemory, Cancelled, Usage, Remote, Plugin, Bug };

    Kind kind = Kind::Bug;
    std::string message; ///< One sentence: what was expected, what came, what to do. Plain text; may quote hostile input, so never shown as HTML.
    std::string detail;  ///< For the log; may be empty.
};

template <class T>
using Result = tl::expected<T, Error>;

/// `return failure(Error::Kind::BadFile, "...")` from any function that gives a Result.
[[nodiscard]] inline tl::unexpected<Error> failure(Error::Kind kind, std::string message, std::string detail = {})
{
    return tl::unexpected<Error>(Error{kind, std::move(message), std::move(detail)});
}

/// Passes a failure on, whatever the value type of the Result it came in was.
[[nodiscard]] inline tl::unexpected<Error> failure(Error error)
{
    return tl::unexpected<Error>(std::move(error));
}

[[nodiscard]] inline tl::unexpected<Error> cancelled()
{
    return failure(Error::Kind::Cancelled, "Cancelled.");
}

/// Runs `work`, which gives a Result, and turns whatever it throws (std::bad_alloc, std::exception, anything) into an Error of `doing`.
/// c10::Error derives from std::exception; what it says before its stack trace is kept as the message and the whole as the detail.
[[nodiscard]] Error error_from_current_exception(const char* doing) noexcept;

template <class Work>
auto guard(const char* doing, Work&& work) -> decltype(work())
{
    try {
        return std::forward<Work>(work)();
    } catch (...) {
        return tl::unexpected<Error>(error_from_current_exception(doing));
    }
}

} // namespace retort
