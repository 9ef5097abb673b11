#pragma once
#include "core/desk/role.h"

#include <QWidget>
#include <optional>

namespace retort {

/// While a file or folder is dragged over the window: two halves over everything, the teacher's left and the student's right. Where it is dropped is
/// what the model becomes. Hidden otherwise.
class ModelDrop : public QWidget {
    Q_OBJECT

public:
    explicit ModelDrop(QWidget& window);

Q_SIGNALS:
    void dropped(retort::Role role, const QString& path);

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;
    void dragMoveEvent(QDragMoveEvent* event) override;
    void dragEnterEvent(QDragEnterEvent* event) override;
    void dragLeaveEvent(QDragLeaveEvent* event) override;
    void dropEvent(QDropEvent* event) override;
    void paintEvent(QPaintEvent* event) override;

private:
    [[nodiscard]] QRect half(Role role) const;
    [[nodiscard]] Role roleAt(const QPointF& place) const;
    void mark(Role role);

    QWidget& m_window;
    std::optional<Role> m_marked;
};

} // namespace retort
