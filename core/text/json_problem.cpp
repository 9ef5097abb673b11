#include "core/text/json_problem.h"

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>

namespace retort {

namespace {

/// Accepts every value and keeps the first complaint of the parser.
struct Complaint : nlohmann::json_sax<nlohmann::json> {
    bool null() override { return true; }
    bool boolean(bool /*value*/) override { return true; }
    bool number_integer(number_integer_t /*value*/) override { return true; }
    bool number_unsigned(number_unsigned_t /*value*/) override { return true; }
    bool number_float(number_float_t /*value*/, const string_t& /*spelling*/) override { return true; }
    bool string(string_t& /*value*/) override { return true; }
    bool binary(binary_t& /*value*/) override { return true; }
    bool start_object(std::size_t /*size*/) override { return true; }
    bool key(string_t& /*value*/) override { return true; }
    bool end_object() override { return true; }
    bool start_array(std::size_t /*size*/) override { return true; }
    bool end_array() override { return true; }
    bool parse_error(std::size_t position, const std::string& /*token*/, const nlohmann::json::exception& exception) override
    {
        at = position;
        words = exception.what();
        return false;
    }

    std::size_t at = 0; ///< bytes read when it was noticed
    std::string words;
};

/// The name of no JSON number that stands around byte `at`, empty when there is none.
std::string_view python_number_at(std::string_view text, std::size_t at)
{
    const auto is_letter = [&](std::size_t i) { return std::isalpha(static_cast<unsigned char>(text[i])) != 0; };
    std::size_t begin = std::min(at, text.size());
    while (begin > 0 && is_letter(begin - 1)) {
        --begin;
    }
    for (const std::string_view name : {"NaN", "Infinity"}) {
        if (text.substr(begin).starts_with(name)) {
            return name;
        }
    }
    return {};
}

} // namespace

std::string json_problem(std::string_view text)
{
    Complaint complaint;
    if (nlohmann::json::sax_parse(text.begin(), text.end(), &complaint)) {
        return {};
    }
    const std::string column = "column " + std::to_string(std::max<std::size_t>(1, std::min(complaint.at, text.size())));
    if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) {
        return "is empty where JSON was expected";
    }
    if (complaint.words.find("surrogate") != std::string::npos) {
        return "has half of a surrogate pair at " + column + " (\\uD800 to \\uDFFF come in twos); write the whole character or take it out";
    }
    if (const std::string_view number = python_number_at(text, complaint.at == 0 ? 0 : complaint.at - 1); !number.empty()) {
        return "has the number " + std::string(number) + " at " + column + ", which Python writes and JSON does not know; write null instead";
    }
    if (complaint.at > text.size() || complaint.words.find("unexpected end of input") != std::string::npos ||
        complaint.words.find("missing closing quote") != std::string::npos) {
        return "ends before its JSON is complete, as a file does that was cut off; fetch the file again or take the line out";
    }
    return "is not JSON from " + column + " on";
}

} // namespace retort
