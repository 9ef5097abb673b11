#pragma once
#include "core/desk/role.h"

#include <QString>
#include <QStringList>
#include <functional>

class QWidget;

namespace retort {

/// Asks for a model's file for `role`, beginning in the folder of the last one; `opened` gets its path. Returns at once.
void ask_for_model(QWidget& parent, Role role, std::function<void(const QString&)> opened);

/// Asks for a new folder to save a model called `name` in; `chosen` gets its path. Returns at once.
void ask_where_to_save(QWidget& parent, const QString& name, std::function<void(const QString&)> chosen);

/// A model that was opened before, as what.
struct RecentModel {
    QString path;
    Role role = Role::Teacher;
    friend bool operator==(const RecentModel&, const RecentModel&) = default;
};
[[nodiscard]] QList<RecentModel> recent_models(); ///< the latest first
void remember_model(const RecentModel& model);
void forget_recent_models();

} // namespace retort
