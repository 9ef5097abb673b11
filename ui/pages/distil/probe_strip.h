#pragma once
#include "core/distil/run.h"

#include <QAbstractScrollArea>
#include <vector>

namespace retort {

/// The same question answered again and again while the student learns: a film strip, the newest at the right.
class ProbeStrip : public QAbstractScrollArea {
    Q_OBJECT

public:
    explicit ProbeStrip(QWidget* parent = nullptr);
    void reset(const std::string& prompt);
    void append(const ProbeSample* first, const ProbeSample* last); ///< of the first probe; others are kept out
    [[nodiscard]] QSize sizeHint() const override;
    [[nodiscard]] QSize minimumSizeHint() const override;

protected:
    void paintEvent(QPaintEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;

private:
    [[nodiscard]] static QString nothing(); ///< said in place of an answer without words
    void fitScrollBar();

    QString m_prompt;
    std::vector<ProbeSample> m_samples;
};

} // namespace retort
