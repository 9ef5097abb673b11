#include "tests/support/include_rules.h"

#include <QTemporaryDir>
#include <QTest>
#include <algorithm>
#include <fstream>

using retort::tests::include_violations;

/// The arrows and fences between the folders, read off every #include line.
class IncludeRulesTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void theTreeKeepsThem();
    void aViolationIsCaught_data();
    void aViolationIsCaught();
    void whatIsAllowedPasses();
};

namespace {

/// A tiny repository in which every target that the rows name exists.
void plant(const std::filesystem::path& root, const std::string& file, const std::string& line)
{
    const auto write = [&root](const std::string& name, const std::string& text) {
        std::filesystem::create_directories((root / name).parent_path());
        std::ofstream(root / name) << text << '\n';
    };
    for (const char* name : {"core/base/error.h", "core/distil/run.h", "ui/workbench.h", "app/version.h", "plugins/x.h"}) {
        write(name, "#pragma once");
    }
    write("ui/plot/qcp.h", "#include <qcustomplot.h>");
    write("core/model/tensor.h", "#include <ATen/core/Tensor.h>");
    write("core/model/holder.h", "#include \"core/model/tensor.h\"");
    write(file, line);
}

} // namespace

void IncludeRulesTest::theTreeKeepsThem()
{
    const auto violations = include_violations(RETORT_SOURCE_DIR);
    for (const auto& violation : violations) {
        qWarning("%s", violation.c_str());
    }
    QVERIFY(violations.empty());
}

void IncludeRulesTest::aViolationIsCaught_data()
{
    QTest::addColumn<QString>("file");
    QTest::addColumn<QString>("line");
    QTest::newRow("Qt in core") << "core/base/x.cpp"
                                << "#include <QString>";
    QTest::newRow("torch in ui") << "ui/x.cpp"
                                 << "#include <torch/torch.h>";
    QTest::newRow("ATen in app") << "app/x.cpp"
                                 << "  #  include <ATen/ATen.h>";
    QTest::newRow("torch in ui through two headers") << "ui/x.cpp"
                                                     << "#include \"core/model/holder.h\"";
    QTest::newRow("ui in core") << "core/distil/x.cpp"
                                << "#include \"ui/workbench.h\"";
    QTest::newRow("plugins in core") << "core/distil/x.cpp"
                                     << "#include \"plugins/x.h\"";
    QTest::newRow("app in ui") << "ui/x.cpp"
                               << "#include \"app/version.h\"";
    QTest::newRow("up the arrows") << "core/base/x.h"
                                   << "#include \"core/distil/run.h\"";
    QTest::newRow("QCustomPlot outside ui/plot") << "ui/pages/x.cpp"
                                                 << "#include \"ui/plot/qcp.h\"";
    QTest::newRow("QCustomPlot past its wrapper") << "ui/plot/x.cpp"
                                                  << "#include <qcustomplot.h>";
    QTest::newRow("a path from elsewhere") << "core/distil/x.cpp"
                                           << "#include \"run.h\"";
}

void IncludeRulesTest::aViolationIsCaught()
{
    QFETCH(QString, file);
    QFETCH(QString, line);
    const QTemporaryDir folder;
    plant(folder.path().toStdString(), file.toStdString(), line.toStdString());
    const auto violations = include_violations(folder.path().toStdString());
    QCOMPARE(violations.size(), 1u);
    QVERIFY(violations.front().starts_with(file.toStdString() + ":1:"));
}

void IncludeRulesTest::whatIsAllowedPasses()
{
    const QTemporaryDir folder;
    plant(folder.path().toStdString(), "ui/plot/x.cpp",
          "#include \"ui/plot/qcp.h\"\n#include \"core/distil/run.h\"\n#include <QWidget>\n#include \"x.moc\"");
    QVERIFY(include_violations(folder.path().toStdString()).empty());
}

QTEST_APPLESS_MAIN(IncludeRulesTest)
#include "include_rules_test.moc"
