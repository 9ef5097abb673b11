#pragma once
#include "core/desk/exchange.h"
#include "core/desk/recording.h"
#include "core/desk/role_state.h"
#include "ui/widgets/card.h"

class QLabel;
class QStackedWidget;
class QToolButton;

namespace retort {

class ElidedLabel;
class EmptyState;
class Notice;
class TokenCursor;
class TokenView;

/// One model's column: who answers, how fast, the text, or why there is none. GUI thread.
class AnswerColumn : public Card {
    Q_OBJECT

public:
    AnswerColumn(Role role, TokenCursor& cursor, QWidget* parent = nullptr);

    [[nodiscard]] TokenView& view() const { return *m_view; }
    /// Name, speed and error of this side; `text_of` says whose words stand here.
    void showSide(const Exchange& exchange, Role text_of);
    /// Says when and where the answer was recorded; empty: it was given here and now.
    void showRecording(const std::optional<Recording>& recording);
    /// What to say while there is no text: nobody is loaded, or nothing has been asked.
    void showRole(const RoleState& state, bool asked);
    void setMaximised(bool maximised);

Q_SIGNALS:
    void maximiseToggled();
    void demoWanted();
    void modelsWanted();

private:
    QWidget* buildHead();
    void showName(const QString& name);
    void showStats(const ExchangeSide& side);

    Role m_role;
    ElidedLabel* m_name;
    QLabel* m_stats;
    QLabel* m_recorded;
    QLabel* m_reads;
    QToolButton* m_maximise;
    Notice* m_error;
    QStackedWidget* m_stack;
    EmptyState* m_nobody;
    EmptyState* m_silent;
    TokenView* m_view;
};

} // namespace retort
