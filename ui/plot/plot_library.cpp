#include "ui/plot/plot_library.h"

#include "ui/plot/qcp.h"

namespace retort {

QString plot_library_version()
{
    return QStringLiteral(QCUSTOMPLOT_VERSION_STR);
}

} // namespace retort
