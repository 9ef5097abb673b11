// Net against transformers' logits (golden models and SmolLM2), and against itself in the three ways of running a text.
#include "core/base/files.h"
#include "core/kernels/panel.h"
#include "core/model/model.h"
#include "core/model/net.h"

#include <QTest>
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>

using namespace retort;
using nlohmann::json;

namespace {

const std::filesystem::path kGolden = std::filesystem::path(RETORT_SOURCE_DIR) / "tests" / "golden";

std::optional<json> read_json(const std::filesystem::path& path)
{
    const auto text = read_text_file(path, 64 << 20);
    return text ? std::optional<json>(json::parse(*text)) : std::nullopt;
}

template <class Value>
Value required(Result<Value> result)
{
    if (!result) {
        qFatal("%s", result.error().message.c_str());
    }
    return std::move(*result);
}

std::vector<float> logits_of(Net& net, KvCache& cache, std::span<const TokenId> ids, Net::Rows rows = Net::Rows::All)
{
    std::vector<float> logits;
    const auto ran = net.forward(cache, ids, rows, logits);
    if (!ran) {
        qFatal("%s", ran.error().message.c_str());
    }
    return logits;
}

double largest_difference(std::span<const float> a, std::span<const float> b)
{
    double largest = a.size() == b.size() ? 0.0 : std::numeric_limits<double>::infinity();
    for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
        largest = std::max(largest, std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
    }
    return largest;
}

TokenId greedy(std::span<const float> logits)
{
    return static_cast<TokenId>(std::ranges::max_element(logits) - logits.begin());
}

std::vector<double> log_softmax(std::span<const float> logits)
{
    const double largest = *std::ranges::max_element(logits);
    double sum = 0.0;
    for (const float logit : logits) {
        sum += std::exp(logit - largest);
    }
    std::vector<double> result;
    for (const float logit : logits) {
        result.push_back(logit - largest - std::log(sum));
    }
    return result;
}

/// Mean over the rows of KL(exact || fast).
double mean_divergence(std::span<const float> exact, std::span<const float> fast, std::size_t vocabulary)
{
    double sum = 0.0;
    for (std::size_t row = 0; row < exact.size() / vocabulary; ++row) {
        const auto p = log_softmax(exact.subspan(row * vocabulary, vocabulary));
        const auto q = log_softmax(fast.subspan(row * vocabulary, vocabulary));
        for (std::size_t i = 0; i < vocabulary; ++i) {
            sum += std::exp(p[i]) * (p[i] - q[i]);
        }
    }
    return sum / static_cast<double>(exact.size() / vocabulary);
}

} // namespace

class NetTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void exactLogitsAreTransformers_data();
    void exactLogitsAreTransformers();
    void fastLogitsAreNear_data() { exactLogitsAreTransformers_data(); }
    void fastLogitsAreNear();
    void fastDecodingIsNearToo_data() { exactLogitsAreTransformers_data(); }
    void fastDecodingIsNearToo();
    void longRopeTurnsALongTextAnew();
    void layingOutLeavesTheWeightsInTheFile();
    void wholeTextAndSingleTokensAndPiecesAgree_data() { exactLogitsAreTransformers_data(); }
    void wholeTextAndSingleTokensAndPiecesAgree();
    void hiddenStatesAndHeadGiveTheLogits_data();
    void hiddenStatesAndHeadGiveTheLogits();
    void truncatedCacheForgets();
    void refusesWhatItCannotRun();
    void namesLogitsThatAreNotFinite();
    void stopsWhenAsked();
    void smolLm2MatchesTransformers();
    void smolLm2AnswersAsTransformersDoes();
    void roundingDivergesLittle();

private:
    static Model golden(const std::string& path);
    static std::optional<Model> smol_lm2();
};

Model NetTest::golden(const std::string& path)
{
    return required(load_model(kGolden / "model" / path));
}

std::optional<Model> NetTest::smol_lm2()
{
    const char* peers = std::getenv("RETORT_PEERS");
    if (peers == nullptr || !std::filesystem::exists(std::filesystem::path(peers) / "smollm2.gguf")) {
        return std::nullopt;
    }
    return required(load_model(std::filesystem::path(peers) / "smollm2.gguf"));
}

