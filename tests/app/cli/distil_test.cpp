#include "tests/app/cli/program.h"
#include "tests/support/ascii_tokenizer.h"

#include <QTemporaryDir>
#include <QTest>
#include <filesystem>
#include <fstream>
#include <map>

namespace retort {
namespace {

namespace fs = std::filesystem;

void write(const fs::path& file, const std::string& text)
{
    std::ofstream(file, std::ios::binary) << text;
}

std::string content_of(const fs::path& file)
{
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

/// Every file in `folder`, by name.
std::map<std::string, std::string> contents(const fs::path& folder)
{
    std::map<std::string, std::string> files;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
        files[entry.path().lexically_relative(folder).string()] = entry.is_regular_file() ? content_of(entry.path()) : std::string();
    }
    return files;
}

} // namespace

/// retort-cli distil as people use it: what it writes where, what it refuses, and what it says.
class DistilTest : public QObject {
    Q_OBJECT

private:
    std::unique_ptr<QTemporaryDir> m_folder;

    [[nodiscard]] fs::path at(const std::string& name) const { return fs::path(m_folder->path().toStdString()) / name; }
    Outcome run(std::initializer_list<std::string> list) { return run_cli(list, {}, m_folder->path().toStdString()); }

    /// plan.json with the tiny model as teacher and its first layer as student; `fields` replaces or adds.
    void write_plan(const Json& fields = Json::object(), const char* name = "plan.json")
    {
        Json plan = {{"teacher", "base"},
                     {"student", {{"layers", {0}}}},
                     {"data", {{"kind", "text"}, {"files", {"text.txt"}}}},
                     {"steps", 4},
                     {"batch", {{"sequences", 2}, {"length", 16}}},
                     {"precision", "fp32"},
                     {"evaluate", {{"every", 0}, {"sequences", 2}}},
                     {"schedule", {{"warmup_steps", 2}}},
                     {"checkpoint", {{"every_s", 0}, {"keep", 100}}}};
        plan.update(fields);
        write(at(name), plan.dump());
    }

    void write_lines(const char* name, int count, const std::function<Json(int)>& line)
    {
        std::string lines;
        for (int i = 0; i < count; ++i) {
            lines += line(i).dump() + "\n";
        }
        write(at(name), lines);
    }

    std::vector<std::string> names_in(const char* folder)
    {
        std::vector<std::string> names;
        for (const auto& entry : fs::directory_iterator(at(folder))) {
            names.push_back(entry.path().filename().string());
        }
        std::ranges::sort(names);
        return names;
    }

private Q_SLOTS:
    void init()
    {
        m_folder = std::make_unique<QTemporaryDir>();
        fs::copy(RETORT_SOURCE_DIR "/tests/golden/model/llama", at("base"), fs::copy_options::recursive);
        fs::permissions(at("base"), fs::perms::owner_all);
        write(at("base/tokenizer.json"), test::ascii_tokenizer_json());
        std::string text;
        for (int i = 0; i < 400; ++i) {
            text += "Some words, number " + std::to_string(i * i) + ". ";
        }
        write(at("text.txt"), text);
        write_plan();
    }

    void savesNoStudentOverWhatItReads_data()
    {
        QTest::addColumn<QString>("out");
        for (const char* out : {"base", "base/", "./base", "base/.", "base/../base", "other/../base", "link", "link/", "base/inside", ".", "..",
                                "text.txt", "data", "start", "start/checkpoints"}) {
            QTest::newRow(out) << out;
        }
    }
    void savesNoStudentOverWhatItReads()
    {
        QFETCH(const QString, out);
        fs::create_directory(at("other"));
        fs::create_directory_symlink("base", at("link"));
        fs::create_directory(at("data"));
        fs::copy(at("base"), at("start"), fs::copy_options::recursive);
        write(at("data/more.txt"), content_of(at("text.txt")));
        write_plan({{"student", {{"from", "start"}}}, {"data", {{"kind", "text"}, {"files", {"text.txt", "data/more.txt"}}}}});
        const auto before = contents(m_folder->path().toStdString());
        const Outcome found = run({"distil", "plan.json", "--out", out.toStdString(), "--checkpoints", "kept"});
        QCOMPARE(found.status, 1);
        QVERIFY2(found.says("Choose another folder for --out"), found.err.c_str());
        QVERIFY(contents(m_folder->path().toStdString()) == before);
    }

