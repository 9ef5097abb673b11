#pragma once
#include "core/text/tokenizer.h"

#include <QString>
#include <optional>
#include <string>
#include <vector>

namespace retort {

/// One token among those that may come next: what each model gives it, and the truth where that is known.
struct CandidateRow {
    TokenId id = 0;
    QString label;
    std::string bytes{};                           ///< the piece as it is; empty where it is not known
    std::optional<double> teacher, student, truth; ///< probabilities; empty when not known
    bool chosen = false;                           ///< it is the token that stands in the text
};

/// The candidates at one position, as a table of bars shows them.
struct CandidateRows {
    std::vector<CandidateRow> rows;
    bool has_teacher = false, has_student = false, has_truth = false;
    /// An unknown probability is below this, because the model's list ended there; 0 where the list is complete.
    double teacher_floor = 0, student_floor = 0;
    double teacher_shown = 0, student_shown = 0; ///< sums over the rows
};

} // namespace retort
