#include "core/base/error.h"

#include <exception>
#include <new>
#include <string_view>

namespace retort {

namespace {

/// LibTorch appends a C++ stack trace to what(); a person needs the sentence before it.
std::string first_sentence(std::string_view what)
{
    for (const std::string_view marker : {"\nException raised from", "\nC++ CapturedTraceback"}) {
        what = what.substr(0, what.find(marker));
    }
    return std::string(what.substr(0, what.find('\n')));
}

} // namespace

Error error_from_current_exception(const char* doing) noexcept
{
    try {
        throw;
    } catch (const std::bad_alloc&) {
        return {
            Error::Kind::OutOfMemory, std::string(doing) + ": there is not enough free memory. Close other programs or choose a smaller model.", {}};
    } catch (const std::exception& e) {
        const std::string_view what = e.what();
        // c10's allocator reports exhaustion as a c10::Error, not as bad_alloc.
        if (what.find("can't allocate memory") != std::string_view::npos || what.find("not enough memory") != std::string_view::npos) {
            return {Error::Kind::OutOfMemory,
                    std::string(doing) + ": there is not enough free memory. Close other programs or choose a smaller model.", std::string(what)};
        }
        return {Error::Kind::Bug, std::string(doing) + ": " + first_sentence(what), std::string(what)};
    } catch (...) {
        return {Error::Kind::Bug, std::string(doing) + ": something of unknown type was thrown.", {}};
    }
}

} // namespace retort
