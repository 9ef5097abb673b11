#include "tests/support/ascii_tokenizer.h"
#include "tests/support/library_fixture.h"

#include <QTest>
#include <limits>

using namespace retort;
namespace fs = std::filesystem;

/// What was saved is found again, row by row, after closing and opening.
class SessionStoreTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init() { m_library = std::make_unique<test::LibraryFixture>(); }
    void findsAnAnswerAgainTokenByToken();
    void findsAComparisonAgainExactly();
    void keepsTheLatestSnapshotsOfAPrompt();
    void aNameIsOfItsTimeAndTheHashTheFiles();
    void twoModelsInMemoryAreTwo();
    void anyRoleWillDo();
    void anAnswerOfAStudentInTrainingSaysAfterHowManySteps();
    void keepsThePiecesOfAVocabularyAndWhoseNumbersItHolds();
    void keepsArtifactsByTheirKind();
    void knowsAModelByItsContent();
    void theBinCanBeUndoneAndOnlyTheBinIsPurged();
    void textOfAnyKindSurvives();

private:
    std::unique_ptr<test::LibraryFixture> m_library;
};

namespace {

Prompt some_prompt()
{
    return {"<|user|>Hi", {1, 2, 511, -1}};
}

Answer some_answer()
{
    Answer answer;
    answer.prompt = {1, 2, 511};
    answer.text = "Mia has \xF0\x9F\x98\x80";
    answer.tokens = {{5, "Mia", "Mia", -0.25f, 0, 1.5f}, {6, "", "\xF0\x9F", -1.0f, 3, 2.0f}, {7, "\xF0\x9F\x98\x80", "\x98\x80", -0.5f, 1, 0.0f}};
    answer.finish = Finish::Length;
    answer.first_token_seconds = 0.25;
    answer.decode_seconds = 0.75;
    return answer;
}

Comparison some_comparison()
{
    Comparison comparison;
    comparison.prompt_tokens = 3;
    for (int i = 0; i < 5; ++i) {
        ComparedPosition position;
        position.token = i;
        position.divergence = {0.1 * i, 0.2, 0.05, 0.1, 2.1, 1.7, i % 2 == 0, 7};
        position.teacher_log_probability = -0.5f;
        position.student_rank = 12;
        position.teacher_top = {{3, 0.5f, 0}, {4, 0.25f, 1}};
        comparison.positions.push_back(position);
    }
    return comparison;
}

DistributionSnapshot some_snapshot(std::int64_t position)
{
    DistributionSnapshot snapshot;
    snapshot.position = position;
    snapshot.context = {1, 2, 3};
    snapshot.teacher.logits = {0.5f, -1.0f, static_cast<float>(position)};
    snapshot.truth = {0.25f, 0.75f, 0.0f};
    return snapshot;
}

} // namespace

void SessionStoreTest::findsAnAnswerAgainTokenByToken()
{
    const RowId id = m_library->session();
    const RowId prompt = m_library->store().exchanges().add_prompt(id, {{"system", "Be brief."}, {"user", "Hi"}}, some_prompt()).value();
    GenerateSettings settings;
    settings.sampler.seed = std::numeric_limits<std::uint64_t>::max();
    QVERIFY(m_library->store().exchanges().add_response(prompt, {m_library->model(id)}, "teacher", some_answer(), settings).has_value());
    m_library->reopen();
    const SessionContent content = m_library->store().sessions().read(id).value();
    QCOMPARE(content.prompts.size(), 1u);
    QCOMPARE(content.prompts[0].answered_by, std::vector<std::string>{"alembic"});
    const StoredPrompt found = m_library->store().exchanges().read(content.prompts[0].id).value();
    QCOMPARE(found.messages.size(), 2u);
    QCOMPARE(found.messages[0].role, std::string("system"));
    QCOMPARE(found.rendered, some_prompt().rendered);
    QCOMPARE(found.ids, some_prompt().ids);
    QCOMPARE(found.responses.size(), 1u);
    const StoredResponse& response = found.responses[0];
    QCOMPARE(response.text, some_answer().text);
    QCOMPARE(response.finish, std::string("length"));
    QCOMPARE(response.seed, std::numeric_limits<std::uint64_t>::max());
    QCOMPARE(response.prompt_tokens, 3);
    QCOMPARE(response.first_token_ms, 250.0);
    QCOMPARE(response.generation_ms, 1000.0);
    QCOMPARE(response.tokens.size(), 3u);
    for (std::size_t i = 0; i < 3; ++i) {
        QCOMPARE(response.tokens[i].id, some_answer().tokens[i].id);
        QCOMPARE(response.tokens[i].bytes, some_answer().tokens[i].bytes);
        QCOMPARE(response.tokens[i].log_probability, some_answer().tokens[i].log_probability);
        QCOMPARE(response.tokens[i].rank, some_answer().tokens[i].rank);
    }
}

