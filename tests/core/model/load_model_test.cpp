#include "core/model/model.h"

#include "core/base/memory.h"
#include "core/base/sha256.h"
#include "core/model/model_card.h"
#include "core/model/safetensors.h"
#include "core/model/weights_reader.h"
#include "tests/support/model_files.h"

#include <QTest>
#include <algorithm>
#include <cmath>
#include <csignal>
#include <map>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using namespace retort;
using test::golden_model;
using test::ModelFolder;

QString complaint_of(const std::filesystem::path& path)
{
    const auto model = load_model(path);
    return model ? QString() : QString::fromStdString(model.error().message);
}

bool same_weights(const WeightSet& a, const WeightSet& b)
{
    return std::ranges::equal(a, b, [](const auto& x, const auto& y) {
        return x.first == y.first && x.second.dtype == y.second.dtype && x.second.shape == y.second.shape &&
               std::ranges::equal(x.second.bytes, y.second.bytes);
    });
}

SaveOptions with_card()
{
    SaveOptions options;
    options.readme = "# Student\n";
    return options;
}

SaveOptions in_bfloat16()
{
    SaveOptions options;
    options.dtype = DType::BF16;
    return options;
}

bool noted(const ModelInfo& info, std::string_view words)
{
    return std::ranges::any_of(info.notes, [words](const std::string& note) { return note.find(words) != std::string::npos; });
}

/// Writes the folder's weights anew after `change`.
template <class Change>
void change_weights(const ModelFolder& folder, Change change)
{
    auto content = read_safetensors(folder.path() / "model.safetensors");
    QVERIFY(content);
    change(content->tensors);
    QVERIFY(write_safetensors(folder.path() / "model.safetensors", content->tensors));
}

std::map<std::string, std::string> contents_of(const std::filesystem::path& folder)
{
    std::map<std::string, std::string> contents;
    for (const auto& item : std::filesystem::directory_iterator(folder)) {
        contents[item.path().filename().string()] = read_file(item.path(), 1 << 24).value();
    }
    return contents;
}

/// The folder's weights in two files with an index beside them.
void split(const ModelFolder& folder)
{
    auto content = read_safetensors(folder.path() / "model.safetensors");
    QVERIFY(content);
    std::array<WeightSet, 2> parts;
    std::string map;
    for (const auto& [name, weight] : content->tensors) {
        const std::size_t part = name.size() % 2;
        parts[part].emplace(name, weight);
        map += (map.empty() ? "\"" : ",\"") + name + "\":\"part-" + std::to_string(part) + ".safetensors\"";
    }
    QVERIFY(write_safetensors(folder.path() / "part-0.safetensors", parts[0]));
    QVERIFY(write_safetensors(folder.path() / "part-1.safetensors", parts[1]));
    QVERIFY(folder.write("model.safetensors.index.json", R"({"metadata":{"total_size":1},"weight_map":{)" + map + "}}"));
    std::filesystem::remove(folder.path() / "model.safetensors");
}

} // namespace

class LoadModelTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void bothFormatsGiveTheSameModel_data()
    {
        QTest::addColumn<QString>("name");
        QTest::newRow("tied") << "llama";
        QTest::newRow("llama3 RoPE") << "llama_rope3";
    }
    void bothFormatsGiveTheSameModel()
    {
        QFETCH(const QString, name);
        const auto folder = golden_model(name.toStdString());
        const auto one = load_model(folder);
        const auto other = load_model(folder / "model.gguf");
        QVERIFY2(one, one ? "" : one.error().message.c_str());
        QVERIFY2(other, other ? "" : other.error().message.c_str());
        QVERIFY(same_weights(one->weights(), other->weights()));
        QCOMPARE(one->info().format, std::string("safetensors"));
        QCOMPARE(other->info().format, std::string("gguf"));
        QCOMPARE(one->info().parameters, other->info().parameters);
        QVERIFY(!one->has_tokenizer() && !other->has_tokenizer());

        const auto frequencies = rope_inverse_frequencies(one->spec());
        const auto through_divisors = rope_inverse_frequencies(other->spec());
        for (std::size_t i = 0; i < frequencies.size(); ++i) { // the divisors are float32
            QVERIFY(std::abs(frequencies[i] - through_divisors[i]) <= 1e-6 * frequencies[i]);
        }
        ArchSpec spec = other->spec();
        spec.rope_freq_divisors.clear();
        spec.rope_scaling = one->spec().rope_scaling;
        QCOMPARE(spec, one->spec());
    }

    void anyFileOfAFolderOpensIt()
    {
        const auto folder = golden_model("llama");
        const auto whole = load_model(folder);
        QVERIFY(whole);
        for (const char* file : {"config.json", "model.safetensors"}) {
            const auto model = load_model(folder / file);
            QVERIFY2(model, file);
            QVERIFY(same_weights(model->weights(), whole->weights()));
        }
    }

    void knowsItsFileByHash()
    {
        for (const char* file : {"model.safetensors", "model.gguf"}) {
            const auto path = golden_model("llama_rope3") / file;
            const auto model = load_model(path);
            QVERIFY(model);
            QCOMPARE(model->info().sha256, sha256_of_file(path).value());
            QCOMPARE(model->info().file_bytes, std::filesystem::file_size(path));
        }
    }

    void inspectingTellsTheSameWithoutReadingWeights()
    {
        const auto info = inspect_model(golden_model("llama"));
        const auto model = load_model(golden_model("llama"));
        QVERIFY(info && model);
        QCOMPARE(info->spec, model->spec());
        QCOMPARE(info->parameters, model->info().parameters);
        QCOMPARE(info->dtype, std::string("F32"));
        QVERIFY(info->sha256.empty());
        const MemoryEstimate estimate = estimate_memory(*info, 64);
        QCOMPARE(estimate.kv_cache, 64 * 2 * 2 * 16 * 4u); // positions, k and v, layers, width of keys, float32
        QVERIFY(estimate.training > info->parameters * 16);
        QVERIFY(estimate.fits());
    }

    void namesAMissingTensor()
    {
        const ModelFolder folder("llama");
        change_weights(folder, [](WeightSet& weights) { weights.erase("model.layers.1.mlp.up_proj.weight"); });
        const QString complaint = complaint_of(folder.path());
        QVERIFY2(complaint.startsWith(R"(model.safetensors: tensor "model.layers.1.mlp.up_proj.weight" of shape (88, 32) is missing)"),
                 qPrintable(complaint));
    }

    void namesATensorOfTheWrongShape()
    {
        const ModelFolder folder("llama");
        change_weights(folder, [](WeightSet& weights) { weights["model.norm.weight"] = weight_from_floats({16}, std::vector<float>(16)); });
        const QString complaint = complaint_of(folder.path());
        QVERIFY2(complaint.contains(R"(tensor "model.norm.weight" has shape (16); config.json asks for (32))"), qPrintable(complaint));
    }

    void notesTensorsItDoesNotUse()
    {
        const ModelFolder folder("llama");
        change_weights(folder, [](WeightSet& weights) {
            weights["adapter.weight"] = weight_from_floats({2}, std::vector<float>(2));
            weights["model.layers.0.self_attn.rotary_emb.inv_freq"] = weight_from_floats({4}, std::vector<float>(4));
        });
        const auto model = load_model(folder.path());
        QVERIFY(model);
        QVERIFY(noted(model->info(), "1 tensor that no part of the model uses: adapter.weight."));
    }

    void believesTheWeightsAboutTying()
    {
        const ModelFolder tied("llama");
        std::string config = tied.read("config.json");
        config.replace(config.find("\"tie_word_embeddings\": true"), 27, "\"tie_word_embeddings\": false");
        QVERIFY(tied.write("config.json", config));
        const auto model = load_model(tied.path());
        QVERIFY(model && model->spec().tied);
        QVERIFY(noted(model->info(), "the embedding is used"));

        const ModelFolder untied("llama_rope3");
        config = untied.read("config.json");
        config.replace(config.find("\"tie_word_embeddings\": false"), 28, "\"tie_word_embeddings\": true");
        QVERIFY(untied.write("config.json", config));
        const auto other = load_model(untied.path());
        QVERIFY(other && !other->spec().tied);
        QVERIFY(noted(other->info(), "a head of its own"));
    }

    void warnsOfNumbersThatAreNotFinite()
    {
        const ModelFolder folder("llama");
        change_weights(folder, [](WeightSet& weights) {
            std::vector<float> values(32, 1.0f);
            values[7] = std::nanf("");
            weights["model.norm.weight"] = weight_from_floats({32}, values);
        });
        const auto model = load_model(folder.path());
        QVERIFY(model);
        QVERIFY(noted(model->info(), R"(tensor "model.norm.weight" holds numbers that are not finite)"));
    }

    void readsShards()
    {
        const ModelFolder folder("llama_rope3");
        const auto whole = load_model(folder.path());
        split(folder);
        const auto model = load_model(folder.path());
        QVERIFY2(model, model ? "" : model.error().message.c_str());
        QVERIFY(same_weights(model->weights(), whole->weights()));
        QCOMPARE(model->info().sha256.size(), std::size_t{64});
    }

    void refusesShardsThatContradictTheIndex()
    {
        const ModelFolder folder("llama");
        split(folder);
        const std::string index = folder.read("model.safetensors.index.json");
        std::string wrong = index;
        wrong.replace(wrong.find("part-0"), 6, "part-1");
        QVERIFY(folder.write("model.safetensors.index.json", wrong));
        QVERIFY(complaint_of(folder.path()).contains("different models"));
        wrong = index;
        wrong.insert(wrong.find("\"model."), R"("extra.weight":"part-0.safetensors",)");
        QVERIFY(folder.write("model.safetensors.index.json", wrong));
        QVERIFY(complaint_of(folder.path()).contains("extra.weight"));
        wrong = index;
        wrong.replace(wrong.find("part-0.safetensors"), 18, "../../../etc/passwd");
        QVERIFY(folder.write("model.safetensors.index.json", wrong));
        QVERIFY(complaint_of(folder.path()).contains("plain name"));
    }

    void followsTheLinksOfADownloadCache()
    {
        const ModelFolder folder("llama_rope3");
        split(folder);
        const QTemporaryDir cache; // snapshots/REVISION/NAME -> ../../blobs/HASH, as huggingface_hub lays it out
        const std::filesystem::path root = cache.path().toStdString();
        std::filesystem::create_directories(root / "blobs");
        std::filesystem::create_directories(root / "snapshots/1a2b");
        int number = 0;
        for (const auto& item : std::filesystem::directory_iterator(folder.path())) {
            const std::string blob = "blob" + std::to_string(++number);
            std::filesystem::copy_file(item.path(), root / "blobs" / blob);
            std::filesystem::create_symlink(std::filesystem::path("../../blobs") / blob, root / "snapshots/1a2b" / item.path().filename());
        }
        const auto model = load_model(root / "snapshots/1a2b");
        QVERIFY2(model, model ? "" : model.error().message.c_str());
        QVERIFY(same_weights(model->weights(), load_model(folder.path())->weights()));
    }

    void readsRegularFilesOnly_data()
    {
        QTest::addColumn<QString>("file");
        for (const char* file : {"config.json", "model.safetensors", "model.safetensors.index.json", "part-0.safetensors", "tokenizer.json",
                                 "tokenizer_config.json", "generation_config.json", "chat_template.jinja"}) {
            QTest::newRow(file) << file;
        }
    }
    void readsRegularFilesOnly() // a pipe that nobody writes into would hold a reader for ever
    {
        QFETCH(const QString, file);
        const ModelFolder folder("llama");
        if (file.startsWith("part") || file.endsWith("index.json")) {
            split(folder);
        }
        const std::filesystem::path place = folder.path() / file.toStdString();
        std::filesystem::remove(place);
        QCOMPARE(mkfifo(place.c_str(), 0600), 0);
        QVERIFY2(complaint_of(folder.path()).contains("not a regular file"), qPrintable(complaint_of(folder.path())));
        std::filesystem::remove(place);
        std::filesystem::create_symlink("/dev/zero", place);
        QVERIFY2(complaint_of(folder.path()).contains("not a regular file"), qPrintable(complaint_of(folder.path())));
        std::filesystem::remove(place);
        std::filesystem::create_directory(place);
        QVERIFY2(!complaint_of(folder.path()).isEmpty(), qPrintable(file));
    }

    void takesTheChatTemplateInEveryForm_data()
    {
        QTest::addColumn<QByteArray>("config");
        QTest::addColumn<QByteArray>("beside");
        QTest::addColumn<QString>("expected");
        QTest::newRow("none") << QByteArray("{}") << QByteArray() << QString();
        QTest::newRow("text") << QByteArray(R"({"chat_template": "A"})") << QByteArray() << QString("A");
        QTest::newRow("list") << QByteArray(R"({"chat_template": [{"name": "tool_use", "template": "B"}, {"name": "default", "template": "A"}]})")
                              << QByteArray() << QString("A");
        QTest::newRow("list without default") << QByteArray(R"({"chat_template": [{"name": "rag", "template": "B"}]})") << QByteArray()
                                              << QString("B");
        QTest::newRow("file") << QByteArray("{}") << QByteArray("C") << QString("C");
        QTest::newRow("file goes first") << QByteArray(R"({"chat_template": "A"})") << QByteArray("C") << QString("C");
        QTest::newRow("number") << QByteArray(R"({"chat_template": 7})") << QByteArray() << QString();
        QTest::newRow("list of numbers") << QByteArray(R"({"chat_template": [1, {"template": 2}, {"name": [], "template": null}]})") << QByteArray()
                                         << QString();
        QTest::newRow("broken") << QByteArray(R"({"chat_template": "{% if %}"})") << QByteArray() << QString();
    }
    void takesTheChatTemplateInEveryForm()
    {
        QFETCH(const QByteArray, config);
        QFETCH(const QByteArray, beside);
        QFETCH(const QString, expected);
        const ModelFolder folder("llama");
        QVERIFY(folder.write("tokenizer_config.json", config.toStdString()));
        QVERIFY(beside.isEmpty() || folder.write("chat_template.jinja", beside.toStdString()));
        const auto model = load_model(folder.path());
        QVERIFY2(model, model ? "" : model.error().message.c_str());
        QCOMPARE(model->chat_template() ? QString::fromStdString(model->chat_template()->source()) : QString(), expected);
        QCOMPARE(noted(model->info(), "not understood"), qstrcmp(QTest::currentDataTag(), "broken") == 0);
        if (!expected.isEmpty()) { // a student gets its teacher's, whichever file it was in
            const QTemporaryDir student;
            const auto options = save_options_of(model->info());
            QVERIFY(options && save_model(*model, student.path().toStdString(), *options));
            QCOMPARE(QString::fromStdString(load_model(student.path().toStdString())->chat_template()->source()), expected);
        }
    }

    void collectsStopTokensAndCard()
    {
        const ModelFolder folder("llama");
        QVERIFY(folder.write("generation_config.json", R"({"eos_token_id":[2, 7, 5000]})"));
        QVERIFY(folder.write("README.md", "---\nlicense: apache-2.0\nbase_model:\n- org/teacher\n- org/other\n---\n# A model\n"));
        const auto model = load_model(folder.path());
        QVERIFY(model);
        QCOMPARE(model->info().stop_tokens, (std::vector<TokenId>{2, 7}));
        QVERIFY(noted(model->info(), "outside its vocabulary"));
        QCOMPARE(model->info().licence, std::string("apache-2.0"));
        QCOMPARE(model->info().derived_from, std::string("org/teacher"));
    }

    void refusesFilesThatRunCode()
    {
        const QTemporaryDir folder;
        for (const char* name : {"model.pt", "pytorch_model.bin", "model.PTH"}) {
            const std::filesystem::path path = folder.filePath(name).toStdString();
            QVERIFY(write_file_atomically(path, "PK"));
            QVERIFY(complaint_of(path).contains("can run code"));
        }
        QVERIFY(complaint_of(folder.path().toStdString()).contains("holds no config.json"));
        QVERIFY(complaint_of(folder.filePath("absent").toStdString()).contains("was not found"));
        QVERIFY(write_file_atomically(folder.filePath("config.json").toStdString(), R"({"model_type":"llama"})"));
        QVERIFY(complaint_of(folder.path().toStdString()).contains("is missing"));
    }

    void stopsWhenAsked()
    {
        std::stop_source source;
        Progress progress;
        progress.stop = source.get_token();
        progress.report = [&source](std::string_view, double) { source.request_stop(); };
        const auto model = load_model(golden_model("llama"), progress);
        QVERIFY(!model);
        QCOMPARE(model.error().kind, Error::Kind::Cancelled);
    }

    void refusesWhatDoesNotFitWithBothNumbers()
    {
        const auto fits = check_memory(std::uint64_t{1} << 60, "giant");
        QVERIFY(!fits);
        QCOMPARE(fits.error().kind, Error::Kind::OutOfMemory);
        QVERIFY(fits.error().message.find("giant needs ") == 0 && fits.error().message.find("are free") != std::string::npos);
    }

    void savesWhatItLoads()
    {
        for (const char* name : {"llama", "llama_rope3"}) {
            for (const char* file : {"model.safetensors", "model.gguf"}) {
                const auto model = load_model(golden_model(name) / file);
                QVERIFY(model);
                const QTemporaryDir folder;
                const std::filesystem::path path = folder.filePath("new/student").toStdString();
                const auto saved = save_model(*model, path, with_card());
                QVERIFY2(saved, saved ? "" : saved.error().message.c_str());
                const auto again = load_model(path);
                QVERIFY2(again, again ? "" : again.error().message.c_str());
                QVERIFY(same_weights(again->weights(), model->weights()));
                QCOMPARE(again->spec(), load_model(golden_model(name))->spec());
                QCOMPARE(again->info().stop_tokens, model->info().stop_tokens);
            }
        }
    }

    void savesBfloat16RoundedToNearest()
    {
        const auto model = load_model(golden_model("llama"));
        QVERIFY(model);
        const QTemporaryDir folder;
        QVERIFY(save_model(*model, folder.path().toStdString(), in_bfloat16()));
        const auto again = load_model(folder.path().toStdString());
        QVERIFY(again);
        QCOMPARE(again->info().dtype, std::string("BF16"));
        for (const auto& [name, weight] : model->weights()) {
            const auto exact = decoded(weight);
            const auto rounded = decoded(again->weights().at(name));
            for (std::size_t i = 0; i < exact.size(); ++i) {
                QVERIFY(std::abs(exact[i] - rounded[i]) <= std::abs(exact[i]) / 256.0f);
            }
        }
    }

    void keepsLicenceAndLineageInTheCard()
    {
        const std::string text = with_front_matter("# Student\n", {.licence = "apache-2.0", .base_model = "org/teacher: \"7B\""});
        QVERIFY(text.starts_with("---\n"));
        QCOMPARE(parse_model_card(text).licence, std::string("apache-2.0"));
        QCOMPARE(with_front_matter(text, {}), text);
    }

    void aFullDiskLeavesTheOldModelWhole()
    {
        const auto model = load_model(golden_model("llama"));
        QVERIFY(model);
        const ModelFolder folder("llama_rope3");
        const auto before = contents_of(folder.path());
        const QTemporaryDir nothing;
        for (const rlim_t most : {0, 100, 4096, 60000}) {
            for (const auto& place : {folder.path(), std::filesystem::path(nothing.path().toStdString()) / "new"}) {
                const pid_t child = fork();
                if (child == 0) { // a limit on the size of files stands for the full disk: write() gives fewer bytes, then an error
                    std::signal(SIGXFSZ, SIG_IGN);
                    const rlimit limit{most, most};
                    setrlimit(RLIMIT_FSIZE, &limit);
                    const auto saved = save_model(*model, place, with_card());
                    _exit(!saved && saved.error().kind == Error::Kind::Io && !saved.error().message.empty() ? 0 : 1);
                }
                int status = 0;
                waitpid(child, &status, 0);
                QVERIFY(WIFEXITED(status) && WEXITSTATUS(status) == 0);
            }
            QVERIFY(contents_of(folder.path()) == before); // config.json too: a new one beside old weights would be no model
            QVERIFY(std::filesystem::is_empty(nothing.path().toStdString()));
        }
    }

    void loadsARealModel()
    {
        const QByteArray peers = qgetenv("RETORT_PEERS");
        const std::filesystem::path path = std::filesystem::path(peers.toStdString()) / "smollm2.gguf";
        if (peers.isEmpty() || !std::filesystem::exists(path)) {
            QSKIP("RETORT_PEERS names no folder with smollm2.gguf");
        }
        const auto model = load_model(path);
        QVERIFY2(model, model ? "" : model.error().message.c_str());
        QCOMPARE(model->info().parameters, 134515008u);
        QCOMPARE(model->info().dtype, std::string("Q4_1"));
        QCOMPARE(model->info().licence, std::string("apache-2.0"));
        QVERIFY(model->spec().tied && model->has_tokenizer());
        QVERIFY(std::ranges::find(model->info().stop_tokens, 2) != model->info().stop_tokens.end());
        QCOMPARE(model->info().bos_text, std::string("<|im_start|>"));
    }
};

QTEST_APPLESS_MAIN(LoadModelTest)
#include "load_model_test.moc"
