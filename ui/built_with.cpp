#include "ui/built_with.h"

#include "ui/plot/plot_library.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <QCoreApplication>
#include <hwy/highway.h>
#include <nlohmann/json_fwd.hpp>
#include <openssl/opensslv.h>
#include <pcre2.h>
#include <sqlite3.h>
#include <tl/expected.hpp>
#include <utf8proc.h>

namespace retort {

namespace {

QString version_of(int major, int minor, int patch)
{
    return QStringLiteral("%1.%2.%3").arg(major).arg(minor).arg(patch);
}

QString tr(const char* text)
{
    return QCoreApplication::translate("BuiltWith", text);
}

} // namespace

QList<BuiltWith> built_with()
{
    return {
        {QStringLiteral("Qt"), QLatin1String(qVersion()), QStringLiteral("LGPL-3.0"), tr("the window")},
        {QStringLiteral("QCustomPlot"), plot_library_version(), QStringLiteral("GPL-3.0-or-later"), tr("curves and bars")},
        {QStringLiteral("LibTorch"), QStringLiteral(RETORT_LIBTORCH_VERSION), QStringLiteral("BSD-3-Clause"), tr("matrix products, autograd")},
        {QStringLiteral("SQLite"), QStringLiteral(SQLITE_VERSION), tr("public domain"), tr("the library of sessions")},
        {QStringLiteral("Highway"), version_of(HWY_MAJOR, HWY_MINOR, HWY_PATCH), QStringLiteral("Apache-2.0 or BSD-3-Clause"),
         tr("vector instructions")},
        {QStringLiteral("PCRE2"), QStringLiteral("%1.%2").arg(PCRE2_MAJOR).arg(PCRE2_MINOR), QStringLiteral("BSD-3-Clause"),
         tr("tokenizers' expressions")},
        {QStringLiteral("utf8proc"), version_of(UTF8PROC_VERSION_MAJOR, UTF8PROC_VERSION_MINOR, UTF8PROC_VERSION_PATCH), QStringLiteral("MIT"),
         tr("Unicode normalisation")},
        {QStringLiteral("nlohmann-json"), version_of(NLOHMANN_JSON_VERSION_MAJOR, NLOHMANN_JSON_VERSION_MINOR, NLOHMANN_JSON_VERSION_PATCH),
         QStringLiteral("MIT"), tr("model and plan files")},
        {QStringLiteral("OpenSSL"), QStringLiteral(OPENSSL_VERSION_STR), QStringLiteral("Apache-2.0"), tr("hashes of files")},
        {QStringLiteral("tl-expected"), version_of(TL_EXPECTED_VERSION_MAJOR, TL_EXPECTED_VERSION_MINOR, TL_EXPECTED_VERSION_PATCH),
         QStringLiteral("CC0-1.0"), tr("results and errors")},
    };
}

} // namespace retort
