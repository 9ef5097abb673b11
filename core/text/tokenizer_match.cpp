#include "core/text/message.h"
#include "core/text/tokenizer.h"
#include "core/text/unicode.h"

#include <algorithm>

namespace retort {

namespace {

/// Texts in which normalizers and pre-tokenizers show: case, numbers, runs of blanks, line ends, accents in both forms, scripts, signs.
constexpr std::string_view kProbes[] = {
    "Hello, world! It's 3.14159 o'clock, isn't it?",
    "  two  blanks   three\t\ttabs\n\n\nlines\r\n end ",
    "I'LL we'Ve THEY'D 1234567890 12 345 x9y",
    "caf\xC3\xA9 cafe\xCC\x81 na\xC3\xAFve \xC5\xBB\xC3\xB3\xC5\x82w \xEF\xAC\x81ne \xC2\xBD \xC2\xB2",
    "\xE4\xBD\xA0\xE5\xA5\xBD\xE4\xB8\x96\xE7\x95\x8C \xE3\x81\x93\xE3\x82\x93 \xED\x95\x9C\xEA\xB5\xAD\xEC\x96\xB4 \xEF\xBC\xA1\xEF\xBC\x91",
    "\xD0\x9F\xD1\x80\xD0\xB8\xD0\xB2\xD0\xB5\xD1\x82 \xD8\xB3\xD9\x84\xD8\xA7\xD9\x85 "
    "\xE0\xA4\xA8\xE0\xA4\xAE\xE0\xA4\xB8\xE0\xA5\x8D\xE0\xA4\xA4\xE0\xA5\x87 \xD9\xA3\xD9\xA4",
    "def f(x):\n    return {'a': [x**2, -1], \"b\": x != 0}  # ok\n",
    "https://example.org/a_b?c=d&e=%20 $9.99 50% #1 @me",
    "\xF0\x9F\x98\x80\xF0\x9F\x91\x8D\xF0\x9F\x8F\xBD \xE2\x80\x9Cquoted\xE2\x80\x9D \xE2\x80\x94 dash\xE2\x80\xA6 \xC2\xA0hard",
    "\xE2\x96\x81under \xE2\x96\x81\xE2\x96\x81twice",
    "camelCase XMLHttpRequest snake_case UPPER lower",
    " ",
    "\n",
    "a"};

/// The blank's mark of SentencePiece is a blank in the user-defined pieces of GGUF files.
bool same_spelling(std::string_view a, std::string_view b)
{
    constexpr std::string_view kBlank = "\xE2\x96\x81";
    return a == b || with_replaced(a, kBlank, " ") == with_replaced(b, kBlank, " ");
}

/// Why piece `id` is not the same to both; empty when it is.
std::string difference_at(const Tokenizer& teacher, const Tokenizer& student, TokenId id)
{
    if (teacher.is_unused(id) && student.is_unused(id)) {
        return {};
    }
    if (teacher.is_unused(id) || student.is_unused(id)) {
        const bool teachers = student.is_unused(id);
        const Tokenizer& owner = teachers ? teacher : student;
        return std::string("only the ") + (teachers ? "teacher" : "student") + " has " + quoted(owner.spelling(id)) + " as piece " +
               std::to_string(id);
    }
    if (same_spelling(teacher.spelling(id), student.spelling(id))) {
        return {};
    }
    return "piece " + std::to_string(id) + " is " + quoted(teacher.spelling(id)) + " to the teacher and " + quoted(student.spelling(id)) +
           " to the student";
}

} // namespace

TokenizerMatch compare_tokenizers(const Tokenizer& teacher, const Tokenizer& student)
{
    const std::string pieces = std::to_string(std::min(teacher.size(), student.size()));
    if (teacher.fingerprint() == student.fingerprint()) {
        return {true, "Both cut text into the same " + pieces + " pieces."};
    }
    const auto end = static_cast<TokenId>(std::max(teacher.size(), student.size()));
    for (TokenId id = 0; id < end; ++id) {
        const std::string difference = difference_at(teacher, student, id);
        if (difference.empty()) {
            continue;
        }
        if (teacher.kind() != student.kind()) {
            return {false,
                    "The teacher cuts text by " + teacher.kind() + ", the student by " + student.kind() + ": their pieces have nothing in common."};
        }
        return {false, "Their vocabularies differ (" + std::to_string(teacher.size()) + " and " + std::to_string(student.size()) +
                           " pieces): " + difference + "."};
    }
    for (const std::string_view probe : kProbes) {
        if (teacher.encode(probe) != student.encode(probe)) {
            return {true, "Both have the same " + pieces + " pieces, but their files prepare text differently: " + quoted(probe, 60) +
                              " is cut differently by each."};
        }
    }
    return {true, "Both cut text into the same " + pieces + " pieces."};
}

} // namespace retort
