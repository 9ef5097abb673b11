#pragma once
#include <QList>
#include <QString>

namespace retort {

/// A library that the window's program was built with.
struct BuiltWith {
    QString name, version, licence, does;
};
[[nodiscard]] QList<BuiltWith> built_with();

} // namespace retort
