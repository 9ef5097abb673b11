#pragma once
#include "core/base/worker.h"
#include "core/distil/catalogues.h"
#include "ui/library.h"
#include "ui/single_instance.h"

#include <QObject>
#include <memory>

namespace retort {

class MainWindow;
class Workbench;

/// What one start of the program holds: the library, the engine, the workbench and the window over them, built anew when another library is chosen.
class Program : public QObject {
    Q_OBJECT

public:
    explicit Program(QObject* parent = nullptr);
    ~Program() override;

    /// The window over the library at `file`; false, with a line on standard error, when not even a temporary one could be made.
    [[nodiscard]] bool open(const std::filesystem::path& file);
    /// Opens what a start was asked for; asks for the role when none was said.
    void take(const StartRequest& request);
    /// As take(), and the window comes to the front.
    void takeFromSecondStart(const StartRequest& request);

    [[nodiscard]] MainWindow& window() const { return *m_window; }
    [[nodiscard]] Workbench& workbench() const { return *m_workbench; }
    [[nodiscard]] const Library& library() const { return m_library; }

private:
    void stand(Library library);
    void tellTrouble(const Error& trouble);
    void openReadOnly();
    void chooseAnother();
    void reopen(const std::filesystem::path& file);

    Library m_library;
    Catalogues m_catalogues = Catalogues::with_built_ins();
    std::unique_ptr<Worker> m_engine;
    std::unique_ptr<Workbench> m_workbench;
    std::unique_ptr<MainWindow> m_window;
};

} // namespace retort
