#include "core/text/pattern.h"

#include "core/base/log.h"
#include "core/text/message.h"
#include "core/text/unicode.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <ctime>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

namespace retort {

namespace {

constexpr std::size_t kMostExpression = 64 * 1024;
constexpr std::uint32_t kMostSteps = 10'000'000;
constexpr std::uint32_t kMostDepth = 10'000;
constexpr std::uint32_t kMostHeapKib = 64 * 1024;
constexpr std::size_t kStartsOfALook = 256; // PCRE2's limits count from each start of a match anew, so starts are limited here
constexpr std::size_t kEffortOfALook = 64;
constexpr double kSecondsOfAText = 0.5;
constexpr double kSecondsOfAByte = 0.5e-6;     // ten times what the slowest of the models' own expressions takes
constexpr std::size_t kFirstStack = 64 * 1024; // of machine code; grows as needed
constexpr std::size_t kMostStack = std::size_t{16} << 20;

/// Rewrites an Oniguruma expression (Ruby syntax) for PCRE2.
///
/// \s differs in one code point (U+180E), measured over all of Unicode, \w in marks and connectors, and \b with it. What would be read differently
/// without a sign of it is refused: set operations and nested classes, \h, and {n,m}+ (greedy twice there, possessive here).
class Translation {
public:
    explicit Translation(std::string_view expression) : m_in(expression) {}

    Result<std::string> run()
    {
        while (m_at < m_in.size() && m_refused.empty()) {
            step();
        }
        if (!m_refused.empty()) {
            return refusal("the regular expression " + quoted(m_in) + " uses " + m_refused + ", which is not supported");
        }
        return std::move(m_out);
    }

private:
    static constexpr std::string_view kSpaces = R"(\t-\r\x{20}\x{85}\p{Z})";
    static constexpr std::string_view kWords = R"(\p{L}\p{M}\p{N}\p{Pc})";

    void step()
    {
        const char c = m_in[m_at];
        if (c == '\\' && m_at + 1 < m_in.size()) {
            escape(m_in[m_at + 1]);
            m_at += 2;
            return;
        }
        if (m_in_class) {
            class_character(c);
        } else if (c == '[') {
            open_class();
            return;
        } else if (c == '}' && m_in.substr(m_at + 1, 1) == "+" && is_interval()) {
            m_refused = "\"}+\"";
        }
        m_out += c;
        ++m_at;
    }

    void escape(char c)
    {
        if (c == 's') {
            m_out.append(m_in_class ? "" : "[").append(kSpaces).append(m_in_class ? "" : "]");
        } else if (c == 'S' && !m_in_class) {
            m_out.append("[^").append(kSpaces).append("]");
        } else if (c == 'w' || (c == 'W' && !m_in_class)) {
            m_out.append(m_in_class ? "" : c == 'w' ? "[" : "[^").append(kWords).append(m_in_class ? "" : "]");
        } else if ((c == 'b' || c == 'B') && !m_in_class) {
            const std::string word = std::string("[").append(kWords).append("]");
            m_out += c == 'b' ? "(?:(?<=" + word + ")(?!" + word + ")|(?<!" + word + ")(?=" + word + "))"
                              : "(?:(?<=" + word + ")(?=" + word + ")|(?<!" + word + ")(?!" + word + "))";
        } else if (c == 'h' || c == 'H' || c == 'K' || c == 'Q' || c == 'C' || c == 'G') {
            m_refused = std::string("\\") + c;
        } else {
            m_out += '\\';
            m_out += c;
        }
    }

    void class_character(char c)
    {
        if (c == ']') {
            m_in_class = false;
        } else if (c == '[') {
            m_refused = "a class inside a class";
        } else if (m_in.substr(m_at, 2) == "&&") {
            m_refused = "\"&&\" in a class";
        }
    }

