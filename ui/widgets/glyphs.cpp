#include "ui/widgets/glyphs.h"

#include <QGlyphRun>
#include <QHash>
#include <QTextLayout>
#include <algorithm>

namespace retort {

namespace {

bool has_glyphs(char32_t character)
{
    QTextLayout layout(QString::fromUcs4(&character, 1));
    layout.beginLayout();
    layout.createLine();
    layout.endLayout();
    const QList<QGlyphRun> runs = layout.glyphRuns();
    return std::ranges::all_of(runs, [](const QGlyphRun& run) { return !run.glyphIndexes().contains(0); });
}

} // namespace

bool can_be_drawn(char32_t character)
{
    if (character < 0x80) {
        return true;
    }
    static QHash<char32_t, bool> known; // a few for each script that a model writes in
    const auto found = known.constFind(character);
    return found != known.constEnd() ? *found : *known.insert(character, has_glyphs(character));
}

} // namespace retort