#define REQUIRE_MODEL(variable, expression, what)                                                                                                    \
    const auto variable = expression;                                                                                                                \
    if (!variable) {                                                                                                                                 \
        QSKIP(what);                                                                                                                                 \
    }
#define GOLDEN_MODEL(variable, path) const std::optional<Model> variable = golden(path)
#define SMOL_LM2(variable) REQUIRE_MODEL(variable, smol_lm2(), "needs RETORT_PEERS, a folder with smollm2.gguf")

void NetTest::exactLogitsAreTransformers_data()
{
    QTest::addColumn<QString>("folder");
    QTest::addColumn<QString>("path");
    for (const auto& item : std::filesystem::directory_iterator(kGolden / "model")) {
        if (!std::filesystem::exists(item.path() / "reference.json")) {
            continue;
        }
        const QString family = QString::fromStdString(item.path().filename().string());
        QTest::addRow("%s safetensors", qPrintable(family)) << family << family;
        if (std::filesystem::exists(item.path() / "model.gguf")) {
            QTest::addRow("%s gguf", qPrintable(family)) << family << family + "/model.gguf";
        }
    }
}

void NetTest::exactLogitsAreTransformers()
{
    QFETCH(QString, folder);
    QFETCH(QString, path);
    GOLDEN_MODEL(model, path.toStdString());
    const auto net = required(Net::create(*model, Net::Precision::Exact));
    const json reference = *read_json(kGolden / "model" / folder.toStdString() / "reference.json");
    for (std::size_t row = 0; row < reference["input_ids"].size(); ++row) {
        const auto ids = reference["input_ids"][row].get<std::vector<TokenId>>();
        std::vector<float> expected;
        for (const json& position : reference["logits"][row]) {
            const auto values = position.get<std::vector<float>>();
            expected.insert(expected.end(), values.begin(), values.end());
        }
        const double difference = largest_difference(logits_of(*net, *net->new_cache(), ids), expected);
        QVERIFY2(difference < 1e-4, qPrintable(QString::number(difference)));
        const auto cache = net->new_cache(); // and a token at a time
        std::vector<float> one_by_one;
        for (const TokenId& id : ids) {
            const auto logits = logits_of(*net, *cache, std::span(&id, 1));
            one_by_one.insert(one_by_one.end(), logits.begin(), logits.end());
        }
        if (model->spec().rope.scaling.kind != RopeScaling::Kind::LongRope) { // which turns all positions by the length of the text
            const double apart = largest_difference(one_by_one, expected);
            QVERIFY2(apart < 1e-4, qPrintable(QString::number(apart)));
        }
    }
    const auto expected = reference["greedy_from_first_8"].get<std::vector<TokenId>>(); // the eight given ones first
    std::vector<TokenId> text(expected.begin(), expected.begin() + 8);
    const auto cache = net->new_cache();
    for (std::vector<TokenId> next = text; text.size() < expected.size(); next = {text.back()}) {
        text.push_back(greedy(logits_of(*net, *cache, next, Net::Rows::Last)));
    }
    QCOMPARE(text, expected);
}

void NetTest::fastDecodingIsNearToo()
{
    QFETCH(QString, path);
    GOLDEN_MODEL(model, path.toStdString());
    const auto exact = required(Net::create(*model, Net::Precision::Exact));
    const auto fast = required(Net::create(*model, Net::Precision::Fast));
    const std::vector<TokenId> ids = {5, 17, 60, 3, 88, 41, 2, 9, 9, 30, 71, 64};
    const auto expected = logits_of(*exact, *exact->new_cache(), ids);
    const auto cache = fast->new_cache();
    std::vector<float> found;
    for (const TokenId& id : ids) {
        const auto logits = logits_of(*fast, *cache, std::span(&id, 1));
        found.insert(found.end(), logits.begin(), logits.end());
    }
    const double divergence = mean_divergence(expected, found, static_cast<std::size_t>(model->spec().vocabulary));
    QVERIFY2(divergence < 1e-6, qPrintable(QString::number(divergence)));
}

