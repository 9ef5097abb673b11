#pragma once
#include "ui/pages/compare/column_content.h"

#include <QWidget>
#include <vector>

class QLabel;
class QPushButton;

namespace retort {

class KlStrip;
class TokenCursor;

/// The KL along the text with its summary, and the buttons that lead to the places worth a look. GUI thread.
class StripBar : public QWidget {
    Q_OBJECT

public:
    explicit StripBar(TokenCursor& cursor, QWidget* parent = nullptr);

    /// `summary` stands beside the strip; `hint` in its place while there are no values.
    void show(std::vector<double> values, const QString& summary, const QString& hint);
    [[nodiscard]] KlStrip& strip() const { return *m_strip; }
    void setParting(std::optional<std::size_t> token);
    void setJumpsEnabled(bool enabled);

Q_SIGNALS:
    void jumpWanted(retort::Jump kind);

private:
    KlStrip* m_strip;
    QLabel* m_mean;
    std::vector<QPushButton*> m_jumps;
};

} // namespace retort