void SessionStoreTest::findsAComparisonAgainExactly()
{
    const RowId id = m_library->session();
    const RowId prompt = m_library->store().exchanges().add_prompt(id, {{"user", "Hi"}}, some_prompt()).value();
    const RowId response = m_library->store().exchanges().add_response(prompt, {m_library->model(id)}, "teacher", some_answer(), {}).value();
    QVERIFY(m_library->store().exchanges().add_comparison(prompt, "teacher", response, some_comparison()).has_value());
    m_library->reopen();
    const StoredPrompt exchange = m_library->store().exchanges().read(prompt).value();
    QVERIFY(exchange.notes.empty());
    const StoredComparison& found = exchange.comparisons.at(0);
    QCOMPARE(found.response_id, response);
    QCOMPARE(found.text_of, std::string("teacher"));
    QCOMPARE(found.comparison.prompt_tokens, 3u);
    QCOMPARE(found.comparison.positions.size(), 5u);
    const ComparedPosition& last = found.comparison.positions[4];
    QCOMPARE(last.divergence.kl, some_comparison().positions[4].divergence.kl);
    QCOMPARE(last.divergence.overlap, 7);
    QVERIFY(last.divergence.same_top);
    QCOMPARE(last.student_rank, 12);
    QCOMPARE(last.teacher_top.size(), 2u);
    QCOMPARE(last.teacher_top[1].probability, 0.25f);
    QVERIFY(last.student_top.empty());
}

void SessionStoreTest::keepsTheLatestSnapshotsOfAPrompt()
{
    const RowId id = m_library->session();
    const RowId prompt = m_library->store().exchanges().add_prompt(id, {}, some_prompt()).value();
    for (std::int64_t position = 0; position < 20; ++position) {
        m_library->store().exchanges().add_snapshot_later(prompt, {"teacher", some_snapshot(position)});
    }
    m_library->store().exchanges().add_snapshot_later(prompt, {"teacher", some_snapshot(10)}); // looked at again: the latest now
    m_library->reopen();
    const auto places = m_library->store().exchanges().read(prompt).value().snapshots;
    QCOMPARE(places.size(), 16u);
    QCOMPARE(places.back().position, 10);
    const DistributionSnapshot found = m_library->store().exchanges().snapshot(prompt, places.back()).value()->snapshot;
    QCOMPARE(found.teacher.logits, some_snapshot(10).teacher.logits);
    QVERIFY(found.student.logits.empty());
    QCOMPARE(found.truth, some_snapshot(10).truth);
    QVERIFY(!m_library->store().exchanges().snapshot(prompt, {"teacher", 0}).value().has_value()); // made room for a later one
}

