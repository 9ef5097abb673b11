#include "ui/widgets/table_text.h"

namespace retort {

namespace {

QString field(QString text, QChar separator)
{
    if (text.contains(separator) || text.contains(QLatin1Char('"')) || text.contains(QLatin1Char('\n')) || text.contains(QLatin1Char('\r'))) {
        text.replace(QLatin1Char('"'), QStringLiteral("\"\""));
        text = QLatin1Char('"') + text + QLatin1Char('"');
    }
    return text;
}

} // namespace

QString table_text(const QList<QStringList>& rows, QChar separator)
{
    QString text;
    for (const QStringList& row : rows) {
        for (qsizetype i = 0; i < row.size(); ++i) {
            text += (i > 0 ? QString(separator) : QString()) + field(row[i], separator);
        }
        text += QLatin1Char('\n');
    }
    return text;
}

} // namespace retort
