#pragma once
#include "core/desk/exchange.h"
#include "ui/pages/distributions/softening.h"
#include "ui/widgets/card.h"

class QLabel;
class QPushButton;
class QStackedWidget;

namespace retort {

class CandidateTable;

/// What both models expected at the cursor, ten best of each; choosing one lets both go on from there. GUI thread.
class CandidatesPanel : public Card {
    Q_OBJECT

public:
    explicit CandidatesPanel(QWidget* parent = nullptr);

    /// Nothing to show, and why.
    void showHint(const QString& hint);
    void showPosition(TokenPlace place, const ComparedPosition& position, const TokenLabel& label, bool can_continue);
    [[nodiscard]] CandidateTable& table() const { return *m_table; }
    void focusRows(); ///< for the keyboard; not while there are none
    [[nodiscard]] QSize sizeHint() const override;
    /// The row's token, by its place in the table; empty when there is none.
    [[nodiscard]] std::optional<TokenId> alternative(int row) const;

Q_SIGNALS:
    void alternativeChosen(retort::TokenId id);
    void distributionsWanted();

protected:
    void resizeEvent(QResizeEvent* event) override;

private:
    void fitWords();

    bool m_can_continue = false;
    QLabel* m_title;
    QLabel* m_coverage;
    QLabel* m_figures;
    QLabel* m_help;
    QPushButton* m_more;
    QStackedWidget* m_stack;
    QLabel* m_hint;
    CandidateTable* m_table;
};

} // namespace retort
