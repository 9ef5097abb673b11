#include "tests/app/cli/program.h"
#include "tests/support/ascii_tokenizer.h"
#include "tests/support/golden.h"

#include <QProcess>
#include <QTemporaryDir>
#include <QTest>
#include <cmath>
#include <csignal>
#include <filesystem>

namespace retort {
namespace {

namespace fs = std::filesystem;

void write(const fs::path& file, const std::string& text)
{
    std::ofstream(file, std::ios::binary) << text;
}

} // namespace

/// The program as a script meets it: arguments in; exit status, standard output and standard error out.
class CliTest : public QObject {
    Q_OBJECT

private:
    QTemporaryDir m_folder;
    std::string m_model; ///< the reference llama with a tokenizer of its own

    [[nodiscard]] std::string at(const std::string& name) const { return m_folder.filePath(QString::fromStdString(name)).toStdString(); }

    Outcome run(std::initializer_list<std::string> list, const std::string& input = {}) { return run_cli(list, input); }

    std::string plan(int steps, const char* more = "")
    {
        const std::string file = at("plan.json");
        write(file, R"({"teacher": ")" + m_model + R"(", "student": {"layers": [0]}, "data": {"kind": "text", "files": [")" + at("text.txt") +
                        R"("]}, "steps": )" + std::to_string(steps) +
                        R"(, "batch": {"sequences": 2, "length": 16}, "precision": "fp32", "evaluate": {"every": 4, "sequences": 2}, )" +
                        R"("schedule": {"warmup_steps": 2}, "probes": ["Some"], "probe_every": 4)" + more + "}");
        return file;
    }

