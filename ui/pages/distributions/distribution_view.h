#pragma once
#include "ui/pages/distributions/softening.h"
#include "ui/widgets/export.h"

#include <QTimer>
#include <QWidget>
#include <memory>

class QLabel;
class QPushButton;
class QSlider;
class QStackedWidget;

namespace retort {

class CandidateTable;
class ChoiceBox;
class ContributionTable;
class EmptyState;
class Readouts;

/// What the distributions belong to, for whoever reads them elsewhere.
struct DistributionOrigin {
    QString prompt, context; ///< as the models read it; the answer's text before the token
    QString teacher, student;
    QString text_of;                   ///< "teacher" or "student": whose answer it is
    std::size_t token = 0, tokens = 0; ///< from 1; of how many
};

/// Both models' distributions at one position: mirrored bars, rank curve, what makes up the KL, figures; all at a temperature that a slider sets.
/// Knows nothing of models: the temperature is applied to the logits it was given. GUI thread.
class DistributionView : public QWidget {
    Q_OBJECT

public:
    explicit DistributionView(QWidget* parent = nullptr);

    /// The whole distributions.
    void showWhole(std::shared_ptr<const Softening> softening);
    /// Only the best candidates are known, as the models gave them: the slider waits where it stands.
    void showBest(SoftenedView view);
    /// Nothing to show: says why in place of it.
    void clear(const QString& why);
    [[nodiscard]] bool isClear() const { return m_view.candidates.rows.empty(); }

    [[nodiscard]] double temperature() const;
    void setTemperature(double temperature); ///< to the slider's nearest step
    [[nodiscard]] const SoftenedView& shown() const { return m_view; }
    void setOrigin(DistributionOrigin origin) { m_origin = std::move(origin); }
    void copyTable() const;
    /// All that is shown: the rows with what they belong to and the figures as a table, or as a picture.
    [[nodiscard]] Export whole() const;

Q_SIGNALS:
    void alternativeChosen(retort::TokenId id);
    void temperatureChanged(double temperature);

private:
    QWidget* buildControls();
    QWidget* buildContent();
    QWidget* buildBars();
    QWidget* buildRank();
    QWidget* buildContributions();
    void refresh();
    void refreshCounts();
    void showTemperature();
    [[nodiscard]] std::size_t count() const;
    void offerExports();
    [[nodiscard]] QStringList facts() const;
    void showContent(bool any);

    DistributionOrigin m_origin;
    std::shared_ptr<const Softening> m_softening;
    SoftenedView m_view;
    QTimer m_due; ///< several movements of the slider in one turn of the event loop make one refresh

    QStackedWidget* m_stack;
    EmptyState* m_nothing;
    QSlider* m_temperature;
    QLabel* m_temperature_figure;
    QPushButton* m_reset;
    ChoiceBox* m_count;
    QPushButton* m_export;
    CandidateTable* m_bars;
    QLabel* m_coverage;
    QLabel* m_dark_knowledge;
    RankCurve* m_rank;
    ContributionTable* m_contributions;
    Readouts* m_readouts;
};

} // namespace retort
