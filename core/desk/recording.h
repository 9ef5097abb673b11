#pragma once
#include "core/store/session.h"

#include <string>

namespace retort {

/// What of a session was recorded beforehand, and comes with Retort instead of from this machine: its rows up to these.
struct Recording {
    std::string on;      ///< date, ISO 8601
    std::string machine; ///< "Intel(R) Xeon(R) Processor, 2 processors"
    RowId last_prompt = 0, last_run = 0;
};

} // namespace retort
