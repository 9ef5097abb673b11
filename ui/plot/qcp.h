#pragma once
// The only place that includes QCustomPlot. Its header is written with Qt's keywords, which Retort's sources are compiled without
// (QT_NO_KEYWORDS), so they are lent to it here and taken away again.
#include <QObject>

#ifdef QT_NO_KEYWORDS
#define signals Q_SIGNALS
#define slots Q_SLOTS
#define emit Q_EMIT
#define foreach Q_FOREACH
#endif

#include <qcustomplot.h>

#ifdef QT_NO_KEYWORDS
#undef signals
#undef slots
#undef emit
#undef foreach
#endif
