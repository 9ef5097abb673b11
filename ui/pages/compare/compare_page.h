#pragma once
#include "core/desk/exchange.h"
#include "ui/pages/compare/column_content.h"
#include "ui/pages/distributions/softening.h"

#include <QKeySequence>
#include <QWidget>
#include <array>
#include <optional>
#include <vector>

class QAction;
class QLabel;
class QSplitter;

namespace retort {

class AnswerColumn;
class CandidatesPanel;
class CompareTools;
class Notice;
class PromptBar;
class StripBar;
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
    void buildActions();
    QAction* addPageAction(const QString& text, const QList<QKeySequence>& keys, const char* name, const QString& tip);
    void connectColumns();
    void offerExports();
    void connectWorkbench();

    void run();
    void showModels();
    void showExchange();
    void restoreView(); ///< tint, whose text and sampler, as the session remembers them
    void showTokens(Role text_of, std::size_t first);
    void showSide(Role role);
    void showComparison();
    void showCursor();
    void showParting();
    void setTextView(TextView view);
    void setTint(Tint tint);
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
    Role m_active = Role::Teacher; ///< the column whose text the cursor stands in
    std::optional<Role> m_maximised;
    bool m_scrolling = false; ///< one column is following the other
    RowId m_session = 0;      ///< whose question stands in the prompt

    PromptBar* m_prompt;
    CompareTools* m_tools;
    std::array<AnswerColumn*, 2> m_columns{};
    QSplitter* m_texts;   ///< the two columns
    QSplitter* m_results; ///< the texts, and the candidates beside or below them
    CandidatesPanel* m_candidates;
    QLabel* m_parting;
    StripBar* m_strip;
    Notice* m_told;
};

} // namespace retort