    void open_class()
    {
        m_in_class = true;
        m_out += m_in[m_at++];
        if (m_at < m_in.size() && m_in[m_at] == '^') {
            m_out += m_in[m_at++];
        }
        if (m_at < m_in.size() && m_in[m_at] == ']') {
            m_out += "\\]";
            ++m_at;
        }
    }

    [[nodiscard]] bool is_interval() const
    {
        const std::size_t open = m_in.substr(0, m_at).rfind('{');
        return open != std::string_view::npos && m_in.substr(open + 1, m_at - open - 1).find_first_not_of("0123456789,") == std::string_view::npos;
    }

    std::string_view m_in;
    std::string m_out;
    std::string m_refused;
    std::size_t m_at = 0;
    bool m_in_class = false;
};

struct FreeMatchData {
    void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
};

struct FreeStack {
    void operator()(pcre2_jit_stack* stack) const { pcre2_jit_stack_free(stack); }
};

/// The 32 KiB that PCRE2 uses on its own are enough for no repeated group over a long text.
pcre2_jit_stack* stack_of_thread(void* /*unused*/)
{
    static thread_local const std::unique_ptr<pcre2_jit_stack, FreeStack> stack(pcre2_jit_stack_create(kFirstStack, kMostStack, nullptr));
    return stack.get();
}

struct FreeContext {
    void operator()(pcre2_match_context* context) const { pcre2_match_context_free(context); }
};

pcre2_match_context* new_limits()
{
    pcre2_match_context* limits = pcre2_match_context_create(nullptr);
    pcre2_set_match_limit(limits, kMostSteps);
    pcre2_set_depth_limit(limits, kMostDepth);
    pcre2_set_heap_limit(limits, kMostHeapKib);
    pcre2_jit_stack_assign(limits, stack_of_thread, nullptr);
    return limits;
}

/// Processor time of this thread, seconds: a machine that is busy with other things makes no expression slow.
double thread_seconds()
{
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// One block and one set of limits per thread: a look is over before the next begins, and making them costs as much as a match.
pcre2_match_data* match_data_of_thread()
{
    static thread_local const std::unique_ptr<pcre2_match_data, FreeMatchData> data(pcre2_match_data_create(1, nullptr));
    return data.get();
}

pcre2_match_context* limits_of_thread()
{
    static thread_local const std::unique_ptr<pcre2_match_context, FreeContext> limits(new_limits());
    return limits.get();
}

} // namespace

struct Pattern::Code {
    pcre2_code* code = nullptr;
    bool compiled = false;                  ///< to machine code
    std::string literal;                    ///< when code is null
    mutable std::atomic<bool> told = false; ///< that a limit was reached