private Q_SLOTS:
    void initTestCase()
    {
        QVERIFY(m_folder.isValid());
        m_model = at("tiny");
        fs::copy(RETORT_SOURCE_DIR "/tests/golden/model/llama", m_model, fs::copy_options::recursive);
        write(m_model + "/tokenizer.json", test::ascii_tokenizer_json());
        std::string text;
        for (int i = 0; i < 400; ++i) {
            text += "Some words, number " + std::to_string(i * i) + ". ";
        }
        write(at("text.txt"), text);
    }

    void everyCommandHelpsWithAnExample_data()
    {
        QTest::addColumn<QStringList>("command");
        for (const char* name :
             {"doctor",      "info",         "tokenize",     "detokenize",     "render",         "logits",         "generate",       "compare",
              "score",       "distil",       "objectives",   "bench decode",   "bench prefill",  "bench distil",   "bench tokenize", "world sample",
              "world truth", "session list", "session show", "session search", "session export", "session import", "session check"}) {
            QTest::newRow(name) << QString(name).split(' ');
        }
    }
    void everyCommandHelpsWithAnExample()
    {
        const QFETCH(QStringList, command);
        const auto found =
            command.size() == 1 ? run({command[0].toStdString(), "--help"}) : run({command[0].toStdString(), command[1].toStdString(), "--help"});
        QCOMPARE(found.status, 0);
        QVERIFY(found.out.find("Example:\n  retort-cli " + command.join(' ').toStdString()) != std::string::npos);
        QVERIFY(found.err.empty());
    }

    void benchSaysWhatItMeasured_data()
    {
        QTest::addColumn<QStringList>("work");
        QTest::addColumn<bool>("limited");
        const QString model = QString::fromStdString(m_model);
        QTest::newRow("decode") << QStringList{"decode", "--model", model, "--tokens", "5", "--depth", "7"} << true;
        QTest::newRow("prefill") << QStringList{"prefill", "--model", model, "--tokens", "40"} << true;
        QTest::newRow("distil") << QStringList{"distil", "--sequences", "2", "--tokens", "16"} << true;
        QTest::newRow("tokenize") << QStringList{"tokenize", "--model", model, "--text", "some words"} << false;
    }
    void benchSaysWhatItMeasured()
    {
        const QFETCH(QStringList, work);
        const QFETCH(bool, limited);
        QStringList all = QStringList{"bench"} + work + QStringList{"--repeat", "3", "--json"};
        QProcess process;
        process.start(RETORT_BINARY_DIR "/bin/retort-cli", all);
        QVERIFY(process.waitForFinished(120'000));
        QCOMPARE(process.exitCode(), 0);
        const Json found = Json::parse(process.readAllStandardOutput().toStdString());
        QCOMPARE(found["bench"].get<std::string>(), work[0].toStdString());
        QVERIFY(found["low"] > 0.0 && found["low"] <= found["tokens_per_s"] && found["tokens_per_s"] <= found["high"]);
        QCOMPARE(found["n"].get<int>(), 3);
        QVERIFY(found["threads"] >= 1 && !found["machine"].get<std::string>().empty());
        QCOMPARE(found["limit_share"].is_number(), limited);
        QCOMPARE(found["precision"].is_string(), limited);
    }

    void benchRefusesMoreTokensThanTheContextHas()
    {
        const Outcome found = run({"bench", "decode", "--model", m_model, "--depth", "100000"});
        QCOMPARE(found.status, 1);
        QVERIFY(found.says("context"));
    }

    void wrongUsageExitsWith2()
    {
        for (const auto& list : std::initializer_list<std::initializer_list<std::string>>{{},
                                                                                          {"boil"},
                                                                                          {"info"},
                                                                                          {"info", m_model, "--device", "abacus"},
                                                                                          {"tokenize", m_model},
                                                                                          {"tokenize", m_model, "a", "--batch", "b"},
                                                                                          {"generate", m_model}}) {
            const auto found = run(list);
            QCOMPARE(found.status, 2);
            QVERIFY(found.out.empty());
            QVERIFY(!found.err.empty());
        }
    }

    void saysInOneSentenceWhatIsMissing()
    {
        const auto nowhere = run({"info", at("nowhere"), "--json"});
        QCOMPARE(nowhere.status, 1);
        QVERIFY2(nowhere.says(at("nowhere")), nowhere.err.c_str());
        QVERIFY(run({"info", "demo:pupil"}).says("demo:teacher, demo:student or demo:distilled"));
        QVERIFY(run({"tokenize", m_model, std::string("@").append(at("nothing.txt"))}).says("nothing.txt"));
        QVERIFY(run({"session", "list", "--library", at("none.retort-db")}).says("none.retort-db"));
    }

    void namesTheFileThatWasCutShort()
    {
        const std::string cut = at("cut");
        fs::copy(m_model, cut, fs::copy_options::recursive);
        fs::resize_file(cut + "/model.safetensors", fs::file_size(cut + "/model.safetensors") / 2);
        const auto found = run({"compare", "--teacher", m_model, "--student", cut, "--prompt", "a"});
        QCOMPARE(found.status, 1);
        QVERIFY2(found.says(cut + "/model.safetensors"), found.err.c_str()); // both models have a file of that name
    }

    void callsTheDemoModelsByTheirNames()
    {
        for (const auto& [spec, name] : {std::pair{"demo:teacher", "Alembic (demo)"},
                                         {"demo:student", "Receiver (demo, untrained)"},
                                         {"demo:distilled", "Receiver (demo, distilled)"}}) {
            const auto found = run({"info", spec, "--json"});
            QVERIFY2(found.status == 0, found.err.c_str());
            QCOMPARE(found.json()["name"].get<std::string>(), std::string(name));
        }
    }

    void infoGivesOneJsonValue()
    {
        const auto found = run({"info", m_model, "--json", "--full"});
        QCOMPARE(found.status, 0);
        const auto facts = found.json();
        QCOMPARE(facts["layers"].get<int>(), 2);
        QCOMPARE(facts["vocabulary"].get<int>(), 96);
        QCOMPARE(facts["tokenizer"]["pieces"].get<int>(), 96);
        QCOMPARE(facts["sha256"].get<std::string>().size(), std::size_t{64});
        QVERIFY(run({"info", m_model}).out.find("llama") != std::string::npos);
    }

    void warnsOfWeightsThatTheConfigurationDoesNotAnnounce()
    {
        const std::string silent = at("silent");
        fs::copy(RETORT_SOURCE_DIR "/tests/golden/model/llama_biased", silent, fs::copy_options::recursive);
        const auto announced = run({"logits", silent, "--ids", "1,5,9", "--json"});
        QVERIFY2(announced.status == 0 && announced.err.empty(), announced.err.c_str());
        Json config = Json::parse(std::ifstream(silent + "/config.json"));
        config.erase("attention_bias");
        config["mlp_bias"] = false;
        write(silent + "/config.json", config.dump());
        const auto found = run({"logits", silent, "--ids", "1,5,9", "--json"});
        QCOMPARE(found.status, 0);
        QVERIFY2(found.err.starts_with("warning: silent: The weights hold biases that config.json does not announce"), found.err.c_str());
        QVERIFY(found.out == announced.out); // they are used all the same
        const auto facts = run({"info", silent, "--json"}).json();
        QVERIFY(facts["report"]["used"].get<int>() > 30);
        QCOMPARE(facts["report"]["doubts"].size(), std::size_t{1});
    }

    void distilNamesWhatItCannotTrainBeforeItReadsAnything()
    {
        const std::string teacher = RETORT_SOURCE_DIR "/tests/golden/model/qwen2";
        write(at("other.json"), R"({"teacher": ")" + teacher + R"(", "student": {"layers": [0]}, "data": {"kind": "text", "files": ["none"]}})");
        const auto found = run({"distil", at("other.json")});
        QCOMPARE(found.status, 1);
        QVERIFY2(found.says("qwen2 is a qwen2 model with attention biases"), found.err.c_str());
    }

    void cutsTextAndPutsItBackTogether()
    {
        const std::string text = "Mia has 2 kites <|end|>";
        const auto cut = run({"tokenize", m_model, text, "--json"}).json();
        QCOMPARE(cut["ids"].size(), text.size());
        QCOMPARE(cut["pieces"][3].get<std::string>(), std::string("\u0120"));
        QCOMPARE(run({"tokenize", m_model, text, "--json", "--special"}).json()["ids"].back().get<int>(), 95);
        QVERIFY(run({"tokenize", m_model, "-", "--json"}, text).json() == cut);
        std::string ids;
        for (const auto& id : cut["ids"]) {
            ids.append(ids.empty() ? "" : ",").append(std::to_string(id.get<int>()));
        }
        const auto back = run({"detokenize", m_model + "/tokenizer.json", "--ids", ids, "--json"}).json();
        QCOMPARE(back["text"].get<std::string>(), text);
        QCOMPARE(back["bytes_hex"].get<std::string>().substr(0, 6), std::string("4d6961"));
        QVERIFY(run({"detokenize", m_model, "--ids", "96"}).says("Id 96"));
    }

    void cutsABatchLineByLine()
    {
        write(at("batch.jsonl"), "\"one\"\n\"two words\"\n\n\"\"\n");
        const auto lines = run({"tokenize", m_model, "--batch", at("batch.jsonl"), "--json"}).lines();
        QCOMPARE(lines.size(), std::size_t{3});
        QCOMPARE(lines[1]["ids"].size(), std::size_t{9});
        write(at("broken.jsonl"), "\"one\"\n\"two\n");
        const auto broken = run({"tokenize", m_model, "--batch", at("broken.jsonl"), "--json"});
        QCOMPARE(broken.status, 1);
        QVERIFY2(broken.says("line 2"), broken.err.c_str());
    }

    void rendersATemplateAlone()
    {
        write(at("t.jinja"),
              "{% for m in messages %}[{{ m['role'] }}] {{ m['content'] }}\n{% endfor %}{% if add_generation_prompt %}[assistant]{% endif %}");
        write(at("chat.json"), R"([{"role": "user", "content": "hi"}])");
        const auto found = run({"render", "--template", at("t.jinja"), "--messages", at("chat.json"), "--json"});
        QCOMPARE(found.json()["text"].get<std::string>(), std::string("[user] hi\n[assistant]"));
        const auto closed =
            run({"render", "--template", at("t.jinja"), "--messages", "-", "--no-generation-prompt"}, R"([{"role": "user", "content": "hi"}])");
        QCOMPARE(closed.out, std::string("[user] hi\n\n"));
        QVERIFY(run({"render", "--template", at("t.jinja"), "--messages", "-"}, R"({"role": "user"})").says("list of objects"));
    }

    void aChatThatFailsInABatchFailsAlone()
    {
        write(at("strict.jinja"), "{% if messages|length > 1 %}{{ raise_exception('one at a time') }}{% endif %}{{ messages[0].content }}");
        const std::string good = R"([{"role": "user", "content": "hi"}])";
        write(at("chats.jsonl"), good + "\n" + R"([{"role": "user", "content": "a"}, {"role": "user", "content": "b"}])" + "\n[3]\n" + good + "\n");
        const auto found = run({"render", "--template", at("strict.jinja"), "--batch", at("chats.jsonl"), "--json"});
        QCOMPARE(found.status, 0);
        const auto rows = found.lines();
        QCOMPARE(rows.size(), std::size_t{4});
        QCOMPARE(rows[0]["text"].get<std::string>(), std::string("hi"));
        QVERIFY(rows[1]["error"].get<std::string>().find("one at a time") != std::string::npos);
        QVERIFY(rows[2].contains("error"));
        QCOMPARE(rows[3]["text"].get<std::string>(), std::string("hi"));
        write(at("bad.jsonl"), "[3]\n");
        QCOMPARE(run({"render", "--template", at("strict.jinja"), "--batch", at("bad.jsonl"), "--json"}).status, 1);
    }

    void infoSaysWhyATokenizerCannotBeUsed()
    {
        const std::string folder = at("odd");
        fs::create_directory(folder);
        for (const char* file : {"config.json", "model.safetensors"}) {
            fs::copy_file(fs::path(m_model) / file, fs::path(folder) / file);
        }
        QVERIFY(run({"info", folder, "--json"}).json()["tokenizer"].is_null());
        write(fs::path(folder) / "tokenizer.json", R"({"model": {"type": "WordPiece", "vocab": {}}})");
        QVERIFY(run({"info", folder, "--json"}).json()["tokenizer"]["problem"].get<std::string>().find("WordPiece") != std::string::npos);
        QVERIFY(run({"info", folder}).out.find("WordPiece") != std::string::npos);
    }

    void logitsMatchTransformers()
    {
        const auto reference = test::golden("model/llama/reference.json");
        std::string ids;
        for (const auto& id : reference["input_ids"][0]) {
            ids.append(ids.empty() ? "" : ",").append(std::to_string(id.get<int>()));
        }
        const auto found = run({"logits", m_model, "--ids", ids, "--json"}).json();
        QCOMPARE(found["logits"].size(), reference["logits"][0].size());
        for (std::size_t t = 0; t < found["logits"].size(); ++t) {
            for (std::size_t i = 0; i < found["logits"][t].size(); ++i) {
                QVERIFY(std::abs(found["logits"][t][i].get<double>() - reference["logits"][0][t][i].get<double>()) < 1e-4);
            }
        }
        QCOMPARE(run({"logits", m_model, "--ids", ids, "--json", "--last"}).json()["logits"].size(), std::size_t{1});
        QCOMPARE(run({"logits", m_model, "--ids", "5000"}).status, 1);
    }

    void answersAsTransformersDoes()
    {
        const auto reference = test::golden("model/llama/reference.json")["greedy_from_first_8"].get<std::vector<int>>();
        std::string prompt;
        for (std::size_t i = 0; i < 8; ++i) {
            prompt += static_cast<char>(reference[i] + 32);
        }
        const auto lines = run({"generate", m_model, "--prompt", prompt, "--greedy", "--max-tokens", std::to_string(reference.size() - 8), "--json",
                                "--logprobs", "3"})
                               .lines();
        QCOMPARE(lines.size(), reference.size() - 8 + 1);
        QCOMPARE(lines.back()["ids"].get<std::vector<int>>(), std::vector<int>(reference.begin() + 8, reference.end()));
        QCOMPARE(lines.back()["finish"].get<std::string>(), std::string("length"));
        QCOMPARE(lines[0]["top"].size(), std::size_t{3});
        QVERIFY(lines[0]["top"][0]["id"] == lines[0]["id"]);
        QVERIFY(lines[0]["top"][0]["logprob"] == lines[0]["logprob"]);
    }

    void sameSeedWritesTheSameText()
    {
        const auto first = run({"generate", m_model, "--prompt", "Some", "--max-tokens", "12", "--seed", "3", "--quiet"});
        QCOMPARE(first.status, 0);
        QVERIFY(first.err.empty());
        QCOMPARE(run({"generate", m_model, "--prompt", "Some", "--max-tokens", "12", "--seed", "3", "--threads", "1"}).out, first.out);
    }

    void modelComparedWithItselfAgreesEverywhere()
    {
        const auto found =
            run({"compare", "--teacher", m_model, "--student", m_model, "--prompt", "Some words", "--max-tokens", "8", "--json"}).json();
        QVERIFY(found["teacher"]["ids"] == found["student"]["ids"]);
        for (const char* text_of : {"teacher", "student"}) {
            QCOMPARE(found["forced"][text_of]["mean_kl"].get<double>(), 0.0);
            QCOMPARE(found["forced"][text_of]["same_top"].get<double>(), 1.0);
            QCOMPARE(found["forced"][text_of]["positions"].size(), found["teacher"]["ids"].size());
        }
    }

    void scoresATextWithTwoModels()
    {
        std::string text;
        for (const auto& line : run({"world", "sample", "--documents", "60", "--json"}).lines()) {
            text += line["text"].get<std::string>() + " ";
        }
        write(at("score.txt"), text);
        const std::string text_option = std::string("@").append(at("score.txt"));
        const std::initializer_list<std::string> self = {"score",  "--teacher", "demo:teacher", "--student", "demo:teacher",
                                                         "--text", text_option, "--context",    "64",        "--json"};
        const Json alike = run(self).json();
        QCOMPARE(alike["kld"]["maximum"].get<double>(), 0.0);
        QCOMPARE(alike["kl"]["value"].get<double>(), 0.0);
        QCOMPARE(alike["same_top"]["value"].get<double>(), 1.0);
        QCOMPARE(alike["ln_ppl_ratio"]["value"].get<double>(), 0.0);

        const Json live = run({"score", "--teacher", "demo:teacher", "--student", "demo:distilled", "--text", text_option, "--context", "64",
                               "--save-logits", at("base.logits"), "--json"})
                              .json();
        const Json kept = run({"score", "--base-logits", at("base.logits"), "--student", "demo:distilled", "--json"}).json();
        QVERIFY(live["kld"]["value"].get<double>() > 0.01);
        QVERIFY(std::abs(live["kld"]["value"].get<double>() - kept["kld"]["value"].get<double>()) < 1e-3); // 16-bit steps of 16 nats
        QCOMPARE(kept["positions"].get<int>(), live["positions"].get<int>());
        QVERIFY(kept.find("kl") == kept.end()); // the file does not hold what an exact divergence needs

        QVERIFY(run({"score", "--teacher", "demo:teacher", "--student", "demo:distilled", "--text", "short"}).says("at least 512"));
        QVERIFY(run({"score", "--base-logits", at("score.txt"), "--student", "demo:distilled"}).says("_logits_"));
    }

    void distilsAndKeepsWhatItMade()
    {
        const auto found = run({"distil", plan(8), "--out", at("student"), "--session", at("library.retort-db"), "--json"});
        QVERIFY2(found.status == 0, found.err.c_str());
        const auto lines = found.lines();
        const auto count = [&lines](const char* key, const char* without) {
            return std::count_if(lines.begin(), lines.end(), [&](const Json& line) { return line.contains(key) && !line.contains(without); });
        };
        QCOMPARE(count("grad_norm", "state"), 8);
        QVERIFY(count("evaluation", "state") >= 2);
        QVERIFY(count("probe", "state") >= 2);
        for (const char* field :
             {"step", "tokens", "loss", "divergence", "cross_entropy", "teacher_entropy", "lr", "grad_norm", "tokens_per_s", "active_ms"}) {
            QVERIFY2(std::any_of(lines.begin(), lines.end(), [field](const Json& line) { return line.contains(field) && line[field].is_number(); }),
                     field);
        }
        QCOMPARE(lines.back()["state"].get<std::string>(), std::string("finished"));
        QCOMPARE(run({"info", at("student"), "--json"}).json()["layers"].get<int>(), 1);
        QCOMPARE(run({"generate", at("student"), "--prompt", "Some", "--max-tokens", "4", "--quiet"}).status, 0);

        const auto sessions = run({"session", "list", "--library", at("library.retort-db"), "--json"}).lines();
        QCOMPARE(sessions.size(), std::size_t{1});
        const auto session =
            run({"session", "show", std::to_string(sessions[0]["id"].get<int>()), "--library", at("library.retort-db"), "--json"}).json();
        QCOMPARE(session["runs"][0]["state"].get<std::string>(), std::string("finished"));
        QCOMPARE(session["runs"][0]["metrics"].get<int>(), 8);
        QCOMPARE(run({"session", "check", "--library", at("library.retort-db")}).status, 0);
    }

    void tellsLaterWhyARunFailed()
    {
        const auto found =
            run({"distil", plan(200, R"(, "optimiser": {"lr": 100, "clip_norm": 1e6})"), "--session", at("failed.retort-db"), "--json"});
        QCOMPARE(found.status, 1);
        const auto session = run({"session", "show", "1", "--library", at("failed.retort-db"), "--json"}).json();
        QCOMPARE(session["runs"][0]["state"].get<std::string>(), std::string("failed"));
        const auto why = session["runs"][0]["error"].get<std::string>();
        QVERIFY2(why.size() > 20 && found.err.find(why) != std::string::npos, why.c_str());
    }

    void findsASessionByItsWordsAndSendsItAsAFile()
    {
        const std::string recorded = RETORT_SOURCE_DIR "/tests/golden/store/recorded-1.retort-db"; // of 0.1.0, read as it is
        const auto hits = run({"session", "search", "red", "kite", "--library", recorded, "--json"}).lines();
        QVERIFY(!hits.empty());
        const auto& words = hits[0]["words"][0];
        QCOMPARE(hits[0]["snippet"].get<std::string>().substr(words[0].get<std::size_t>(), words[1].get<std::size_t>()), std::string("red"));
        QVERIFY(run({"session", "search", "nowhere", "--library", recorded, "--json"}).lines().empty());

        const std::string id = std::to_string(hits[0]["session"].get<int>());
        const auto sent = run({"session", "export", id, "--to", at("demo"), "--library", recorded, "--json"}).json();
        QCOMPARE(sent["file"].get<std::string>(), at("demo.retort"));
        QVERIFY(run({"session", "export", id, "--to", at("demo"), "--library", recorded}).says("is there already"));
        QVERIFY(run({"session", "export", "99", "--to", at("none"), "--library", recorded}).says("no session 99"));
        QVERIFY(!fs::exists(recorded + "-wal") && !fs::exists(recorded + "-shm"));

        const auto taken = run({"session", "import", at("demo.retort"), "--library", at("mine.retort-db"), "--json"}).json();
        const auto shown = run({"session", "show", std::to_string(taken["session"].get<int>()), "--library", at("mine.retort-db"), "--json"}).json();
        QCOMPARE(shown["prompts"].size(), std::size_t{4});
        QCOMPARE(shown["runs"][0]["metrics"].get<int>(), 601);
        QVERIFY(run({"session", "import", at("demo.retort"), "--library", at("mine.retort-db")}).says("is here already"));
        QVERIFY(run({"session", "import", at("text.txt"), "--library", at("mine.retort-db")}).says("no session library"));
    }

    void checkTellsWhatCheckpointsTakeAndRemovesThoseThatNobodyWants()
    {
        fs::create_directories(at("house/checkpoints/of nobody"));
        write(at("house/checkpoints/of nobody/model.safetensors"), std::string(2000, 'w'));
        const std::string library = at("house/library.retort-db");
        const std::string recorded = RETORT_SOURCE_DIR "/tests/golden/store/recorded-1.retort-db";
        QCOMPARE(run({"session", "export", "1", "--to", at("house/demo.retort"), "--library", recorded}).status, 0);
        QCOMPARE(run({"session", "import", at("house/demo.retort"), "--library", library}).status, 0);
        const auto before = run({"session", "check", "--library", library, "--json"}).json();
        QCOMPARE(before["checkpoints"].size(), std::size_t{1});
        QCOMPARE(before["checkpoints"][0]["bytes"].get<int>(), 2000);
        QVERIFY(fs::exists(at("house/checkpoints/of nobody")));
        const auto after = run({"session", "check", "--remove-unwanted", "--library", library, "--json"}).json();
        QCOMPARE(after["freed_bytes"].get<int>(), 2000);
        QVERIFY(after["checkpoints"].empty() && !fs::exists(at("house/checkpoints/of nobody")));
    }

    void planWithAnUnknownFieldNamesTheNearest()
    {
        const auto found = run({"distil", plan(4, R"(, "seeed": 3)")});
        QCOMPARE(found.status, 1);
        QVERIFY2(found.says("seeed") && found.err.find("\"seed\"") != std::string::npos, found.err.c_str());
    }

    void interruptedRunGoesOnFromItsCheckpoint()
    {
        QProcess process;
        const std::string file = plan(1'000'000);
        process.start(RETORT_BINARY_DIR "/bin/retort-cli",
                      arguments({"distil", file, "--checkpoints", at("kept"), "--session", at("resumed.retort-db"), "--json"}));
        QByteArray seen;
        while (seen.count('\n') < 20 && process.waitForReadyRead(60'000)) {
            seen += process.readAllStandardOutput();
        }
        QVERIFY(seen.count('\n') >= 20);
        QVERIFY(::kill(static_cast<pid_t>(process.processId()), SIGINT) == 0);
        QVERIFY(process.waitForFinished(60'000));
        QCOMPARE(process.exitCode(), 130);
        const QString err = process.readAllStandardError();
        QVERIFY2(err.contains("--resume"), qPrintable(err));
        const std::string checkpoint = err.section("--resume ", 1).trimmed().toStdString();
        QVERIFY(fs::is_directory(checkpoint));

        QProcess resumed;
        resumed.start(RETORT_BINARY_DIR "/bin/retort-cli",
                      arguments({"distil", file, "--resume", checkpoint, "--session", at("resumed.retort-db"), "--json"}));
        QVERIFY(resumed.waitForReadyRead(60'000));
        const auto first = Json::parse(resumed.readLine().toStdString(), nullptr, false);
        QVERIFY(first.contains("step") && first["step"].get<int>() >= 10);
        ::kill(static_cast<pid_t>(resumed.processId()), SIGINT);
        QVERIFY(resumed.waitForFinished(60'000));
        QCOMPARE(resumed.exitCode(), 130);
        const auto sessions = run({"session", "list", "--library", at("resumed.retort-db"), "--json"}).lines();
        QCOMPARE(sessions.size(), std::size_t{1}); // it went on in the session that it was interrupted in
    }

    void interruptedAnswerKeepsWhatItSaid()
    {
        const std::string wide = at("wide");
        fs::copy(m_model, wide, fs::copy_options::recursive);
        auto config = Json::parse(std::ifstream(wide + "/config.json"));
        config["max_position_embeddings"] = 1'000'000;
        config["eos_token_id"] = nullptr; // so that only the length or a person ends it
        write(wide + "/config.json", config.dump());
        // A model of random weights may choose a stop token before the signal comes; then another seed is asked.
        QProcess process;
        int attempt = 0;
        do {
            process.start(RETORT_BINARY_DIR "/bin/retort-cli",
                          arguments({"generate", wide, "--prompt", "Some", "--max-tokens", "900000", "--json", "--seed", std::to_string(++attempt)}));
            QVERIFY(process.waitForReadyRead(60'000));
            ::kill(static_cast<pid_t>(process.processId()), SIGINT);
            QVERIFY(process.waitForFinished(60'000));
        } while (process.exitCode() == 0 && attempt < 20);
        QCOMPARE(process.exitCode(), 130);
        const Outcome found{130, process.readAllStandardOutput().toStdString(), process.readAllStandardError().toStdString()};
        QVERIFY(!found.lines().empty());
        QCOMPARE(found.lines().back()["finish"].get<std::string>(), std::string("cancelled"));
        QVERIFY(found.err.find("Interrupted after") != std::string::npos);
    }

    void doctorNamesTheLibTorchThatIsLoaded()
    {
        const auto found = run({"doctor", "--json"}).json();
        const auto libraries = found["libraries"].get<std::vector<std::string>>();
        QVERIFY(std::any_of(libraries.begin(), libraries.end(),
                            [](const std::string& file) { return file.find("libtorch_cpu.so") != std::string::npos; }));
        QVERIFY(found["gflops"]["fp32"].get<double>() > 0.0);
        QVERIFY(found["warnings"].is_array());
    }

    void linksNoQt()
    {
        QProcess process;
        process.start("ldd", {RETORT_BINARY_DIR "/bin/retort-cli"});
        QVERIFY(process.waitForFinished(30'000));
        const QByteArray libraries = process.readAllStandardOutput();
        QVERIFY(libraries.contains("libtorch_cpu"));
        QVERIFY(!libraries.contains("libQt6"));
    }

    void worldSpeaksInJsonLines()
    {
        const auto lines = run({"world", "sample", "--kind", "sum", "--documents", "4", "--json"}).lines();
        QCOMPARE(lines.size(), std::size_t{4});
        for (const auto& line : lines) {
            QCOMPARE(line["kind"].get<std::string>(), std::string("sum"));
            QVERIFY(line["surprisal"].get<double>() > 0.0);
        }
    }
};

} // namespace retort

QTEST_GUILESS_MAIN(retort::CliTest)
#include "cli_test.moc"
