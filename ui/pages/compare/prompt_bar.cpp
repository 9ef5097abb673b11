#include "ui/pages/compare/prompt_bar.h"

#include "ui/pages/compare/sampler_popup.h"
#include "ui/theme/theme.h"
#include "ui/widgets/choice_box.h"
#include "ui/widgets/plain_label.h"

#include <QAbstractTextDocumentLayout>
#include <QHBoxLayout>
#include <QKeyEvent>
#include <QMenu>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QTextBlock>
#include <algorithm>
#include <cmath>

namespace retort {

namespace {

constexpr int kMostLines = 5;
constexpr std::size_t kEarlierShown = 20;
constexpr int kChat = 0, kPlain = 1;
constexpr int kOneRow = 860; // px from which the text and what belongs to it stand side by side

} // namespace

PromptBar::PromptBar(QWidget* parent)
    : Card(parent), m_text(new QPlainTextEdit), m_sampler(new SamplerPopup(this)), m_body(new QBoxLayout(QBoxLayout::LeftToRight)),
      m_examples(new QWidget)
{
    setFocusProxy(m_text);
    m_text->setObjectName(QStringLiteral("prompt"));
    m_text->setAccessibleName(tr("Prompt"));
    m_text->setPlaceholderText(tr("Type a prompt, press F5 or Ctrl+Enter. Both models answer the same text."));
    m_text->setTabChangesFocus(true);
    m_text->setSizeAdjustPolicy(QAbstractScrollArea::AdjustIgnored);
    m_text->installEventFilter(this);
    auto* row = new QHBoxLayout;
    row->setSpacing(space::s);
    buildRow(*row);
    auto* chips = new QHBoxLayout(m_examples);
    chips->setContentsMargins(0, 0, 0, 0);
    chips->setSpacing(space::s);
    m_body->setSpacing(space::s);
    m_body->addWidget(m_text, 1);
    m_body->addLayout(row);
    m_body->setAlignment(row, Qt::AlignTop);
    column()->setContentsMargins(space::s, space::s, space::s, space::s);
    column()->setSpacing(space::s);
    column()->addLayout(m_body);
    column()->addWidget(m_examples);
    m_count_due.setSingleShot(true);
    m_count_due.setInterval(150);
    connect(&m_count_due, &QTimer::timeout, this, &PromptBar::countTokens);
    connect(m_text, &QPlainTextEdit::textChanged, this, [this] {
        m_count_due.start();
        m_examples->setVisible(m_text->document()->isEmpty() && !m_example_texts.isEmpty());
        fitHeight();
    });
    connect(m_sampler, &SamplerPopup::changed, this, [this] {
        m_sampler_button->setText(m_sampler->summary());
        Q_EMIT settingsChanged();
    });
    m_sampler_button->setText(m_sampler->summary());
    setRunning(false);
    fitHeight();
}

void PromptBar::buildRow(QHBoxLayout& row)
{
    m_mode = new ChoiceBox;
    m_mode->setObjectName(QStringLiteral("mode"));
    m_mode->setAccessibleName(tr("How the text reaches the models"));
    m_mode->setToolTip(tr("Chat puts the model's own template around the text, where it has one; plain text goes in as it is"));
    m_mode->addItem(tr("Chat"), kChat);
    m_mode->addItem(tr("Plain text"), kPlain);
    m_tokens = plain_label(QString(), Type::Small, "muted");
    m_tokens->setObjectName(QStringLiteral("tokenCount"));
    m_sampler_button = new QPushButton;
    m_sampler_button->setObjectName(QStringLiteral("sampler"));
    m_sampler_button->setProperty("kind", QStringLiteral("quiet"));
    m_sampler_button->setToolTip(tr("How the next token is chosen, the same for both models"));
    connect(m_sampler_button, &QPushButton::clicked, this, [this] { m_sampler->openBelow(*m_sampler_button); });
    m_earlier = new QPushButton(tr("&Earlier"));
    m_earlier->setObjectName(QStringLiteral("earlier"));
    m_earlier->setProperty("kind", QStringLiteral("quiet"));
    m_earlier->setToolTip(tr("This session's questions and answers"));
    m_earlier_menu = new QMenu(m_earlier);
    m_earlier->setMenu(m_earlier_menu);
    m_earlier->setProperty("menu", true);
    m_stop = new QPushButton(tr("&Stop"));
    m_stop->setObjectName(QStringLiteral("stop"));
    m_stop->setToolTip(tr("Stop both answers (Esc)"));
    m_run = new QPushButton(tr("&Run both"));
    m_run->setObjectName(QStringLiteral("run"));
    m_run->setProperty("kind", QStringLiteral("primary"));
    m_run->setToolTip(tr("Put the prompt to both models (F5 or Ctrl+Enter)"));
    connect(m_run, &QPushButton::clicked, this, &PromptBar::run);
    connect(m_stop, &QPushButton::clicked, this, &PromptBar::stopRequested);
    row.addWidget(m_mode);
    row.addWidget(m_tokens);
    row.addWidget(m_sampler_button);
    row.addStretch();
    row.addWidget(m_earlier);
    row.addWidget(m_stop);
    row.addWidget(m_run);
}

Question PromptBar::question() const
{
    Question question;
    question.messages = {{"user", to_core(m_text->toPlainText())}};
    question.use_chat_template = m_mode->currentData().toInt() == kChat;
    question.settings = m_sampler->settings();
    return question;
}

void PromptBar::showQuestion(const Question& question)
{
    const QString text = question.messages.empty() ? QString() : to_qt(question.messages.back().content);
    if (text != m_text->toPlainText()) {
        m_text->setPlainText(text);
    }
}

GenerateSettings PromptBar::settings() const
{
    return m_sampler->settings();
}

void PromptBar::showSettings(const GenerateSettings& settings)
{
    m_sampler->showSettings(settings);
}

void PromptBar::setRunning(bool running)
{
    m_stop->setVisible(running);
    m_run->setVisible(!running);
}

void PromptBar::setCounter(std::function<std::optional<std::size_t>(const QString&)> counter)
{
    m_counter = std::move(counter);
    countTokens();
}

void PromptBar::countTokens()
{
    const auto count = m_counter ? m_counter(m_text->toPlainText()) : std::nullopt;
    m_tokens->setText(!count || *count == 0 ? QString() : *count == 1 ? tr("1 token") : tr("%1 tokens").arg(*count));
}

void PromptBar::setExamples(const QStringList& examples, bool chat)
{
    if (examples == m_example_texts) {
        return;
    }
    m_example_texts = examples;
    qDeleteAll(m_examples->findChildren<QPushButton*>());
    auto* row = static_cast<QHBoxLayout*>(m_examples->layout());
    while (row->count() > 0) {
        delete row->takeAt(0);
    }
    for (int i = 0; i < examples.size(); ++i) {
        auto* chip = new QPushButton(QString(examples[i]).replace(QLatin1Char('&'), QLatin1String("&&")));
        chip->setObjectName(QStringLiteral("example%1").arg(i));
        chip->setToolTip(tr("Ask this"));
        chip->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Fixed);
        chip->setMaximumWidth(chip->sizeHint().width());
        connect(chip, &QPushButton::clicked, this, [this, text = examples[i]] {
            m_text->setPlainText(text);
            run();
        });
        row->addWidget(chip, chip->sizeHint().width());
    }
    row->addStretch(1);
    m_mode->setCurrentIndex(m_mode->findData(chat ? kChat : kPlain));
    m_examples->setVisible(m_text->document()->isEmpty() && !examples.isEmpty());
}