void NetTest::fastLogitsAreNear()
{
    QFETCH(QString, path);
    GOLDEN_MODEL(model, path.toStdString());
    const auto exact = required(Net::create(*model, Net::Precision::Exact));
    const auto fast = required(Net::create(*model, Net::Precision::Fast));
    const std::vector<TokenId> ids = {5, 17, 60, 3, 88, 41, 2, 9, 9, 30, 71, 64};
    const auto vocabulary = static_cast<std::size_t>(model->spec().vocabulary);
    const auto expected = logits_of(*exact, *exact->new_cache(), ids);
    const double divergence = mean_divergence(expected, logits_of(*fast, *fast->new_cache(), ids), vocabulary);
    QVERIFY2(divergence < 2e-3, qPrintable(QString::number(divergence))); // these random weights magnify every rounding
}

void NetTest::wholeTextAndSingleTokensAndPiecesAgree()
{
    QFETCH(QString, path);
    GOLDEN_MODEL(model, path.toStdString());
    const auto net = required(Net::create(*model, Net::Precision::Exact));
    std::vector<TokenId> ids;
    for (TokenId i = 0; i < 50; ++i) {
        ids.push_back((i * 37 + 11) % static_cast<TokenId>(model->spec().vocabulary));
    }
    const auto whole = logits_of(*net, *net->new_cache(), ids);
    for (const std::size_t piece : {1u, 7u, 33u}) {
        const auto cache = net->new_cache();
        std::vector<float> pieces;
        for (std::size_t first = 0; first < ids.size(); first += piece) {
            const auto part = std::span(ids).subspan(first, std::min(piece, ids.size() - first));
            const auto logits = logits_of(*net, *cache, part);
            pieces.insert(pieces.end(), logits.begin(), logits.end());
        }
        QCOMPARE(cache->length(), static_cast<std::int64_t>(ids.size()));
        if (model->spec().rope.scaling.kind == RopeScaling::Kind::LongRope) {
            continue; // the earlier rows of a short piece are turned otherwise than in the whole text
        }
        const double difference = largest_difference(whole, pieces);
        QVERIFY2(difference < 1e-4, qPrintable(QString("pieces of %1: %2").arg(piece).arg(difference)));
    }
}

void NetTest::longRopeTurnsALongTextAnew()
{
    GOLDEN_MODEL(model, "phi3_long"); // made for 16 positions, stretched to 64
    for (const auto precision : {Net::Precision::Exact, Net::Precision::Fast}) {
        const auto net = required(Net::create(*model, precision));
        std::vector<TokenId> ids;
        for (TokenId i = 0; i < 30; ++i) {
            ids.push_back((i * 37 + 11) % 96);
        }
        const auto last_of = [&](std::size_t length) { return logits_of(*net, *net->new_cache(), std::span(ids).first(length), Net::Rows::Last); };
        const auto cache = net->new_cache();
        for (std::size_t i = 0; i < ids.size(); ++i) { // a token at a time over the edge
            const auto logits = logits_of(*net, *cache, std::span(ids).subspan(i, 1));
            QVERIFY(mean_divergence(last_of(i + 1), logits, 96) < 1e-6);
        }
        cache->truncate(9); // and back
        QVERIFY(mean_divergence(last_of(10), logits_of(*net, *cache, std::span(ids).subspan(9, 1)), 96) < 1e-6);
    }
}

void NetTest::layingOutLeavesTheWeightsInTheFile()
{
    GOLDEN_MODEL(model, "llama");
    const auto expected = logits_of(*required(Net::create(*model)), *required(Net::create(*model))->new_cache(), std::vector<TokenId>{1, 2, 3});
    const RunningModel running = required(lay_out(*model));
    QVERIFY(!running.model.has_weights());
    QCOMPARE(largest_difference(expected, logits_of(*running.net, *running.net->new_cache(), std::vector<TokenId>{1, 2, 3})), 0.0);
    const Model again = required(running.model.with_weights());
    QCOMPARE(again.weights().size(), model->weights().size());

    ModelInfo info = model->info(); // one that no file holds keeps them
    info.path.clear();
    QVERIFY(required(lay_out(Model(info, model->shared_weights(), nullptr, nullptr))).model.has_weights());
    info.path = model->info().path; // a file that was changed meanwhile is noticed
    info.sha256 = std::string(64, '0');
    const auto changed = Model(info, nullptr, nullptr, nullptr).with_weights();
    QVERIFY(!changed && changed.error().message.find("not the file any more") != std::string::npos);
}

