#pragma once
#include "ui/plot/bar_table.h"
#include "ui/plot/candidate_model.h"

namespace retort {

/// Mirrored bars that are a table: the teacher's grow to the left, the student's to the right, the token between them, the truth as a mark on both
/// sides. One scale for both. Rows can be read, walked with the keyboard, copied, and chosen by click or Enter. GUI thread.
class CandidateTable : public BarTable {
    Q_OBJECT

public:
    explicit CandidateTable(QWidget* parent = nullptr);

    void showRows(CandidateRows rows);
    [[nodiscard]] const CandidateModel& candidates() const { return m_candidates; }

Q_SIGNALS:
    /// A row was chosen by double click, Enter or its digit.
    void alternativeChosen(retort::TokenId id);

protected:
    void keyPressEvent(QKeyEvent* event) override;
    void fitColumns() override;
    [[nodiscard]] QList<QStringList> table() const override;

private:
    void choose(int row);

    CandidateModel m_candidates;
};

} // namespace retort
