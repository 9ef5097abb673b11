#pragma once
#include <QObject>
#include <algorithm>
#include <cstddef>
#include <optional>

namespace retort
{

/// The one place in a text that several views stand at together. GUI thread.
class TokenCursor : public QObject
{
    Q_OBJECT

public:
    using QObject::QObject;

    [[nodiscard]] std::optional<std::size_t> position() const { return m_position; }
    [[nodiscard]] std::size_t count() const { return m_count; }

    /// How many places there are: the longest of the texts shown. A place beyond is let go.
    void setCount(std::size_t count)
    {
        m_count = count;
        if (m_position && *m_position >= count) {
            clear();
        }
    }

    void moveTo(std::size_t position)
    {
        if (m_count == 0) {
            return;
        }
        position = std::min(position, m_count - 1);
        if (m_position != position) {
            m_position = position;
            Q_EMIT moved(m_position);
        }
    }

    /// From nowhere, any step goes to the first token.
    void step(int by)
    {
        if (!m_position) {
            moveTo(0);
        } else if (by < 0) {
            moveTo(*m_position - std::min(*m_position, static_cast<std::size_t>(-by)));
        } else {
            moveTo(*m_position + static_cast<std::size_t>(by));
        }
    }

    void clear()
    {
        if (m_position) {
            m_position.reset();
            Q_EMIT moved(m_position);
        }
    }

Q_SIGNALS:
    void moved(std::optional<std::size_t> position);

private:
    std::optional<std::size_t> m_position;
    std::size_t m_count = 0;
};

} // namespace retort
