#pragma once
#include "core/desk/exchange.h"
#include "ui/widgets/card.h"

#include <QString>
#include <QStringList>
#include <QTimer>
#include <functional>
#include <optional>

class QHBoxLayout;
class QLabel;
class QMenu;
class QPlainTextEdit;
class QPushButton;

namespace retort {

class ChoiceBox;
class SamplerPopup;

/// Where a question to both models is written: text, chat or plain, settings, examples, earlier ones. Knows no model. GUI thread.
class PromptBar : public Card {
    Q_OBJECT

public:
    explicit PromptBar(QWidget* parent = nullptr);

    [[nodiscard]] Question question() const;
    /// The text of a question asked elsewhere; the settings stay the person's.
    void showQuestion(const Question& question);
    [[nodiscard]] GenerateSettings settings() const;
    void showSettings(const GenerateSettings& settings);
    void setRunning(bool running);
    /// Counts the text's tokens, called a moment after typing stops; empty where nobody can.
    void setCounter(std::function<std::optional<std::size_t>(const QString&)> counter);
    void setExamples(const QStringList& examples, bool chat);
    void setEarlier(const std::vector<ExchangeHead>& prompts);
    void focusPrompt();
    void run(); ///< an empty prompt runs the first example
    void countTokens();

Q_SIGNALS:
    void settingsChanged();
    void runRequested();
    void stopRequested();
    void earlierChosen(qint64 row);

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;

private:
    void buildRow(QHBoxLayout& row);
    void fitHeight();

    QPlainTextEdit* m_text;
    ChoiceBox* m_mode;
    QLabel* m_tokens;
    QPushButton* m_sampler_button;
    SamplerPopup* m_sampler;
    QPushButton* m_earlier;
    QMenu* m_earlier_menu;
    QPushButton* m_run;
    QPushButton* m_stop;
    QBoxLayout* m_body; ///< the text, and the row of what belongs to it: beside or below
    QWidget* m_examples;
    QStringList m_example_texts;
    std::function<std::optional<std::size_t>(const QString&)> m_counter;
    QTimer m_count_due;
};

} // namespace retort