void NetTest::hiddenStatesAndHeadGiveTheLogits_data()
{
    QTest::addColumn<QString>("path");
    for (const char* path : {"llama", "opt_postnorm", "phi", "gemma2", "granite"}) {
        QTest::newRow(path) << path;
    }
}

void NetTest::hiddenStatesAndHeadGiveTheLogits()
{
    QFETCH(QString, path);
    GOLDEN_MODEL(model, path.toStdString());
    for (const auto precision : {Net::Precision::Exact, Net::Precision::Fast}) {
        const auto net = required(Net::create(*model, precision));
        const std::vector<TokenId> ids = {1, 2, 3, 4, 5, 6, 7, 8, 9};
        std::vector<float> hidden;
        QVERIFY(net->forward_hidden(*net->new_cache(), ids, hidden));
        QCOMPARE(hidden.size(), ids.size() * static_cast<std::size_t>(model->spec().width));
        std::vector<float> logits;
        net->head(hidden, static_cast<std::int64_t>(ids.size()), logits);
        QCOMPARE(largest_difference(logits, logits_of(*net, *net->new_cache(), ids)), 0.0);
    }
}

void NetTest::truncatedCacheForgets()
{
    GOLDEN_MODEL(model, "llama");
    for (const auto precision : {Net::Precision::Exact, Net::Precision::Fast}) {
        const auto net = required(Net::create(*model, precision));
        const auto cache = net->new_cache();
        const std::vector<TokenId> start = {1, 2, 3};
        const std::vector<TokenId> first = {4, 5};
        const std::vector<TokenId> second = {90, 80};
        logits_of(*net, *cache, start);
        const auto before = logits_of(*net, *cache, first);
        cache->truncate(3);
        logits_of(*net, *cache, second);
        cache->truncate(3);
        QCOMPARE(cache->length(), 3);
        QCOMPARE(largest_difference(logits_of(*net, *cache, first), before), 0.0);
    }
}

void NetTest::refusesWhatItCannotRun()
{
    GOLDEN_MODEL(model, "llama");
    const auto net = required(Net::create(*model));
    const auto cache = net->new_cache();
    std::vector<float> logits;
    const auto refusal = [&](const std::vector<TokenId>& ids) {
        const auto result = net->forward(*cache, ids, Net::Rows::Last, logits);
        return result ? QString("accepted") : QString::fromStdString(result.error().message);
    };
    QVERIFY(refusal({3, 96}).startsWith("Token id 96 at place 1 is outside the model's vocabulary of 96"));
    QVERIFY(refusal({-1}).startsWith("Token id -1 at place 0"));
    QVERIFY(refusal(std::vector<TokenId>(65, 1)).startsWith("The model's context of 64 tokens is full"));
    QVERIFY(refusal({}).contains("at least one"));
    QCOMPARE(cache->length(), 0);
    QCOMPARE(refusal(std::vector<TokenId>(64, 1)), QString("accepted"));
    QVERIFY(refusal({1}).contains("64 are taken and 1 more"));
}

void NetTest::namesLogitsThatAreNotFinite()
{
    GOLDEN_MODEL(model, "llama");
    WeightSet weights = model->weights();
    auto norm = decoded(weights.at("model.norm.weight"));
    norm[0] = std::numeric_limits<float>::infinity();
    weights["model.norm.weight"] = weight_from_floats({static_cast<std::int64_t>(norm.size())}, norm);
    const Model broken(model->info(), std::make_shared<WeightSet>(weights), nullptr, nullptr);
    for (const auto precision : {Net::Precision::Exact, Net::Precision::Fast}) {
        const auto net = required(Net::create(broken, precision));
        const auto cache = net->new_cache();
        for (const std::vector<TokenId>& ids : {std::vector<TokenId>{1}, std::vector<TokenId>{1, 2, 3}}) {
            std::vector<float> logits;
            const auto result = net->forward(*cache, ids, Net::Rows::Last, logits);
            QVERIFY(!result);
            QVERIFY(result.error().message.find("not finite") != std::string::npos);
            QCOMPARE(cache->length(), 0);
        }
    }
}