void PromptBar::setEarlier(const std::vector<ExchangeHead>& prompts)
{
    m_earlier_menu->clear();
    const std::size_t first = prompts.size() > kEarlierShown ? prompts.size() - kEarlierShown : 0;
    for (std::size_t i = prompts.size(); i-- > first;) {
        const QString text = prompts[i].messages.empty() ? QString() : to_qt(prompts[i].messages.back().content);
        QString line = fontMetrics().elidedText(text.simplified(), Qt::ElideRight, 420);
        QAction* action = m_earlier_menu->addAction(line.replace(QLatin1Char('&'), QLatin1String("&&")));
        connect(action, &QAction::triggered, this, [this, row = static_cast<qint64>(prompts[i].id)] { Q_EMIT earlierChosen(row); });
    }
    m_earlier->setEnabled(!prompts.empty());
}

void PromptBar::focusPrompt()
{
    m_text->setFocus();
    m_text->selectAll();
}

void PromptBar::run()
{
    if (m_text->toPlainText().trimmed().isEmpty()) {
        if (m_example_texts.isEmpty()) {
            return;
        }
        m_text->setPlainText(m_example_texts.front());
    }
    Q_EMIT runRequested();
}

bool PromptBar::eventFilter(QObject* watched, QEvent* event)
{
    if (watched == m_text && event->type() == QEvent::Resize) {
        fitHeight();
    }
    if (watched == m_text && event->type() == QEvent::KeyPress) {
        const auto* key = static_cast<QKeyEvent*>(event);
        const bool enter = key->key() == Qt::Key_Return || key->key() == Qt::Key_Enter;
        // On an empty prompt Enter alone runs the first example.
        if (enter && (key->modifiers().testFlag(Qt::ControlModifier) || m_text->document()->isEmpty())) {
            run();
            return true;
        }
    }
    return Card::eventFilter(watched, event);
}

void PromptBar::resizeEvent(QResizeEvent* event)
{
    Card::resizeEvent(event);
    m_body->setDirection(width() < kOneRow ? QBoxLayout::TopToBottom : QBoxLayout::LeftToRight);
}

/// As tall as the text, from one line to a few; then it scrolls.
void PromptBar::fitHeight()
{
    const QTextDocument& document = *m_text->document();
    const int lines = static_cast<int>(document.size().height());
    double height = 0; // of what is shown: scripts that the font lacks come from fonts with higher lines
    int shown = 0;
    for (QTextBlock block = document.begin(); block.isValid() && shown < kMostLines; block = block.next()) {
        const double whole = document.documentLayout()->blockBoundingRect(block).height();
        const int count = std::max(1, block.layout()->lineCount());
        const int taken = std::min(count, kMostLines - shown);
        height += whole * taken / count;
        shown += taken;
    }
    height = std::max(height, static_cast<double>(m_text->fontMetrics().lineSpacing()));
    m_text->setVerticalScrollBarPolicy(lines > kMostLines ? Qt::ScrollBarAsNeeded : Qt::ScrollBarAlwaysOff);
    m_text->setFixedHeight(static_cast<int>(std::ceil(height + 2 * document.documentMargin())) + 12);
}

} // namespace retort
