#pragma once

class QScrollArea;
class QWidget;

namespace retort {

/// `content` in a frameless area that scrolls it only where it would get less than its least size: nothing is squeezed or cut in a small window.
[[nodiscard]] QScrollArea* scrolled(QWidget* content);

} // namespace retort