void NetTest::stopsWhenAsked()
{
    GOLDEN_MODEL(model, "llama");
    const auto net = required(Net::create(*model));
    const auto cache = net->new_cache();
    std::stop_source source;
    source.request_stop();
    std::vector<float> logits;
    const std::vector<TokenId> ids = {1, 2, 3};
    const auto result = net->forward(*cache, ids, Net::Rows::Last, logits, source.get_token());
    QVERIFY(!result);
    QCOMPARE(result.error().kind, Error::Kind::Cancelled);
    QCOMPARE(cache->length(), 0);
}

void NetTest::smolLm2MatchesTransformers()
{
    SMOL_LM2(model);
    const auto net = required(Net::create(*model));
    const json golden_values = *read_json(kGolden / "smollm2.json");
    const auto vocabulary = static_cast<std::size_t>(model->spec().vocabulary);
    double largest = 0.0;
    for (const json& text : golden_values["texts"]) {
        const auto ids = text["ids"].get<std::vector<TokenId>>();
        const auto together = logits_of(*net, *net->new_cache(), ids);
        const auto cache = net->new_cache();
        for (std::size_t i = 0; i < ids.size(); ++i) {
            const auto in_prefill = log_softmax(std::span(together).subspan(i * vocabulary, vocabulary));
            const auto in_decode = log_softmax(logits_of(*net, *cache, std::span(ids).subspan(i, 1)));
            for (const json& piece : text["top"][i]) {
                const auto id = piece["id"].get<std::size_t>();
                const auto expected = piece["logprob"].get<double>();
                largest = std::max({largest, std::abs(in_prefill[id] - expected), std::abs(in_decode[id] - expected)});
            }
        }
    }
    qInfo("largest difference of a top-20 log-probability: %.4f", largest);
    QVERIFY(largest < 0.05);
}

void NetTest::smolLm2AnswersAsTransformersDoes()
{
    SMOL_LM2(model);
    const auto net = required(Net::create(*model));
    const json golden_values = *read_json(kGolden / "smollm2.json");
    for (const json& chat : golden_values["chats"]) {
        const auto cache = net->new_cache();
        auto next = chat["prompt_ids"].get<std::vector<TokenId>>();
        const auto answer = chat["greedy_ids"].get<std::vector<TokenId>>();
        const auto margins = chat["margins"].get<std::vector<double>>();
        for (std::size_t i = 0; i < answer.size(); ++i) {
            const TokenId choice = greedy(logits_of(*net, *cache, next, Net::Rows::Last));
            if (margins[i] > 0.1) {
                QCOMPARE(choice, answer[i]);
            }
            next = {answer[i]};
        }
    }
}

void NetTest::roundingDivergesLittle()
{
    SMOL_LM2(model);
    const json golden_values = *read_json(kGolden / "smollm2.json");
    std::vector<TokenId> ids;
    for (const json& chat : golden_values["chats"]) {
        for (const char* part : {"prompt_ids", "greedy_ids"}) {
            const auto more = chat[part].get<std::vector<TokenId>>();
            ids.insert(ids.end(), more.begin(), more.end());
        }
    }
    const auto vocabulary = static_cast<std::size_t>(model->spec().vocabulary);
    const auto exact = required(Net::create(*model, Net::Precision::Exact));
    const auto fast = required(Net::create(*model, Net::Precision::Fast));
    const auto expected = logits_of(*exact, *exact->new_cache(), ids);
    const double prefill = mean_divergence(expected, logits_of(*fast, *fast->new_cache(), ids), vocabulary);
    std::vector<float> decoded_logits;
    const auto cache = fast->new_cache();
    for (std::size_t i = 0; i < ids.size(); ++i) {
        const auto logits = logits_of(*fast, *cache, std::span(ids).subspan(i, 1));
        decoded_logits.insert(decoded_logits.end(), logits.begin(), logits.end());
    }
    const double decode = mean_divergence(expected, decoded_logits, vocabulary);
    qInfo("mean KL(exact || fast) over %zu positions: prefill %.2e, decode %.2e nat", ids.size(), prefill, decode);
    QVERIFY(prefill < (fastest_kernels().arithmetic == Arithmetic::Bf16Dot ? 5e-4 : 1e-6)); // one bf16 part, or two, or float32
    QVERIFY(decode < 1e-6);
}

QTEST_APPLESS_MAIN(NetTest)
#include "net_test.moc"