    void savesAStudentOnlyOverOneOfTheSamePlan()
    {
        QCOMPARE(run({"distil", "plan.json", "--out", "student", "-q"}).status, 0);
        QCOMPARE(run({"distil", "plan.json", "--out", "student/", "-q"}).status, 0);
        const auto before = contents(at("student"));

        write_plan({{"seed", 8}});
        const Outcome other = run({"distil", "plan.json", "--out", "student", "-q"});
        QCOMPARE(other.status, 1);
        QVERIFY2(other.says("another plan, which differs in seed"), other.err.c_str());
        QVERIFY(contents(at("student")) == before);

        fs::create_directory(at("foreign"));
        for (const char* file : {"config.json", "model.safetensors", "tokenizer.json"}) {
            fs::copy(at("base") / file, at("foreign") / file);
        }
        QVERIFY(run({"distil", "plan.json", "--out", "foreign", "-q"}).says("holds a model that Retort did not distil"));
        fs::create_directory(at("mine"));
        write(at("mine/thesis.txt"), "words");
        QVERIFY(run({"distil", "plan.json", "--out", "mine", "-q"}).says("holds thesis.txt"));
        fs::create_directory(at("empty"));
        QCOMPARE(run({"distil", "plan.json", "--out", "empty", "-q"}).status, 0);
    }

    void writesNoCheckpointsIntoAModelOrACheckpoint()
    {
        QVERIFY(run({"distil", "plan.json", "--checkpoints", "base/", "-q"}).says("is the teacher"));
        QCOMPARE(run({"distil", "plan.json", "-q"}).status, 0);
        fs::remove_all(at("plan.checkpoints/step-000004"));
        const Outcome found =
            run({"distil", "plan.json", "--resume", "plan.checkpoints/step-000002", "--checkpoints", "plan.checkpoints/step-000002/", "-q"});
        QVERIFY2(found.says("is the checkpoint that the run is resumed from"), found.err.c_str());
        const Outcome out = run({"distil", "plan.json", "--resume", "plan.checkpoints/step-000002", "--out", "plan.checkpoints/step-000002", "-q"});
        QVERIFY2(out.says("the checkpoint that the run is resumed from"), out.err.c_str());
    }

    void resumesAlikeHoweverTheCheckpointIsSpelled_data()
    {
        QTest::addColumn<QString>("spelled");
        for (const char* spelled : {"plan.checkpoints/step-000002", "plan.checkpoints/step-000002/", "./plan.checkpoints//step-000002/.",
                                    "plan.checkpoints/step-000001/../step-000002", "latest", "latest/"}) {
            QTest::newRow(spelled) << spelled;
        }
    }
    void resumesAlikeHoweverTheCheckpointIsSpelled()
    {
        QFETCH(const QString, spelled);
        QCOMPARE(run({"distil", "plan.json", "--session", "lib.retort-db", "-q"}).status, 0);
        fs::remove_all(at("plan.checkpoints/step-000003"));
        fs::remove_all(at("plan.checkpoints/step-000004"));
        fs::create_directory_symlink("plan.checkpoints/step-000002", at("latest"));
        const Outcome found = run({"distil", "plan.json", "--session", "lib.retort-db", "--resume", spelled.toStdString(), "-q"});
        QVERIFY2(found.status == 0, found.err.c_str());
        QCOMPARE(names_in("plan.checkpoints"), (std::vector<std::string>{"step-000001", "step-000002", "step-000003", "step-000004"}));
        QVERIFY(!fs::exists(at("plan.checkpoints/step-000002/step-000003")));
        QCOMPARE(run({"session", "list", "--library", "lib.retort-db", "--json"}).lines().size(), std::size_t{1});
    }

    void leavesTheCheckpointsOfAnotherRunAlone()
    {
        write_plan({{"steps", 12}, {"checkpoint", {{"every_s", 0}, {"keep", 2}}}});
        QCOMPARE(run({"distil", "plan.json", "-q"}).status, 0);
        const auto before = contents(at("plan.checkpoints"));
        write_plan({{"seed", 8}, {"checkpoint", {{"every_s", 0}, {"keep", 2}}}});
        const Outcome found = run({"distil", "plan.json", "--json"});
        QVERIFY2(found.status == 0, found.err.c_str());
        QVERIFY2(found.err.find("2 checkpoints of other runs") != std::string::npos, found.err.c_str());
        const fs::path reported = found.lines().back()["checkpoint"].get<std::string>();
        QVERIFY(fs::exists(reported / "model.safetensors"));
        QCOMPARE(names_in("plan.checkpoints"), (std::vector<std::string>{"step-000003", "step-000004", "step-000011", "step-000012"}));
        auto now = contents(at("plan.checkpoints"));
        for (const auto& [name, content] : before) {
            QVERIFY(now[name] == content);
        }
    }

    void refusesToTrainWhereNoAnswerFitsTheSequence()
    {
        write_lines("long.jsonl", 60, [](int i) {
            return Json{{"prompt", "Question " + std::to_string(i) + ", which has more letters than a sequence has room for:"},
                        {"completion", " yes"}};
        });
        write_plan({{"data", {{"kind", "jsonl"}, {"files", {"long.jsonl"}}}}});
        const Outcome found = run({"distil", "plan.json", "--out", "student", "-q"});
        QCOMPARE(found.status, 1);
        QVERIFY2(found.err.find("none has an answer within 16 tokens") != std::string::npos, found.err.c_str());
        QVERIFY(!fs::exists(at("student/model.safetensors")));
        write_plan({{"data", {{"kind", "jsonl"}, {"files", {"long.jsonl"}}}}, {"evaluate", {{"every", 2}, {"sequences", 2}}}});
        QCOMPARE(run({"distil", "plan.json", "-q"}).status, 1);
    }

