#pragma once
#include "core/base/error.h"
#include "core/base/text_format.h"

namespace retort {

/// A stranger's words for use in a message: made printable, cut to a few, in quotation marks.
[[nodiscard]] inline std::string quoted(std::string_view text, std::size_t limit = 40)
{
    return std::string(1, '"').append(printable(text, limit)).append(1, '"');
}

/// A BadFile whose message is a part of a sentence; whoever knows the file's name makes it whole.
[[nodiscard]] inline tl::unexpected<Error> refusal(std::string what)
{
    return failure(Error::Kind::BadFile, std::move(what));
}

} // namespace retort
