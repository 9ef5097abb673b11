#pragma once
#include "ui/plot/candidate_model.h"

#include <QHeaderView>
#include <QTableView>

namespace retort {

/// Mirrored bars that are a table: the teacher's grow to the left, the student's to the right, the token between them, the truth as a mark on both
/// sides. One scale for both. Rows can be read, walked with the keyboard, copied, and chosen by click or Enter. GUI thread.
class CandidateTable : public QTableView {
    Q_OBJECT

public:
    explicit CandidateTable(QWidget* parent = nullptr);

    void showRows(CandidateRows rows);
    [[nodiscard]] const CandidateModel& candidates() const { return m_candidates; }
    void copyTable() const;

Q_SIGNALS:
    /// A row was chosen by double click, Enter or its digit.
    void alternativeChosen(retort::TokenId id);

protected:
    void keyPressEvent(QKeyEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    void changeEvent(QEvent* event) override;

private:
    void fitColumns();
    void choose(int row);

    CandidateModel m_candidates;
};

} // namespace retort
