#pragma once
#include <QWidget>
#include <cstddef>
#include <optional>
#include <vector>

namespace retort {

class TokenCursor;

/// KL per token along a text, as a strip of bars: taller and darker where the models differ more. A click moves the shared cursor.
///
/// Where there are more tokens than pixels each pixel column shows the largest of its tokens, so that no peak is lost. GUI thread.
class KlStrip : public QWidget {
    Q_OBJECT

public:
    explicit KlStrip(TokenCursor& cursor, QWidget* parent = nullptr);

    /// One value for each token, in nats; empty draws the hint instead.
    void setValues(std::vector<double> values);
    /// Shown while there are no values.
    void setHint(const QString& hint);
    void setParting(std::optional<std::size_t> token);
    [[nodiscard]] const std::vector<double>& values() const { return m_values; }
    /// The token drawn at this x.
    [[nodiscard]] std::optional<std::size_t> tokenAt(int x) const;

    [[nodiscard]] QSize sizeHint() const override;
    [[nodiscard]] QSize minimumSizeHint() const override { return sizeHint(); }

protected:
    void paintEvent(QPaintEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    bool event(QEvent* event) override;

private:
    void goTo(int x);
    [[nodiscard]] QRectF chart() const;
    [[nodiscard]] QRectF columnOf(std::size_t token) const;
    void paintBars(QPainter& painter) const;
    void paintScale(QPainter& painter) const;

    TokenCursor& m_cursor;
    std::vector<double> m_values;
    QString m_hint;
    double m_top = 1.0; ///< the largest value; what the full height means
    std::optional<std::size_t> m_parting;
};

} // namespace retort