    void tellsOfExamplesThatItLeavesOut()
    {
        write_lines("some.jsonl", 60, [](int i) {
            return Json{{"prompt", i % 2 == 0 ? "Number:" : "A question with more letters than a sequence has:"}, {"completion", " yes"}};
        });
        write_plan({{"data", {{"kind", "jsonl"}, {"files", {"some.jsonl"}}}}});
        const Outcome found = run({"distil", "plan.json"});
        QVERIFY2(found.status == 0, found.err.c_str());
        QVERIFY2(found.err.find("30 are left out") != std::string::npos, found.err.c_str());
    }

    void failsAtABatchInWhichNothingCountsAndKeepsTheReason()
    {
        const Json ids = {{{1, 2, 3, 4}}, {{5, 6, 7, 8}}};
        const Json mask = {{{1, 1, 1, 1}}, {{1, 0, 0, 0}}};
        write(at("batches.json"), Json{{"input_ids", ids}, {"target_mask", mask}}.dump());
        write_plan({{"data", {{"kind", "token_batches"}, {"files", {"batches.json"}}}}, {"batch", {{"sequences", 1}, {"length", 4}}}, {"steps", 2}});
        const Outcome found = run({"distil", "plan.json", "--session", "lib.retort-db", "-q"});
        QCOMPARE(found.status, 1);
        QVERIFY2(found.err.find("no token of its batch counts") != std::string::npos, found.err.c_str());
        const Json session = run({"session", "show", "1", "--library", "lib.retort-db", "--json"}).json();
        QCOMPARE(session["runs"][0]["state"].get<std::string>(), std::string("failed"));
        QCOMPARE(session["runs"][0]["error"].get<std::string>() + "\n", found.err);
    }

    void readsTextsAlikeWithAndWithoutAByteOrderMark()
    {
        const auto first_loss = [&] { return run({"distil", "plan.json", "--json", "-q"}).lines().at(0)["cross_entropy"].get<double>(); };
        const double plain = first_loss();
        const std::string text = content_of(at("text.txt"));
        write(at("text.txt"), "\xEF\xBB\xBF" + text);
        QCOMPARE(first_loss(), plain);
        write(at("prompt.txt"), "\xEF\xBB\xBFMia has\r\na kite.");
        write(at("plain.txt"), "Mia has\na kite.");
        QCOMPARE(run({"tokenize", "base", "@prompt.txt", "--json"}).out, run({"tokenize", "base", "@plain.txt", "--json"}).out);
        write(at("t.jinja"), "\xEF\xBB\xBF{{ messages[0].content }}");
        write(at("chat.json"), "\xEF\xBB\xBF[{\"role\": \"user\", \"content\": \"hi\"}]");
        QCOMPARE(run({"render", "--template", "t.jinja", "--messages", "chat.json", "--json"}).json()["text"].get<std::string>(), std::string("hi"));
        write(at("text.txt"), std::string("\xFF\xFES\0o\0", 6));
        QVERIFY(run({"distil", "plan.json", "-q"}).says("UTF-16"));
    }

    void learnsByEveryObjectiveThatItLists()
    {
        const auto kinds = run({"objectives", "--json"}).lines();
        QVERIFY(kinds.size() >= 7);
        for (const Json& kind : kinds) {
            for (const char* field : {"formula", "when", "trap", "source"}) {
                QVERIFY(!kind[field].get<std::string>().empty());
            }
            write_plan({{"objective", {{"name", kind["name"]}}}});
            const Outcome found = run({"distil", "plan.json", "--checkpoints", kind["name"].get<std::string>(), "--json"});
            QVERIFY2(found.status == 0, found.err.c_str());
            QVERIFY(found.lines().front()["divergence"].get<double>() > 0);
        }
        write_plan({{"objective", {{"name", "forward_lk"}}}});
        QVERIFY(run({"distil", "plan.json"}).says("known are \"forward_kl\", \"reverse_kl\""));
        write_plan({{"data", {{"kind", "files"}}}});
        QVERIFY(run({"distil", "plan.json"}).says(R"(data.kind is "files"; known are "world", "text", "jsonl" and "token_batches".)"));
        write_plan({{"objective", {{"name", "gjsd"}, {"alpha", 0.1}}}});
        QVERIFY(run({"distil", "plan.json"}).says("objective.alpha is no option of the objective \"gjsd\""));
    }
};

} // namespace retort

QTEST_GUILESS_MAIN(retort::DistilTest)
#include "distil_test.moc"
