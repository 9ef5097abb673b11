#pragma once
#include <QColor>
#include <QString>
#include <QWidget>
#include <cstdint>
#include <vector>

namespace retort {

/// Memory as one stacked bar with its legend: what is needed, by purpose, against what is free.
class MemoryBar : public QWidget {
    Q_OBJECT

public:
    enum class Ink { Teacher, TeacherLight, Student, StudentLight, Training };
    struct Part {
        QString name;
        std::uint64_t bytes = 0;
        Ink ink = Ink::Teacher;
    };

    explicit MemoryBar(QWidget* parent = nullptr);
    void show(std::vector<Part> parts, std::uint64_t available);
    [[nodiscard]] QSize sizeHint() const override;
    [[nodiscard]] QSize minimumSizeHint() const override;

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    [[nodiscard]] QColor color_of(Ink ink) const;

    std::vector<Part> m_parts;
    std::uint64_t m_available = 0;
};

} // namespace retort
