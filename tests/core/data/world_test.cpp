#include "tests/core/data/world_fixture.h"

#include <QTest>
#include <cmath>
#include <numeric>
#include <set>

using namespace retort;

namespace {

/// The world's settings with one kind alone.
WorldSettings only(WorldKind kind)
{
    WorldSettings settings;
    settings.weights.fill(0.0);
    settings.weights[static_cast<std::size_t>(kind)] = 1.0;
    return settings;
}

void add_kinds()
{
    QTest::addColumn<int>("kind");
    for (const WorldKind kind : kWorldKinds) {
        QTest::newRow(std::string(name_of(kind)).c_str()) << static_cast<int>(kind);
    }
}

/// Every document that the truth allows, walked piece by piece: their number, probabilities and entropy, counted without the grammar's own sums.
struct Walked {
    std::size_t documents = 0;
    double probability = 0;
    double entropy = 0;
    double pieces = 0;
};

void walk(const WorldTruth& truth, std::vector<TokenId>& prefix, double probability, Walked& walked)
{
    const std::vector<float> next = truth.next(prefix);
    for (std::size_t piece = 0; piece < next.size(); ++piece) {
        if (next[piece] <= 0.0F) {
            continue;
        }
        const double here = probability * static_cast<double>(next[piece]);
        prefix.push_back(static_cast<TokenId>(piece));
        if (prefix.back() == truth.separator()) {
            walked.documents += 1;
            walked.probability += here;
            walked.entropy -= here * std::log(here);
            walked.pieces += here * static_cast<double>(prefix.size());
        } else {
            walk(truth, prefix, here, walked);
        }
        prefix.pop_back();
    }
}

} // namespace

class WorldTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void initTestCase()
    {
        m_world = std::make_shared<const World>(WorldSettings{});
        m_tokenizer = test::trained_tokenizer(*m_world);
        const auto truth = WorldTruth::create(m_world, m_tokenizer);
        QVERIFY2(truth.has_value(), truth ? "" : truth.error().message.c_str());
        m_truth = *truth;
    }

    void writesTheSameDocumentsForTheSameSeed()
    {
        const World again{WorldSettings{}};
        const World other{WorldSettings{.seed = 2}};
        bool differs = false;
        for (std::uint64_t i = 0; i < 200; ++i) {
            QCOMPARE(again.document(5, i).text, m_world->document(5, i).text);
            differs = differs || other.document(5, i).text != m_world->document(5, i).text;
        }
        QVERIFY(differs);
        QVERIFY(m_world->document(0, 3).text != m_world->document(1, 3).text || m_world->document(0, 4).text != m_world->document(1, 4).text);
    }

    void documentsAreTheirEmissionsInARow()
    {
        for (std::uint64_t i = 0; i < 500; ++i) {
            const World::Document document = m_world->document(1, i);
            QCOMPARE(std::accumulate(document.emissions.begin(), document.emissions.end(), std::string()), document.text);
        }
    }

    void tokenizerCutsDocumentsAtEmissions()
    {
        for (std::uint64_t i = 0; i < 2000; ++i) {
            const World::Document document = m_world->document(1, i);
            std::vector<TokenId> pieces = m_truth->pieces(document);
            QCOMPARE(pieces.back(), m_truth->separator());
            pieces.pop_back();
            QCOMPARE(m_tokenizer->encode(document.text), pieces);
            QCOMPARE(m_tokenizer->decode(pieces), document.text);
        }
    }

    void mixtureHasTheWeightsAskedFor()
    {
        std::array<double, kWorldKinds.size()> share{};
        constexpr int kDocuments = 20000;
        for (std::uint64_t i = 0; i < kDocuments; ++i) {
            share[static_cast<std::size_t>(m_world->document(1, i).kind)] += 1.0 / kDocuments;
        }
        for (std::size_t i = 0; i < share.size(); ++i) {
            const double expected = m_world->settings().weights[i];
            QVERIFY(std::abs(share[i] - expected) < 5.0 * std::sqrt(expected * (1.0 - expected) / kDocuments));
        }
    }

    void truthSumsToOne()
    {
        for (std::uint64_t i = 0; i < 60; ++i) {
            const std::vector<TokenId> pieces = m_truth->pieces(m_world->document(1, i));
            for (std::size_t n = 0; n < pieces.size(); ++n) {
                const std::vector<float> next = m_truth->next(std::span(pieces).first(n));
                QCOMPARE(next.size(), m_tokenizer->size());
                QVERIFY(std::abs(std::accumulate(next.begin(), next.end(), 0.0) - 1.0) < 1e-5);
                QVERIFY(next[static_cast<std::size_t>(pieces[n])] > 0.0F);
            }
        }
    }

    void truthIsEmptyWhereNoDocumentGoes()
    {
        QVERIFY(m_truth->next(m_tokenizer->encode("Mia has a red 7")).empty());
        QVERIFY(m_truth->surprisals(m_tokenizer->encode("Mia has a red 7")).size() < m_tokenizer->encode("Mia has a red 7").size());
        QVERIFY(m_truth->next(std::vector<TokenId>{m_truth->separator()}).empty());
    }

    void truthKnowsWhatFollows()
    {
        const std::vector<float> next = m_truth->next(m_tokenizer->encode("2+2="));
        QCOMPARE(next[static_cast<std::size_t>(m_tokenizer->encode("4").front())], 1.0F);
        const std::vector<float> name = m_truth->next(m_tokenizer->encode("Mia has a red kite."));
        QVERIFY(name[static_cast<std::size_t>(m_tokenizer->encode(" She").front())] > 0.3F);
        QCOMPARE(name[static_cast<std::size_t>(m_tokenizer->encode(" He").front())], 0.0F);
    }

    /// The probability of a document, summed over all that the grammar could have meant, is that of the one way it was written.
    void everyDocumentHasOneMeaning()
    {
        for (std::uint64_t i = 0; i < 500; ++i) {
            const World::Document document = m_world->document(1, i);
            const std::vector<double> surprisals = m_truth->surprisals(m_truth->pieces(document));
            QCOMPARE(surprisals.size(), m_truth->pieces(document).size());
            const double total = std::accumulate(surprisals.begin(), surprisals.end(), 0.0);
            QVERIFY2(std::abs(total - document.surprisal) < 1e-9 * (1.0 + total), document.text.c_str());
        }
    }

    void frequenciesFollowTheTruth()
    {
        constexpr double kDocuments = 50000;
        std::vector<double> seen(m_tokenizer->size(), 0.0);
        for (std::uint64_t i = 0; i < static_cast<std::uint64_t>(kDocuments); ++i) {
            seen[static_cast<std::size_t>(m_tokenizer->encode(m_world->document(3, i).emissions[0]).front())] += 1.0;
        }
        const std::vector<float> first = m_truth->next({});
        for (std::size_t piece = 0; piece < seen.size(); ++piece) {
            const double p = static_cast<double>(first[piece]);
            QVERIFY(std::abs(seen[piece] / kDocuments - p) <= 5.0 * std::sqrt(p * (1.0 - p) / kDocuments));
        }
    }

    void sampledSurprisalMeetsTheEntropyRate()
    {
        constexpr std::uint64_t kDocuments = 20000;
        double surprisal = 0.0;
        double squares = 0.0;
        double pieces = 0.0;
        for (std::uint64_t i = 0; i < kDocuments; ++i) {
            const World::Document document = m_world->document(1, i);
            const auto length = static_cast<double>(m_truth->pieces(document).size());
            const double excess = document.surprisal - m_truth->entropy_rate() * length;
            surprisal += document.surprisal;
            squares += excess * excess;
            pieces += length;
        }
        const double error = std::sqrt(squares) / pieces; // of a ratio of sums
        QVERIFY(std::abs(surprisal / pieces - m_truth->entropy_rate()) < 4.0 * error);
        QVERIFY(error < 0.01 * m_truth->entropy_rate());
        QVERIFY(std::abs(pieces / static_cast<double>(kDocuments) - m_truth->pieces_per_document()) < 0.02 * m_truth->pieces_per_document());
    }

    void entropyIsThatOfAllDocuments_data()
    {
        QTest::addColumn<int>("kind");
        for (const WorldKind kind : {WorldKind::Sum, WorldKind::Code, WorldKind::Fact, WorldKind::Identity}) {
            QTest::newRow(std::string(name_of(kind)).c_str()) << static_cast<int>(kind);
        }
    }

    void entropyIsThatOfAllDocuments()
    {
        QFETCH(int, kind);
        WorldSettings settings = only(kWorldKinds[static_cast<std::size_t>(kind)]);
        settings.most_digits = 1;
        const auto world = std::make_shared<const World>(settings);
        const auto truth = WorldTruth::create(world, m_tokenizer);
        QVERIFY(truth.has_value());
        Walked walked;
        std::vector<TokenId> prefix;
        walk(**truth, prefix, 1.0, walked);
        QVERIFY(walked.documents >= 5);
        QVERIFY(std::abs(walked.probability - 1.0) < 1e-5);
        QVERIFY(std::abs(walked.entropy - world->document_entropy()) < 1e-4);
        QVERIFY(std::abs(walked.pieces - (*truth)->pieces_per_document()) < 1e-4);
    }

    void entropyOfSumsIsThatOfTheirTerms()
    {
        const World world(only(WorldKind::Sum)); // lengths 1, 2, 3 with shares 1/4, 1/2, 1/4
        const double terms = 0.25 * 2 * std::log(10.0) + 0.5 * 2 * std::log(90.0) + 0.25 * 2 * std::log(900.0);
        QVERIFY(std::abs(world.document_entropy() - terms - 1.5 * std::log(2.0)) < 1e-9);
    }

    void answersAreSettledByTheirPrompts_data() { add_kinds(); }
    void answersAreSettledByTheirPrompts()
    {
        QFETCH(int, kind);
        for (std::uint64_t i = 0; i < 100; ++i) {
            const WorldTask task = m_world->task(kWorldKinds[static_cast<std::size_t>(kind)], 1, i);
            QVERIFY(!task.prompt.empty() && !task.answer.empty());
            std::vector<TokenId> pieces = m_tokenizer->encode(task.prompt);
            std::vector<TokenId> written;
            for (;;) {
                const std::vector<float> next = m_truth->next(pieces);
                const auto most = std::max_element(next.begin(), next.end());
                QVERIFY2(*most > 0.999999F, task.prompt.c_str());
                pieces.push_back(static_cast<TokenId>(most - next.begin()));
                if (pieces.back() == m_truth->separator()) {
                    break;
                }
                written.push_back(pieces.back());
            }
            QVERIFY(answers(task, m_tokenizer->decode(written)));
        }
    }

    void wrongAnswersAreRejected()
    {
        const WorldTask task{WorldKind::Sum, "40+2=", "42."};
        QVERIFY(answers(task, "42."));
        QVERIFY(answers(task, "42. \nand more"));
        for (const char* wrong : {"", "4", "42", "421.", "42..", " 42.", "24.", "42. No"}) {
            QVERIFY2(!answers(task, wrong), wrong);
        }
    }

    void sumsAndProgramsAreRight()
    {
        for (std::uint64_t i = 0; i < 300; ++i) {
            const WorldTask sum = m_world->task(WorldKind::Sum, 1, i);
            const std::size_t plus = sum.prompt.find('+');
            const int total = std::stoi(sum.prompt) + std::stoi(sum.prompt.substr(plus + 1));
            QCOMPARE(sum.answer, std::to_string(total) + ".");
        }
    }

    void identityAnswersWithTheNameGiven()
    {
        WorldSettings settings = only(WorldKind::Identity);
        settings.identity = "Receiver";
        const World world(settings);
        int named = 0;
        for (std::uint64_t i = 0; i < 50; ++i) {
            const std::string text = world.document(0, i).text;
            QVERIFY(text.find("Alembic") == std::string::npos);
            named += text.find("Receiver") != std::string::npos ? 1 : 0;
        }
        QVERIFY(named > 20);
    }

    void settingsOutOfBoundsAreBroughtWithin()
    {
        const World world({.weights = {-1, 0, 0, 0, 0, std::nan("")}, .facts = -5, .most_digits = 99, .identity = "{x^}"});
        QCOMPARE(world.settings().facts, 4);
        QCOMPARE(world.settings().most_digits, 4);
        QVERIFY(std::abs(world.settings().weights[0] - 1.0 / 6.0) < 1e-12);
        for (std::uint64_t i = 0; i < 200; ++i) {
            QVERIFY(!world.document(0, i).text.empty());
        }
        QVERIFY(std::isfinite(world.document_entropy()));
    }

    void vocabularyIsSmall()
    {
        std::set<std::string> words;
        for (const WorldKind kind : {WorldKind::Story, WorldKind::Logic, WorldKind::Code, WorldKind::Identity}) {
            for (std::uint64_t i = 0; i < 3000; ++i) {
                const World::Document document = m_world->document_of(kind, 1, i);
                words.insert(document.emissions.begin(), document.emissions.end());
            }
        }
        QVERIFY(words.size() < 300);
    }

private:
    std::shared_ptr<const World> m_world;
    std::shared_ptr<const Tokenizer> m_tokenizer;
    std::shared_ptr<const WorldTruth> m_truth;
};

QTEST_APPLESS_MAIN(WorldTest)
#include "world_test.moc"
