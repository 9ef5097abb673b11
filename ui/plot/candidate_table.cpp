#include "ui/plot/candidate_table.h"

#include "ui/theme/icons.h"
#include "ui/theme/theme.h"

#include <QHeaderView>
#include <QKeyEvent>
#include <QPainter>
#include <QScrollBar>
#include <algorithm>
#include <cmath>

namespace retort {

namespace {

constexpr int kInset = 8;

/// Where bars may be drawn in a cell: between the token and the room that the widest figure needs.
struct BarSpace {
    double origin;    ///< x of 0
    double direction; ///< -1: to the left
    double length;    ///< of a bar that is full
};

BarSpace bar_space(const QRectF& cell, int column, const QFontMetrics& metrics)
{
    const double figure = metrics.horizontalAdvance(QStringLiteral("100.0 %")) + kInset; // longer ones stand beside short bars
    const double length = std::max(cell.width() - figure - kInset, 10.0);
    return column == CandidateModel::Teacher ? BarSpace{cell.right(), -1, length} : BarSpace{cell.left(), 1, length};
}

class CandidateDelegate : public BarCellDelegate {
public:
    using BarCellDelegate::BarCellDelegate;

protected:
    void paintCell(QPainter& painter, const QStyleOptionViewItem& option, const QModelIndex& index, const Theme& theme) const override
    {
        if (index.column() == CandidateModel::Token) {
            paintToken(painter, option, index, theme);
        } else if (index.column() == CandidateModel::Truth) {
            paintTrueFigure(painter, option, index, theme);
        } else {
            paintProbability(painter, option, index, theme);
        }
    }

private:
    static void paintToken(QPainter& painter, const QStyleOptionViewItem& option, const QModelIndex& index, const Theme& theme)
    {
        QFont font = option.font;
        font.setWeight(index.data(CandidateModel::ChosenRole).toBool() ? QFont::Bold : QFont::Normal);
        painter.setFont(font);
        painter.setPen(theme.text);
        const QString text = QFontMetrics(font).elidedText(index.data().toString(), Qt::ElideRight, option.rect.width() - kInset);
        painter.drawText(option.rect, Qt::AlignCenter, text);
        if (index.data(CandidateModel::ChosenRole).toBool()) {
            const double width = QFontMetricsF(font).horizontalAdvance(text) + kInset;
            painter.setPen(QPen(theme.accent, 1.5));
            painter.drawRoundedRect(QRectF(0, 0, width, option.rect.height() - 4)
                                        .translated(QRectF(option.rect).center() - QPointF(width / 2, option.rect.height() / 2.0 - 2)),
                                    4, 4);
        }
    }

    /// The truth's own bar would need a colour more; its marks stand on the other two, and here is its figure.
    static void paintTrueFigure(QPainter& painter, const QStyleOptionViewItem& option, const QModelIndex& index, const Theme& theme)
    {
        painter.setFont(option.font);
        painter.setPen(theme.text);
        painter.drawText(option.rect.adjusted(0, 0, -kInset, 0), Qt::AlignVCenter | Qt::AlignRight, index.data().toString());
    }

    static void paintProbability(QPainter& painter, const QStyleOptionViewItem& option, const QModelIndex& index, const Theme& theme)
    {
        const auto* model = static_cast<const CandidateModel*>(index.model());
        const BarSpace space = bar_space(option.rect, index.column(), option.fontMetrics);
        const bool teacher = index.column() == CandidateModel::Teacher;
        const QRectF cell = option.rect;
        const QVariant value = index.data(CandidateModel::ProbabilityRole);
        const double reach = value.isValid() ? space.length * std::min(value.toDouble() / model->scale(), 1.0) : 0.0;
        paintBar(painter, cell, space.origin, space.origin + space.direction * reach, theme.of(teacher ? Role::Teacher : Role::Student));
        double text_from = space.origin + space.direction * (reach + 6);
        const QVariant truth = index.data(CandidateModel::TruthRole);
        if (truth.isValid()) {
            const double mark = space.length * std::min(truth.toDouble() / model->scale(), 1.0);
            paintTruth(painter, space.origin + space.direction * mark, cell, theme);
            // A figure never lies under the mark.
            const double gap = mark - reach;
            if (gap > -4 && gap < option.fontMetrics.horizontalAdvance(index.data().toString()) + 12) {
                text_from = space.origin + space.direction * (mark + 8);
            }
        }
        painter.setPen(value.isValid() ? theme.text : theme.muted);
        const QRectF text = teacher ? QRectF(cell.left(), cell.top(), text_from - cell.left(), cell.height())
                                    : QRectF(text_from, cell.top(), cell.right() - text_from, cell.height());
        painter.drawText(text, Qt::AlignVCenter | (teacher ? Qt::AlignRight : Qt::AlignLeft) | Qt::TextDontClip, index.data().toString());
    }

    static void paintTruth(QPainter& painter, double x, const QRectF& cell, const Theme& theme)
    {
        painter.setPen(QPen(theme.surface, 1));
        painter.setBrush(theme.third);
        const double y = cell.center().y(), size = 5;
        painter.drawPolygon(QPolygonF({{x, y - size}, {x + size, y}, {x, y + size}, {x - size, y}}));
    }
};

/// Names the sides with the roles' signs and prints the scale: 0 beside the tokens, the full length outside.
class BarHeader : public QHeaderView {
public:
    explicit BarHeader(QWidget* parent) : QHeaderView(Qt::Horizontal, parent) { setSectionsClickable(false); }

