#pragma once
#include "ui/pages/compare/column_content.h"
#include "ui/pages/distributions/softening.h"
#include "ui/workbench_state.h"

#include <QKeySequence>
#include <QWidget>
#include <array>
#include <optional>
#include <vector>

class QAction;
class QCheckBox;
class QHBoxLayout;
class QLabel;
class QPushButton;
class QSplitter;

namespace retort {

class AnswerColumn;
class CandidatesPanel;
class ChoiceBox;
class KlStrip;
class PromptBar;
class TintLegend;
class TokenCursor;
class Workbench;

/// One prompt, both models: their answers side by side token for token, with one cursor, the KL along the text, and both models' best at the cursor.
class ComparePage : public QWidget {
    Q_OBJECT

public:
    explicit ComparePage(Workbench& workbench, QWidget* parent = nullptr);

protected:
    void keyPressEvent(QKeyEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;

private:
    QWidget* buildTools();
    void buildViewSwitch(QHBoxLayout& row);
    QWidget* buildStrip();
    void buildActions();
    QAction* addPageAction(const QString& text, const QList<QKeySequence>& keys, const char* name, const QString& tip);
    void connectColumns();
    void connectWorkbench();

    void run();
    void showModels();
    void showExchange();
    void showTokens(Role text_of, std::size_t first);
    void showSide(Role role);
    void showComparison();
    void showCursor();
    void showParting();
    void setTextView(TextView view);
    void setTint(Tint tint);
    void cycleTint();
    void toggleMaximised(std::optional<Role> which);
    void jumpTo(Jump kind);
    void cursorMoved(std::optional<std::size_t> position);
    void followWorkbenchCursor(std::optional<TokenPlace> place);
    void takeAlternative(TokenId id);
    void fitColumns();

    [[nodiscard]] AnswerColumn& column(Role role) const { return *m_columns[index_of(role)]; }
    [[nodiscard]] Role textAtCursor() const { return text_in(m_text_view, m_active); }
    [[nodiscard]] TokenLabel label() const;

    Workbench& m_workbench;
    TokenCursor* m_cursor;
    TextView m_text_view = TextView::Free;
    Tint m_tint = Tint::Kl;
    Role m_active = Role::Teacher; ///< the column whose text the cursor stands in
    std::optional<Role> m_maximised;
    bool m_scrolling = false; ///< one column is following the other

    PromptBar* m_prompt;
    std::array<AnswerColumn*, 2> m_columns{};
    QSplitter* m_beside;
    ChoiceBox* m_tint_choice;
    TintLegend* m_legend;
    std::array<QPushButton*, 3> m_views{};
    QCheckBox* m_sync;
    QLabel* m_parting;
    KlStrip* m_strip;
    QLabel* m_mean;
    std::vector<QPushButton*> m_jumps;
    CandidatesPanel* m_candidates;
};

} // namespace retort
