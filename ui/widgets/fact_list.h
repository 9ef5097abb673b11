#pragma once
#include <QFormLayout>

namespace retort {

/// Facts one below the other: the name muted, its value beside it, cut in the middle where it is too long. GUI thread.
class FactList : public QFormLayout {
    Q_OBJECT

public:
    explicit FactList(QWidget* parent = nullptr);

    /// An empty value is no fact and adds no line.
    void add(const QString& name, const QString& value);
    void clear();
};

} // namespace retort