    [[nodiscard]] QSize sizeHint() const override { return {100, fontMetrics().lineSpacing() + 12}; }

protected:
    void paintSection(QPainter* painter, const QRect& rect, int section) const override
    {
        const Theme& theme = Theme::of(palette());
        const auto* model = static_cast<const CandidateModel*>(this->model());
        painter->save();
        painter->fillRect(rect, theme.surface);
        painter->setRenderHint(QPainter::Antialiasing);
        painter->setFont(font_of(Type::Small));
        const QString name = model->headerData(section, Qt::Horizontal, Qt::DisplayRole).toString();
        if (section == CandidateModel::Teacher || section == CandidateModel::Student) {
            paintSide(*painter, rect, section, name, theme, model->scale());
        } else {
            painter->setPen(section == CandidateModel::Truth ? theme.third : theme.muted);
            painter->drawText(rect, Qt::AlignCenter, section == CandidateModel::Truth ? QStringLiteral("◆ ") + name : name);
        }
        painter->fillRect(QRectF(rect.left(), rect.bottom(), rect.width(), 1), theme.line);
        painter->restore();
    }

private:
    void paintSide(QPainter& painter, const QRect& rect, int section, const QString& name, const Theme& theme, double scale) const
    {
        const Role role = section == CandidateModel::Teacher ? Role::Teacher : Role::Student;
        const BarSpace space = bar_space(rect, section, fontMetrics());
        const double mark = 10;
        const double text_width = painter.fontMetrics().horizontalAdvance(name);
        const double x = role == Role::Teacher ? rect.right() - kInset - text_width - mark - 6 : rect.left() + kInset;
        paint_role_mark(painter, QRectF(x, rect.center().y() - mark / 2, mark, mark), role, theme.of(role), true);
        painter.setPen(theme.text_of(role));
        painter.drawText(QRectF(x + mark + 6, rect.top(), text_width + 2, rect.height()), Qt::AlignVCenter | Qt::AlignLeft, name);
        painter.setPen(theme.muted);
        const QString full = percent(scale);
        const double width = painter.fontMetrics().horizontalAdvance(full);
        const double end = space.origin + space.direction * space.length;
        const double left = std::clamp(end - width / 2, static_cast<double>(rect.left()), rect.right() - width);
        if (space.length > text_width + mark + width + 24) {
            painter.drawText(QRectF(left, rect.top(), width + 2, rect.height()), Qt::AlignVCenter | Qt::AlignLeft, full);
            painter.fillRect(QRectF(end - 0.5, rect.bottom() - 4, 1, 4), theme.muted);
        }
    }
};

} // namespace

CandidateTable::CandidateTable(QWidget* parent) : BarTable(parent)
{
    setModel(&m_candidates);
    setItemDelegate(new CandidateDelegate(this));
    setHorizontalHeader(new BarHeader(this));
    horizontalHeader()->setSectionResizeMode(QHeaderView::Fixed);
    setAccessibleName(tr("Probabilities of the next token"));
    connect(this, &QTableView::doubleClicked, this, [this](const QModelIndex& index) { choose(index.row()); });
    showRows(CandidateRows{});
}

void CandidateTable::showRows(CandidateRows rows)
{
    const int row = currentIndex().row();
    const int scrolled = verticalScrollBar() != nullptr ? verticalScrollBar()->value() : 0;
    const bool same_ids =
        rows.rows.size() == m_candidates.rows().rows.size() && std::equal(rows.rows.begin(), rows.rows.end(), m_candidates.rows().rows.begin(),
                                                                          [](const CandidateRow& a, const CandidateRow& b) { return a.id == b.id; });
    m_candidates.setRows(std::move(rows));
    setColumnHidden(CandidateModel::Truth, !m_candidates.rows().has_truth);
    fitColumns();
    if (same_ids && row >= 0) {
        setCurrentIndex(m_candidates.index(row, 0));
    }
    if (same_ids) {
        verticalScrollBar()->setValue(scrolled);
    }
}

QList<QStringList> CandidateTable::table() const
{
    return m_candidates.table();
}

void CandidateTable::choose(int row)
{
    if (row >= 0 && row < m_candidates.rowCount()) {
        Q_EMIT alternativeChosen(m_candidates.rows().rows[static_cast<std::size_t>(row)].id);
    }
}

void CandidateTable::keyPressEvent(QKeyEvent* event)
{
    if (event->key() >= Qt::Key_1 && event->key() <= Qt::Key_9) {
        choose(event->key() - Qt::Key_1);
    } else if (event->key() == Qt::Key_Return || event->key() == Qt::Key_Enter) {
        choose(currentIndex().row());
    } else {
        BarTable::keyPressEvent(event);
    }
}

void CandidateTable::fitColumns()
{
    const int token = tokenWidth(CandidateModel::Token, viewport()->width() / 3);
    const int truth = m_candidates.rows().has_truth ? percentWidth() : 0;
    const int side = std::max((viewport()->width() - token - truth) / 2, 60);
    setColumnWidth(CandidateModel::Teacher, side);
    setColumnWidth(CandidateModel::Token, token);
    setColumnWidth(CandidateModel::Student, side);
    setColumnWidth(CandidateModel::Truth, truth);
}

} // namespace retort
