#include "ui/widgets/token_cursor.h"

#include <algorithm>

namespace retort {

void TokenCursor::setCount(std::size_t count)
{
    m_count = count;
    if (m_position && *m_position >= count) {
        clear();
    }
}

void TokenCursor::moveTo(std::size_t position)
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

void TokenCursor::step(int by)
{
    if (!m_position) {
        moveTo(0);
    } else if (by < 0) {
        moveTo(*m_position - std::min(*m_position, static_cast<std::size_t>(-by)));
    } else {
        moveTo(*m_position + static_cast<std::size_t>(by));
    }
}

void TokenCursor::clear()
{
    if (m_position) {
        m_position.reset();
        Q_EMIT moved(m_position);
    }
}

} // namespace retort
