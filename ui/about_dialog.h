#pragma once
#include <QDialog>
#include <QString>

namespace retort {

/// What Retort is, with which libraries of which versions and licences it was built, and where its files lie; "Copy diagnostics" puts what a report
/// of a fault needs on the clipboard.
class AboutDialog : public QDialog {
    Q_OBJECT

public:
    /// `library`: the file of sessions the window stands on.
    AboutDialog(const QString& library, QWidget* parent);
};

/// Versions, machine, screen and paths, a line each. Nothing that was asked or answered, no names of models, no user's name: the home folder is "~".
[[nodiscard]] QString diagnostics(const QString& library);

} // namespace retort