void SessionStoreTest::aNameIsOfItsTimeAndTheHashTheFiles()
{
    const RowId first = m_library->session();
    const RowId second = m_library->session();
    const auto named = [](const char* name, const char* path) {
        ModelInfo info;
        info.name = name;
        info.path = path;
        info.sha256 = "5a";
        return info;
    };
    const RowId model = m_library->store().models().add(first, "teacher", named("alembic", "/old/alembic"), "f00d").value();
    const RowId prompt = m_library->store().exchanges().add_prompt(first, {{"user", "Hi"}}, some_prompt()).value();
    QVERIFY(m_library->store().exchanges().add_response(prompt, {model, "alembic"}, "teacher", some_answer(), {}).has_value());
    QCOMPARE(m_library->store().models().add(second, "teacher", named("a copy", "/new/copy"), "f00d").value(), model);
    QCOMPARE(m_library->store().sessions().read(first)->teacher->name, std::string("alembic"));
    QCOMPARE(m_library->store().sessions().read(first)->teacher->path, std::string("/old/alembic"));
    QCOMPARE(m_library->store().sessions().read(second)->teacher->name, std::string("a copy"));
    QCOMPARE(m_library->store().exchanges().read(prompt)->responses.at(0).model_name, std::string("alembic"));
    QCOMPARE(m_library->store().exchanges().read(prompt)->responses.at(0).model_sha256, std::string("5a"));
}

void SessionStoreTest::twoModelsInMemoryAreTwo()
{
    const RowId id = m_library->session();
    ModelInfo fresh;
    fresh.name = "fresh";
    const RowId first = m_library->store().models().add(id, "student", fresh, "f00d").value();
    QVERIFY(m_library->store().models().add(id, "student", fresh, "f00d").value() != first);
    const RowId trained = m_library->store().models().add(id, "student", fresh, "f00d", "run 7 step 300").value();
    QCOMPARE(m_library->store().models().add(id, "student", fresh, "f00d", "run 7 step 300").value(), trained);
    QCOMPARE(m_library->store().sessions().read(id)->student->identity, std::string("run 7 step 300"));
}

void SessionStoreTest::anyRoleWillDo()
{
    const RowId id = m_library->session();
    ModelInfo info;
    info.name = "judge";
    const RowId model = m_library->store().models().add(id, "baseline", info, "").value();
    const RowId prompt = m_library->store().exchanges().add_prompt(id, {{"user", "Hi"}}, some_prompt()).value();
    QVERIFY(m_library->store().exchanges().add_response(prompt, {model}, "baseline", some_answer(), {}).has_value());
    QCOMPARE(m_library->store().exchanges().read(prompt)->responses.at(0).role, std::string("baseline"));
    QVERIFY(!m_library->store().sessions().read(id)->student.has_value());
}

void SessionStoreTest::anAnswerOfAStudentInTrainingSaysAfterHowManySteps()
{
    const RowId id = m_library->session();
    const RowId run = m_library->store().runs().add(id, {}).value();
    const RowId prompt = m_library->store().exchanges().add_prompt(id, {{"user", "Hi"}}, some_prompt()).value();
    QVERIFY(m_library->store().exchanges().add_response(prompt, {0, "student in training", run, 55}, "student", some_answer(), {}).has_value());
    const StoredResponse found = m_library->store().exchanges().read(prompt)->responses.at(0);
    QCOMPARE(found.model_id, RowId{0});
    QCOMPARE(found.run, run);
    QCOMPARE(found.run_step, 55);
    QCOMPARE(found.model_name, std::string("student in training"));
}

