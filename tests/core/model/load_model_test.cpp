#include "core/model/gguf.h"
#include "core/model/memory_estimate.h"
#include "core/model/model.h"

#include "core/base/memory.h"
#include "core/base/sha256.h"
#include "core/model/model_card.h"
#include "core/model/safetensors.h"
#include "core/model/weight_import.h"
#include "core/model/weights_reader.h"
#include "tests/support/gguf_writer.h"
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

/// Writes the weights in one of the folder's files anew after `change`.
template <class Change>
void change_weights(const ModelFolder& folder, const char* file, Change change)
{
    auto content = read_safetensors(folder.path() / file);
    QVERIFY(content);
    change(content->tensors);
    QVERIFY(write_safetensors(folder.path() / file, content->tensors));
}

template <class Change>
void change_weights(const ModelFolder& folder, Change change)
{
    change_weights(folder, "model.safetensors", std::move(change));
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

/// The golden llama's GGUF file in two, as llama.cpp's llama-gguf-split makes them: m-0000N-of-00002.gguf.
void split_gguf(const std::filesystem::path& whole, const std::filesystem::path& folder)
{
    const auto file = InputFile::open(whole);
    const auto content = read_gguf(*file);
    QVERIFY(content);
    const std::size_t half = content->tensors.size() / 2;
    for (std::uint32_t part = 0; part < 2; ++part) {
        test::GgufWriter writer;
        if (part == 0) {
            writer.text("general.architecture", "llama");
            for (const auto& [key, value] : {std::pair("llama.block_count", 2u), std::pair("llama.embedding_length", 32u),
                                             std::pair("llama.attention.head_count", 4u), std::pair("llama.attention.head_count_kv", 2u),
                                             std::pair("llama.feed_forward_length", 88u), std::pair("llama.context_length", 64u)}) {
                writer.u32(key, value);
            }
            writer.f32("llama.attention.layer_norm_rms_epsilon", 1e-5f);
        }
        writer.u32("split.no", part);
        writer.u32("split.count", 2);
        writer.u32("split.tensors.count", static_cast<std::uint32_t>(content->tensors.size()));
        std::vector<std::byte> data;
        for (std::size_t i = part == 0 ? 0 : half; i < (part == 0 ? half : content->tensors.size()); ++i) {
            const TensorEntry& entry = content->tensors[i];
            writer.tensor({entry.name, {entry.shape.rbegin(), entry.shape.rend()}, 0, entry.bytes});
            std::vector<std::byte> bytes((entry.bytes + 31) / 32 * 32);
            QVERIFY(file->read_at(entry.offset, std::span(bytes).first(entry.bytes)));
            data.insert(data.end(), bytes.begin(), bytes.end());
        }
        std::vector<std::byte> bytes = writer.bytes();
        std::ranges::copy(data, bytes.end() - static_cast<std::ptrdiff_t>(data.size()));
        const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
        QVERIFY(write_file_atomically(folder / ("m-0000" + std::to_string(part + 1) + "-of-00002.gguf"), text));
    }
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

        const auto frequencies = rope_inverse_frequencies(one->spec().rope, one->spec().head_dim);
        const auto through_divisors = rope_inverse_frequencies(other->spec().rope, other->spec().head_dim);
        for (std::size_t i = 0; i < frequencies.size(); ++i) { // the divisors are float32
            QVERIFY(std::abs(frequencies[i] - through_divisors[i]) <= 1e-6 * frequencies[i]);
        }
        DecoderShape spec = other->spec();
        spec.rope.divisors.clear();
        spec.rope.scaling = one->spec().rope.scaling;
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

    void namesAGitLfsPointer_data()
    {
        QTest::addColumn<QString>("file");
        for (const char* file : {"model.safetensors", "config.json", "tokenizer.json", "tokenizer_config.json", "generation_config.json",
                                 "chat_template.jinja", "model.safetensors.index.json", "part-0.safetensors", "model.gguf"}) {
            QTest::newRow(file) << file;
        }
    }
    void namesAGitLfsPointer()
    {
        QFETCH(const QString, file);
        const ModelFolder folder("llama");
        if (file.startsWith("part") || file.endsWith("index.json")) {
            split(folder);
        }
        QVERIFY(folder.write(qPrintable(file), "version https://git-lfs.github.com/spec/v1\noid sha256:0123\nsize 269060552\n"));
        const bool gguf = file.endsWith("gguf");
        const QString complaint = complaint_of(gguf ? folder.path() / file.toStdString() : folder.path());
        QVERIFY2(complaint.contains(file + " is a Git LFS pointer") && complaint.contains("269 MB"), qPrintable(complaint));
    }

    void namesAWebPageThatWasSavedInstead()
    {
        const ModelFolder folder("llama");
        QVERIFY(folder.write("model.safetensors", "\n<!DOCTYPE html><html>Sign in</html>"));
        QVERIFY2(complaint_of(folder.path()).contains("model.safetensors is a web page"), qPrintable(complaint_of(folder.path())));
    }

    void namesADownloadThatHasNotEnded_data()
    {
        QTest::addColumn<QString>("lacking");
        QTest::addColumn<QString>("there");
        QTest::newRow("browser") << "model.safetensors"
                                 << "model.safetensors.crdownload";
        QTest::newRow("curl") << "model.safetensors"
                              << "model.safetensors.part";
        QTest::newRow("hub, beside") << "model.safetensors"
                                     << "model.safetensors.6fd1.incomplete";
        QTest::newRow("hub, in its cache") << "model.safetensors"
                                           << ".cache/huggingface/download/a8f.6fd1.incomplete";
        QTest::newRow("config") << "config.json"
                                << "config.json.part";
        QTest::newRow("tokenizer") << "tokenizer.json"
                                   << "tokenizer.json.incomplete";
        QTest::newRow("one of several") << "part-1.safetensors"
                                        << "part-1.safetensors.incomplete";
    }
    void namesADownloadThatHasNotEnded()
    {
        QFETCH(const QString, lacking);
        QFETCH(const QString, there);
        const ModelFolder folder("llama");
        if (lacking.startsWith("part")) {
            split(folder);
        }
        const auto place = folder.path() / there.toStdString();
        std::filesystem::remove(folder.path() / lacking.toStdString());
        std::filesystem::create_directories(place.parent_path());
        QVERIFY(folder.write(qPrintable(there), "the first half"));
        const QString complaint = complaint_of(folder.path());
        QVERIFY2(complaint.contains(lacking + " is not there yet, its download is unfinished"), qPrintable(complaint));
        QVERIFY2(!lacking.startsWith("model") || complaint_of(place).contains("is an unfinished download"), qPrintable(complaint_of(place)));
    }

    void aCompleteModelOpensBesideALeftOverDownload()
    {
        const ModelFolder folder("llama");
        std::filesystem::create_directories(folder.path() / ".cache/huggingface/download");
        QVERIFY(folder.write(".cache/huggingface/download/a8f.6fd1.incomplete", "of something else"));
        QVERIFY(folder.write("model.safetensors.part", "an earlier try"));
        QVERIFY2(complaint_of(folder.path()).isEmpty(), qPrintable(complaint_of(folder.path())));
    }

    void namesAnAdapterAndItsBase()
    {
        for (const char* left : {"config.json", ""}) { // with and without the base's config.json beside it
            const ModelFolder folder("llama");
            for (const char* file : {"config.json", "model.safetensors"}) {
                if (std::string_view(file) != left) {
                    std::filesystem::remove(folder.path() / file);
                }
            }
            QVERIFY(folder.write("adapter_config.json", R"({"peft_type": "LORA", "base_model_name_or_path": "someone/small-model"})"));
            QVERIFY(folder.write("adapter_model.safetensors", "x"));
            const QString complaint = complaint_of(folder.path());
            QVERIFY2(complaint.contains("holds only an adapter") && complaint.contains("someone/small-model"), qPrintable(complaint));
        }
    }

    void takesTheFileThatWasChosenBesideAnIndex()
    {
        const ModelFolder folder("llama");
        split(folder);
        std::filesystem::copy_file(golden_model("llama") / "model.safetensors", folder.path() / "merged.safetensors");
        change_weights(folder, "merged.safetensors",
                       [](WeightSet& weights) { weights["model.norm.weight"] = weight_from_floats({32}, std::vector<float>(32, 7.0f)); });
        const auto chosen = load_model(folder.path() / "merged.safetensors");
        QVERIFY(chosen);
        QCOMPARE(decoded(chosen->weights().at("model.norm.weight")).front(), 7.0f);
        const auto shard = load_model(folder.path() / "part-0.safetensors"); // one of several is not a model
        QVERIFY(shard);
        QVERIFY(same_weights(shard->weights(), load_model(folder.path())->weights()));
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
        QCOMPARE(model->info().report.ignored, std::vector<std::string>{"adapter.weight"});
        QVERIFY(model->info().report.warning().find("1 tensor of the files is not used: adapter.weight.") != std::string::npos);
        QCOMPARE(model->info().report.used, 20u); // 9 of each layer, the embedding and the last norm
    }

    void refusesATensorOfALayerThatItHasNoUseFor()
    {
        for (const char* name : {"model.layers.0.self_attn.q_norm.weight", "model.layers.1.mlp.router.weight", "model.layers.0.self_attn.sinks"}) {
            const ModelFolder folder("llama");
            change_weights(folder, [name](WeightSet& weights) { weights[name] = weight_from_floats({8}, std::vector<float>(8)); });
            const QString complaint = complaint_of(folder.path());
            QVERIFY2(complaint.contains(name) && complaint.contains("is part of a layer"), qPrintable(complaint));
        }
        const ModelFolder longer("llama"); // a layer beyond those that config.json counts, which transformers leaves aside too
        change_weights(
            longer, [](WeightSet& weights) { weights["model.layers.2.input_layernorm.weight"] = weight_from_floats({32}, std::vector<float>(32)); });
        const auto model = load_model(longer.path());
        QVERIFY(model);
        QCOMPARE(model->info().report.ignored.size(), 1u);
    }

    void usesBiasesThatAreNotAnnounced_data()
    {
        QTest::addColumn<QString>("part");
        QTest::addColumn<QString>("said");
        QTest::newRow("q, k, v; silent") << "self_attn.q_proj 32 self_attn.k_proj 16 self_attn.v_proj 16"
                                         << "attention_bias";
        QTest::newRow("output") << "self_attn.o_proj 32"
                                << "attention_bias";
        QTest::newRow("feed-forward") << "mlp.gate_proj 88 mlp.up_proj 88"
                                      << "mlp_bias";
        QTest::newRow("down") << "mlp.down_proj 32"
                              << "mlp_bias";
    }
    void usesBiasesThatAreNotAnnounced()
    {
        QFETCH(const QString, part);
        QFETCH(const QString, said);
        const QStringList words = part.split(' ');
        for (const bool silent : {true, false}) {
            const ModelFolder folder("llama");
            if (silent) {
                std::string config = folder.read("config.json");
                const std::string key = "\"" + said.toStdString() + "\": false,";
                config.replace(config.find(key), key.size(), "");
                QVERIFY(folder.write("config.json", config));
            }
            change_weights(folder, [&words](WeightSet& weights) {
                for (int layer = 0; layer < 2; ++layer) {
                    for (qsizetype i = 0; i < words.size(); i += 2) {
                        const int rows = words[i + 1].toInt();
                        weights["model.layers." + std::to_string(layer) + "." + words[i].toStdString() + ".bias"] =
                            weight_from_floats({rows}, std::vector<float>(static_cast<std::size_t>(rows), 3.0f));
                    }
                }
            });
            const auto model = load_model(folder.path());
            QVERIFY2(model, model ? "" : model.error().message.c_str());
            QVERIFY(model->info().report.warning().find("biases that config.json does not announce") != std::string::npos);
            QVERIFY(model->weights().contains("model.layers.0." + words[0].toStdString() + ".bias"));
        }
    }

    void opensATiedModelUnderItsHeadsName()
    {
        const ModelFolder folder("llama");
        change_weights(folder, [](WeightSet& weights) {
            auto node = weights.extract("model.embed_tokens.weight");
            node.key() = "lm_head.weight";
            weights.insert(std::move(node));
        });
        const auto model = load_model(folder.path());
        QVERIFY2(model, model ? "" : model.error().message.c_str());
        QVERIFY(model->spec().tied);
        QVERIFY(same_weights(model->weights(), load_model(golden_model("llama"))->weights()));
    }

    void readsNamesWithWhatWasPutBeforeThem_data()
    {
        QTest::addColumn<QString>("model");
        QTest::addColumn<QString>("take");
        QTest::addColumn<QString>("put");
        QTest::newRow("DataParallel") << "llama"
                                      << ""
                                      << "module.";
        QTest::newRow("torch.compile") << "llama"
                                       << ""
                                       << "_orig_mod.";
        QTest::newRow("both") << "llama"
                              << ""
                              << "_orig_mod.module.";
        QTest::newRow("adapter merged in place") << "llama"
                                                 << ""
                                                 << "base_model.model.";
        QTest::newRow("language model of a larger one") << "gemma3"
                                                        << ""
                                                        << "language_model.";
        QTest::newRow("the same since transformers 5") << "gemma3"
                                                       << "model."
                                                       << "model.language_model.";
        QTest::newRow("the decoder alone") << "llama"
                                           << "model."
                                           << "";
        QTest::newRow("gpt2 as first published") << "gpt2"
                                                 << "transformer."
                                                 << "";
        QTest::newRow("opt as first published") << "opt"
                                                << "model."
                                                << "";
    }
    void readsNamesWithWhatWasPutBeforeThem()
    {
        QFETCH(const QString, model);
        QFETCH(const QString, take);
        QFETCH(const QString, put);
        const ModelFolder folder(model.toStdString());
        const auto plain = load_model(folder.path());
        change_weights(folder, [&](WeightSet& weights) {
            WeightSet renamed;
            for (const auto& [name, weight] : weights) {
                const bool has = name.starts_with(take.toStdString());
                renamed.emplace(has ? put.toStdString() + name.substr(static_cast<std::size_t>(take.size())) : name, weight);
            }
            weights = std::move(renamed);
        });
        const auto other = load_model(folder.path());
        QVERIFY2(other, other ? "" : other.error().message.c_str());
        QVERIFY(plain && same_weights(plain->weights(), other->weights()));
    }

    void refusesOneWeightUnderTwoNames()
    {
        const ModelFolder folder("llama");
        change_weights(folder, [](WeightSet& weights) { weights["norm.weight"] = weights.at("model.norm.weight"); });
        QVERIFY2(complaint_of(folder.path()).contains("comes twice under two names"), qPrintable(complaint_of(folder.path())));
    }

    void familiesTensorsAreTakenApartAndPutTogetherAgain_data()
    {
        QTest::addColumn<QString>("name");
        for (const char* name : {"llama", "qwen2", "qwen3", "mistral", "gpt2", "gpt_neox", "phi", "phi3", "opt", "opt_postnorm", "smollm3", "olmo2",
                                 "granite", "stablelm"}) {
            QTest::newRow(name) << name;
        }
    }
    void familiesTensorsAreTakenApartAndPutTogetherAgain()
    {
        QFETCH(const QString, name);
        const auto model = load_model(golden_model(name.toStdString()));
        QVERIFY(model);
        const auto file = read_safetensors(golden_model(name.toStdString()) / "model.safetensors");
        QVERIFY(file);
        QVERIFY(same_weights(family_tensors(model->spec(), model->weights()), file->tensors));
    }

    void bothFormatsOfEveryFamilyHoldTheSameNumbers_data()
    {
        QTest::addColumn<QString>("name");
        for (const char* name : {"qwen2", "qwen3", "gemma2", "gemma3", "gpt2", "gpt_neox", "phi", "phi3"}) {
            QTest::newRow(name) << name;
        }
    }
    void bothFormatsOfEveryFamilyHoldTheSameNumbers()
    {
        QFETCH(const QString, name);
        const auto one = load_model(golden_model(name.toStdString()));
        const auto other = load_model(golden_model(name.toStdString()) / "model.gguf");
        QVERIFY2(one && other, qPrintable(name));
        QVERIFY(same_weights(one->weights(), other->weights()));
        QCOMPARE(one->info().parameters, other->info().parameters);
        QCOMPARE(one->spec().each_layer, other->spec().each_layer);
    }

    void believesTheWeightsAboutTying()
    {
        const ModelFolder tied("llama");
        std::string config = tied.read("config.json");
        config.replace(config.find("\"tie_word_embeddings\": true"), 27, "\"tie_word_embeddings\": false");
        QVERIFY(tied.write("config.json", config));
        const auto model = load_model(tied.path());
        QVERIFY(model && model->spec().tied);
        QVERIFY(model->info().report.warning().find("the embedding is used") != std::string::npos);
        QCOMPARE(model->info().report.missing, std::vector<std::string>{"lm_head.weight"});

        const ModelFolder untied("llama_rope3");
        config = untied.read("config.json");
        config.replace(config.find("\"tie_word_embeddings\": false"), 28, "\"tie_word_embeddings\": true");
        QVERIFY(untied.write("config.json", config));
        const auto other = load_model(untied.path());
        QVERIFY(other && !other->spec().tied);
        QVERIFY(other->info().report.warning().find("a head of its own") != std::string::npos);
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
        QVERIFY(model->info().report.warning().find(R"(tensor "model.norm.weight" holds numbers that are not finite)") != std::string::npos);
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

    void readsAModelSplitOverSeveralGgufFiles()
    {
        const auto whole = load_model(golden_model("llama") / "model.gguf");
        QVERIFY(whole);
        const QTemporaryDir place;
        const std::filesystem::path folder = place.path().toStdString();
        split_gguf(golden_model("llama") / "model.gguf", folder);
        for (const char* name : {"m-00001-of-00002.gguf", "m-00002-of-00002.gguf", ""}) { // any part, or the folder
            const auto model = load_model(folder / name);
            QVERIFY2(model, model ? "" : model.error().message.c_str());
            QVERIFY(same_weights(model->weights(), whole->weights()));
            QCOMPARE(model->info().sha256.size(), std::size_t{64});
        }
        std::filesystem::rename(folder / "m-00002-of-00002.gguf", folder / "m-00002-of-00002.gguf.part");
        QVERIFY2(complaint_of(folder / "m-00001-of-00002.gguf").contains("m-00002-of-00002.gguf is not there yet"),
                 qPrintable(complaint_of(folder / "m-00001-of-00002.gguf")));
        std::filesystem::remove(folder / "m-00002-of-00002.gguf.part");
        QVERIFY(complaint_of(folder / "m-00001-of-00002.gguf").contains("this one is missing"));
        std::filesystem::copy_file(folder / "m-00001-of-00002.gguf", folder / "m-00002-of-00002.gguf"); // the same part twice
        QVERIFY2(complaint_of(folder / "m-00001-of-00002.gguf").contains("part 2 of 2 was expected"),
                 qPrintable(complaint_of(folder / "m-00001-of-00002.gguf")));
        std::filesystem::rename(folder / "m-00001-of-00002.gguf", folder / "renamed.gguf");
        QVERIFY(complaint_of(folder / "renamed.gguf").contains("names like model-00001-of-00002.gguf were expected"));
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
