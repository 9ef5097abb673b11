#pragma once
#include "core/desk/exchange.h"
#include "ui/pages/distributions/softening.h"

#include <QTimer>
#include <QWidget>
#include <optional>

class QLabel;
class QPushButton;
class QStackedWidget;
class QToolButton;

namespace retort {

class DistributionView;
class EmptyState;
class Notice;
class TokenView;
class TokenCursor;
class Workbench;

/// What both models expected at the cursor's token. Asks for the whole distributions when it is in sight and the models are loaded; shows what the
/// session kept otherwise.
class DistributionsPage : public QWidget {
    Q_OBJECT

public:
    explicit DistributionsPage(Workbench& workbench, QWidget* parent = nullptr);

protected:
    void showEvent(QShowEvent* event) override;

private:
    QWidget* buildText();
    void fitText();
    void connectWorkbench();
    void showPlace();
    void showText();
    void tellOrigin(TokenPlace at);
    void showSnapshot();
    void showKept();
    void offerWhole();
    [[nodiscard]] bool wholeCanCome() const;
    void moveTo(std::size_t position);
    [[nodiscard]] std::optional<TokenPlace> place() const;
    [[nodiscard]] TokenLabel label() const;
    [[nodiscard]] std::optional<TokenId> tokenAtPlace() const;

    Workbench& m_workbench;
    QTimer m_wanted;               ///< walking through a text with the key held down asks once, at its end
    std::optional<Role> m_text_of; ///< whose text stands in m_text
    std::uint64_t m_text_number = 0;
    std::optional<std::uint64_t> m_shown_of; ///< the exchange whose distributions m_view shows

    QStackedWidget* m_stack;
    EmptyState* m_empty;
    Notice* m_notice;
    TokenCursor* m_cursor;
    TokenView* m_text;
    QLabel* m_where;
    QToolButton* m_previous;
    QToolButton* m_next;
    DistributionView* m_view;
};

} // namespace retort