void SessionStoreTest::keepsThePiecesOfAVocabularyAndWhoseNumbersItHolds()
{
    const auto tokenizer = Tokenizer::from_json(test::ascii_tokenizer_json(), "tokenizer.json").value();
    m_library->store().models().add_tokenizer_later(tokenizer);
    m_library->store().models().add_tokenizer_later(tokenizer);
    const RowId id = m_library->session();
    const RowId prompt = m_library->store().exchanges().add_prompt(id, {{"user", "Hi"}}, some_prompt()).value();
    const RowId response = m_library->store().exchanges().add_response(prompt, {m_library->model(id)}, "teacher", some_answer(), {}).value();
    const Compared of{"a91f", "run 7 step 55", tokenizer->fingerprint()};
    QVERIFY(m_library->store().exchanges().add_comparison(prompt, "teacher", response, some_comparison(), of).has_value());
    m_library->store().exchanges().add_snapshot_later(prompt, {"teacher", some_snapshot(4), of});
    m_library->reopen();
    const StoredComparison comparison = m_library->store().exchanges().read(prompt)->comparisons.at(0);
    QCOMPARE(comparison.of.student, of.student);
    const auto pieces = m_library->store().models().pieces(comparison.of.tokenizer).value();
    QCOMPARE(pieces.size(), tokenizer->size());
    for (std::size_t token = 0; token < pieces.size(); ++token) {
        QCOMPARE(pieces[token], std::string(tokenizer->bytes(static_cast<TokenId>(token))));
    }
    QCOMPARE(m_library->store().exchanges().snapshot(prompt, {"teacher", 4}).value()->of.tokenizer, tokenizer->fingerprint());
    QVERIFY(m_library->store().models().pieces("another").value().empty());
}

void SessionStoreTest::keepsArtifactsByTheirKind()
{
    const RowId id = m_library->session();
    Artifact measure;
    measure.session = id;
    measure.kind = "measure";
    measure.json = R"({"kl": 0.1})";
    QVERIFY(m_library->store().artifacts().add(measure).has_value());
    measure.kind = "copy";
    measure.path = "/somewhere/student.gguf";
    QVERIFY(m_library->store().artifacts().add(measure).has_value());
    m_library->reopen();
    QCOMPARE(m_library->store().artifacts().list(id)->size(), 2u);
    QCOMPARE(m_library->store().artifacts().list(id, "copy")->at(0).path, measure.path);
    QCOMPARE(m_library->store().artifacts().list(id, "measure")->at(0).json, measure.json);
}

void SessionStoreTest::knowsAModelByItsContent()
{
    const RowId first = m_library->session();
    const RowId second = m_library->session();
    QCOMPARE(m_library->model(first, "same"), m_library->model(second, "same"));
    QVERIFY(m_library->model(first, "same") != m_library->model(first, "other"));
    QCOMPARE(m_library->store().sessions().read(second).value().teacher->name, std::string("alembic"));
}

void SessionStoreTest::theBinCanBeUndoneAndOnlyTheBinIsPurged()
{
    const RowId id = m_library->session();
    QVERIFY(!m_library->store().sessions().purge(id).has_value());
    QVERIFY(m_library->store().sessions().move_to_bin(id, true).has_value());
    QVERIFY(m_library->store().sessions().list(false).value().empty());
    QCOMPARE(m_library->store().sessions().list(true).value().size(), 1u);
    QVERIFY(m_library->store().sessions().move_to_bin(id, false).has_value());
    QCOMPARE(m_library->store().sessions().list(false).value().size(), 1u);
    QVERIFY(m_library->store().sessions().move_to_bin(id, true).has_value());
    QVERIFY(m_library->store().sessions().purge(id).has_value());
    QVERIFY(m_library->store().sessions().list(true).value().empty());
    QVERIFY(!m_library->store().sessions().read(id).has_value());
}

void SessionStoreTest::textOfAnyKindSurvives()
{
    const std::string hostile("'); DROP TABLE session; --\0\xFF<b>x</b>", 36);
    const RowId id = m_library->store().sessions().create(hostile).value();
    QVERIFY(m_library->store().exchanges().add_prompt(id, {{"user", hostile}}, {hostile, {}}).has_value());
    m_library->reopen();
    const SessionContent content = m_library->store().sessions().read(id).value();
    QCOMPARE(content.summary.title, hostile);
    QCOMPARE(m_library->store().exchanges().read(content.prompts.at(0).id).value().rendered, hostile);
    QVERIFY(content.prompts.at(0).messages.at(0).content.starts_with("'); DROP TABLE"));
}

QTEST_APPLESS_MAIN(SessionStoreTest)
#include "session_store_test.moc"
