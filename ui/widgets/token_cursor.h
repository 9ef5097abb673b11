#pragma once
#include <QObject>
#include <cstddef>
#include <optional>

namespace retort {

/// The one place in a text that several views stand at together. GUI thread.
class TokenCursor : public QObject {
    Q_OBJECT

public:
    using QObject::QObject;

    [[nodiscard]] std::optional<std::size_t> position() const { return m_position; }
    [[nodiscard]] std::size_t count() const { return m_count; }

    /// How many places there are: the longest of the texts shown. A place beyond is let go.
    void setCount(std::size_t count);
    void moveTo(std::size_t position);
    /// From nowhere, any step goes to the first token.
    void step(int by);
    void clear();

Q_SIGNALS:
    void moved(std::optional<std::size_t> position);

private:
    std::optional<std::size_t> m_position;
    std::size_t m_count = 0;
};

} // namespace retort