    Code() = default;
    Code(const Code&) = delete;
    Code& operator=(const Code&) = delete;
    ~Code() { pcre2_code_free(code); }
};

Result<Pattern> Pattern::literal(std::string_view text)
{
    if (text.empty()) {
        return refusal("a pattern is the empty string");
    }
    auto code = std::make_shared<Code>();
    code->literal = text;
    Pattern pattern;
    pattern.m_source.append("\"").append(text).append("\"");
    pattern.m_code = std::move(code);
    return pattern;
}

Result<Pattern> Pattern::regex(std::string_view expression)
{
    if (expression.size() > kMostExpression) {
        return refusal("a regular expression is " + format_bytes(expression.size()) + " long");
    }
    auto translated = Translation(expression).run();
    if (!translated) {
        return failure(translated.error());
    }
    int error = 0;
    PCRE2_SIZE place = 0;
    auto code = std::make_shared<Code>();
    // Oniguruma's ^ and $ are those of lines.
    code->code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(translated->data()), translated->size(),
                               PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_USE_OFFSET_LIMIT, &error, &place, nullptr);
    if (!code->code) {
        std::array<PCRE2_UCHAR, 200> text{};
        pcre2_get_error_message(error, text.data(), text.size());
        return refusal("the regular expression " + quoted(expression) + " cannot be read (" +
                       std::string(reinterpret_cast<const char*>(text.data())) + ")");
    }
    code->compiled = pcre2_jit_compile(code->code, PCRE2_JIT_COMPLETE) == 0;
    Pattern pattern;
    pattern.m_source = expression;
    pattern.m_code = std::move(code);
    return pattern;
}

std::string Pattern::replaced(std::string_view text, std::string_view content) const
{
    std::string out;
    std::size_t done = 0;
    Search search(*this, text);
    while (const auto match = search.next()) {
        out.append(text, done, match->begin - done).append(content);
        done = match->end;
    }
    return out.append(text, done);
}

Pattern::Search::Search(const Pattern& pattern, std::string_view text) : m_pattern(pattern), m_text(text) {}

bool Pattern::Search::is_overdue(std::size_t starts_tried)
{
    m_effort += 1 + starts_tried / 16;
    if (m_effort < kEffortOfALook) {
        return false;
    }
    m_effort = 0;
    const double now = thread_seconds();
    if (!m_deadline) {
        m_deadline = now + kSecondsOfAText + kSecondsOfAByte * static_cast<double>(m_text.size());
    }
    return now > *m_deadline;
}

int Pattern::Search::look()
{
    const Code& code = *m_pattern.m_code;
    const auto* subject = reinterpret_cast<PCRE2_SPTR>(m_text.data());
    const auto match = code.compiled ? pcre2_jit_match : pcre2_match;
    pcre2_match_context* limits = limits_of_thread();
    for (std::size_t from = m_at;;) {
        std::size_t last = std::min(from + kStartsOfALook, m_text.size());
        while (last < m_text.size() && (static_cast<unsigned char>(m_text[last]) & 0xC0U) == 0x80U) {
            ++last;
        }
        pcre2_set_offset_limit(limits, last);
        const int found = match(code.code, subject, m_text.size(), from, PCRE2_NO_UTF_CHECK, match_data_of_thread(), limits);
        const bool ended = found != PCRE2_ERROR_NOMATCH || last == m_text.size();
        const std::size_t reached = found >= 0 ? pcre2_get_ovector_pointer(match_data_of_thread())[0] : last;
        if (is_overdue(reached - std::min(reached, from)) && !(ended && found == PCRE2_ERROR_NOMATCH)) {
            return PCRE2_ERROR_MATCHLIMIT;
        }
        if (ended) {
            return found;
        }
        from = last + code_point_at(m_text, last).length;
    }
}

std::optional<Pattern::Match> Pattern::Search::next()
{
    const Code& code = *m_pattern.m_code;
    if (!code.code) {
        const std::size_t found = m_text.find(code.literal, m_at);
        if (found == std::string_view::npos) {
            return std::nullopt;
        }
        m_at = found + code.literal.size();
        return Match{found, m_at};
    }
    while (m_at <= m_text.size()) {
        const int found_groups = look();
        if (found_groups < 0) {
            if (found_groups != PCRE2_ERROR_NOMATCH && !code.told.exchange(true)) {
                log_line(LogLevel::Warning, "The regular expression " + quoted(m_pattern.source(), 200) +
                                                " of a tokenizer reached its limit at byte " + std::to_string(m_at) + " of a text of " +
                                                format_bytes(m_text.size()) + "; what follows there stays in one piece.");
            }
            return std::nullopt;
        }
        const PCRE2_SIZE* found = pcre2_get_ovector_pointer(match_data_of_thread());
        const Match result{found[0], found[1]};
        if (result.begin == result.end) {
            m_at = result.end < m_text.size() ? result.end + code_point_at(m_text, result.end).length : m_text.size() + 1;
            if (m_last_end == result.end) {
                continue; // an empty match right behind a match says nothing new
            }
        } else {
            m_at = result.end;
        }
        m_last_end = result.end;
        return result;
    }
    return std::nullopt;
}

} // namespace retort
