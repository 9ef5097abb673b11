#pragma once
#include <QComboBox>

namespace retort {

/// A combo box as high as the other fields, that may be made narrow; FlatStyle draws it.
class ChoiceBox : public QComboBox {
    Q_OBJECT

public:
    explicit ChoiceBox(QWidget* parent = nullptr);
    [[nodiscard]] QSize sizeHint() const override;
    [[nodiscard]] QSize minimumSizeHint() const override;
    void showPopup() override;
};

} // namespace retort
