#include "ui/widgets/token_display.h"

#include "core/base/text_format.h"
#include "ui/widgets/glyphs.h"

#include <QChar>
#include <QList>
#include <algorithm>
#include <array>

namespace retort {

namespace {

using Kind = DisplayCell::Kind;

/// Length that the first byte of a UTF-8 sequence announces; 0 for a byte that begins none.
std::size_t announced_length(unsigned char first)
{
    if (first < 0x80) {
        return 1;
    }
    if (first >= 0xc2 && first <= 0xdf) {
        return 2;
    }
    if (first >= 0xe0 && first <= 0xef) {
        return 3;
    }
    return first >= 0xf0 && first <= 0xf4 ? 4 : 0;
}

/// Characters that turn or hide the text around them: a model's output may hold them, a reader must see them.
bool is_invisible_control(char32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xad || (c >= 0x200b && c <= 0x200c) || (c >= 0x200e && c <= 0x200f) ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0xfeff || (c >= 0xe0000 && c <= 0xe0fff);
}

QString sign_of_control(char32_t c)
{
    if (c < 0x20) {
        return QString(QChar(static_cast<ushort>(0x2400 + c)));
    }
    return c == 0x7f ? QString(QChar(0x2421)) : QStringLiteral("U+%1").arg(static_cast<uint>(c), 4, 16, QLatin1Char('0')).toUpper();
}

class Reader {
public:
    Reader(std::span<const ShownToken> tokens, BytePlace begin) : m_tokens(tokens) { m_out.end = begin; }

    DisplayText read(std::size_t limit)
    {
        while (m_out.end.token < m_tokens.size() && static_cast<std::size_t>(m_out.text.size()) < limit && !m_out.ends_the_line) {
            const ShownToken& token = m_tokens[m_out.end.token];
            if (token.bytes.empty()) {
                whole_token(QStringLiteral("\u2205"), Kind::Empty);
            } else if (token.special) {
                whole_token(QString::fromStdString(printable(token.bytes, 120)), Kind::Special);
            } else {
                character();
            }
        }
        return std::move(m_out);
    }

private:
    void whole_token(const QString& shown, Kind kind)
    {
        put(shown, kind, m_tokens[m_out.end.token].bytes.size());
        if (kind == Kind::Empty) {
            m_out.end = {m_out.end.token + 1, 0};
        }
    }

    /// The bytes from here on that may belong to one character, across tokens.
    std::string ahead(std::size_t count) const
    {
        std::string bytes;
        BytePlace at = m_out.end;
        while (bytes.size() < count && at.token < m_tokens.size() && !m_tokens[at.token].special && !m_tokens[at.token].bytes.empty()) {
            const std::string& here = m_tokens[at.token].bytes;
            bytes.append(here, at.byte, count - bytes.size());
            at = {at.token + 1, 0};
        }
        return bytes;
    }

    void character()
    {
        const auto first = static_cast<unsigned char>(m_tokens[m_out.end.token].bytes[m_out.end.byte]);
        const std::size_t length = announced_length(first);
        const std::string bytes = ahead(length);
        if (length == 0 || bytes.size() != length || valid_utf8_prefix(bytes) != length) {
            put(QStringLiteral("%1").arg(static_cast<uint>(first), 2, 16, QLatin1Char('0')).toUpper(), Kind::Broken, 1);
            return;
        }
        const QString shown = QString::fromUtf8(bytes.data(), static_cast<qsizetype>(bytes.size()));
        const char32_t c = shown.toUcs4().value(0);
        if (c == '\n') {
            put(QStringLiteral("\u23ce"), Kind::LineEnd, length);
            m_out.ends_the_line = true;
        } else if (c == '\t') {
            put(QStringLiteral("\u21e5   "), Kind::Tab, length);
        } else if (is_invisible_control(c) || !can_be_drawn(c)) {
            put(sign_of_control(c), Kind::Control, length);
        } else {
            put(shown, c == ' ' ? Kind::Space : Kind::Text, length);
        }
    }

    /// Shows `shown` for the next `count` bytes, one cell for each token that they lie in.
    void put(const QString& shown, Kind kind, std::size_t count)
    {
        const std::size_t first_cell = m_out.cells.size();
        do {
            const std::size_t taken = std::min(count, m_tokens[m_out.end.token].bytes.size() - m_out.end.byte);
            DisplayCell cell;
            cell.token = static_cast<std::uint32_t>(m_out.end.token);
            cell.byte_begin = static_cast<std::uint32_t>(m_out.end.byte);
            cell.byte_end = static_cast<std::uint32_t>(m_out.end.byte + taken);
            cell.from = static_cast<std::int32_t>(m_out.text.size());
            cell.length = static_cast<std::uint16_t>(shown.size());
            cell.kind = kind;
            m_out.cells.push_back(cell);
            count -= taken;
            m_out.end.byte += taken;
            if (taken > 0 && m_out.end.byte == m_tokens[m_out.end.token].bytes.size()) {
                m_out.end = {m_out.end.token + 1, 0};
            }
        } while (count > 0);
        const std::size_t slices = m_out.cells.size() - first_cell;
        for (std::size_t i = 0; i < slices; ++i) {
            m_out.cells[first_cell + i].slice = static_cast<std::uint8_t>(i);
            m_out.cells[first_cell + i].slices = static_cast<std::uint8_t>(slices);
        }
        m_out.text += shown;
    }

    std::span<const ShownToken> m_tokens;
    DisplayText m_out;
};

} // namespace

QString token_label(const ShownToken& token)
{
    QString label;
    for (BytePlace at; at.token == 0;) {
        DisplayText shown = display_text(std::span(&token, 1), at, 64);
        label += shown.text;
        at = shown.end;
        if (label.size() > 64) {
            return label.left(63) + QChar(0x2026);
        }
    }
    return label.replace(QLatin1Char(' '), QChar(0xb7));
}

DisplayText display_text(std::span<const ShownToken> tokens, BytePlace begin, std::size_t limit)
{
    return Reader(tokens, begin).read(limit);
}

} // namespace retort
