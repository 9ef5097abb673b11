#include "core/store/migrations.h"

#include <array>

namespace retort {

namespace {

constexpr const char* kFirst = R"sql(
CREATE TABLE session(
  id INTEGER PRIMARY KEY, uuid TEXT NOT NULL UNIQUE, title TEXT NOT NULL, view_state TEXT NOT NULL DEFAULT '{}',
  created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, binned_at INTEGER);

CREATE TABLE model(                                   -- one row for each distinct file, found again by its hash
  id INTEGER PRIMARY KEY, identity TEXT NOT NULL UNIQUE, name TEXT NOT NULL, path TEXT NOT NULL, format TEXT NOT NULL, sha256 TEXT NOT NULL,
  family TEXT NOT NULL, dtype TEXT NOT NULL, parameters INTEGER NOT NULL, file_bytes INTEGER NOT NULL, tokenizer_fingerprint TEXT NOT NULL,
  config_json TEXT NOT NULL, licence TEXT NOT NULL, derived_from TEXT NOT NULL, created_at INTEGER NOT NULL);

CREATE TABLE session_model(                           -- the latest row of a role is the model in it
  id INTEGER PRIMARY KEY, session_id INTEGER NOT NULL REFERENCES session(id) ON DELETE CASCADE, model_id INTEGER NOT NULL REFERENCES model(id),
  role TEXT NOT NULL CHECK(role IN ('teacher', 'student')), since INTEGER NOT NULL);
CREATE INDEX session_model_session ON session_model(session_id, role, id);

CREATE TABLE prompt(
  id INTEGER PRIMARY KEY, session_id INTEGER NOT NULL REFERENCES session(id) ON DELETE CASCADE,
  messages_json TEXT NOT NULL,                        -- [{"role": .., "content": ..}]
  rendered TEXT NOT NULL, ids BLOB NOT NULL,          -- what the models really saw: text, and int32 little-endian
  created_at INTEGER NOT NULL);
CREATE INDEX prompt_session ON prompt(session_id, id);

CREATE TABLE response(
  id INTEGER PRIMARY KEY, prompt_id INTEGER NOT NULL REFERENCES prompt(id) ON DELETE CASCADE, model_id INTEGER NOT NULL REFERENCES model(id),
  role TEXT NOT NULL, text TEXT NOT NULL, finish TEXT NOT NULL, settings_json TEXT NOT NULL, seed INTEGER NOT NULL, prompt_tokens INTEGER NOT NULL,
  first_token_ms REAL NOT NULL, generation_ms REAL NOT NULL, created_at INTEGER NOT NULL);
CREATE INDEX response_prompt ON response(prompt_id, id);

CREATE TABLE token(
  response_id INTEGER NOT NULL REFERENCES response(id) ON DELETE CASCADE, position INTEGER NOT NULL, token_id INTEGER NOT NULL, bytes BLOB NOT NULL,
  log_probability REAL, rank INTEGER NOT NULL, entropy REAL, PRIMARY KEY(response_id, position)) WITHOUT ROWID;

CREATE TABLE comparison(                              -- both models read one text; packed per position, see core/store/packing.h
  id INTEGER PRIMARY KEY, prompt_id INTEGER NOT NULL REFERENCES prompt(id) ON DELETE CASCADE,
  response_id INTEGER NOT NULL REFERENCES response(id) ON DELETE CASCADE, text_of TEXT NOT NULL CHECK(text_of IN ('teacher', 'student')),
  mean_kl REAL, same_top REAL, positions BLOB NOT NULL, sha256 TEXT NOT NULL, created_at INTEGER NOT NULL);
CREATE INDEX comparison_prompt ON comparison(prompt_id, id);

CREATE TABLE snapshot(                                -- both exact distributions at one position, packed
  id INTEGER PRIMARY KEY, prompt_id INTEGER NOT NULL REFERENCES prompt(id) ON DELETE CASCADE, text_of TEXT NOT NULL, position INTEGER NOT NULL,
  content BLOB NOT NULL, sha256 TEXT NOT NULL, created_at INTEGER NOT NULL, UNIQUE(prompt_id, text_of, position));

CREATE TABLE run(
  id INTEGER PRIMARY KEY, uuid TEXT NOT NULL UNIQUE, session_id INTEGER NOT NULL REFERENCES session(id) ON DELETE CASCADE, name TEXT NOT NULL,
  state TEXT NOT NULL CHECK(state IN ('queued', 'running', 'paused', 'finished', 'stopped', 'failed', 'interrupted')),
  teacher_model_id INTEGER REFERENCES model(id), student_model_id INTEGER REFERENCES model(id), -- NULL: a model that was never stored
  plan_json TEXT NOT NULL, seed INTEGER NOT NULL, total_steps INTEGER NOT NULL, last_step INTEGER NOT NULL DEFAULT 0, active_ms INTEGER NOT NULL DEFAULT 0,
  started_at INTEGER NOT NULL, ended_at INTEGER NOT NULL DEFAULT 0, host_json TEXT NOT NULL, error_text TEXT NOT NULL DEFAULT '');
CREATE INDEX run_session ON run(session_id, id);

CREATE TABLE metric(                                  -- a row for each step; NULL is a number that was not finite; segment counts resumes
  run_id INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE, segment INTEGER NOT NULL, step INTEGER NOT NULL, tokens INTEGER NOT NULL, loss REAL,
  divergence REAL, cross_entropy REAL, teacher_entropy REAL, lr REAL, grad_norm REAL, tokens_per_s REAL, active_ms REAL, wall_ms INTEGER NOT NULL,
  PRIMARY KEY(run_id, segment, step)) WITHOUT ROWID;

CREATE TABLE evaluation(
  run_id INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE, step INTEGER NOT NULL, cross_entropy REAL, kl REAL, same_top REAL,
  targets INTEGER NOT NULL, entropy_floor REAL, PRIMARY KEY(run_id, step)) WITHOUT ROWID;

CREATE TABLE probe_sample(
  run_id INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE, step INTEGER NOT NULL, probe INTEGER NOT NULL, text TEXT NOT NULL,
  PRIMARY KEY(run_id, step, probe)) WITHOUT ROWID;

CREATE TABLE checkpoint(                              -- the weights are files; a row is written after they are safe on the disk
  id INTEGER PRIMARY KEY, run_id INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE, step INTEGER NOT NULL, path TEXT NOT NULL, sha256 TEXT NOT NULL,
  bytes INTEGER NOT NULL, is_final INTEGER NOT NULL, created_at INTEGER NOT NULL);
CREATE INDEX checkpoint_run ON checkpoint(run_id, id);
)sql";

/// Named metrics instead of fixed columns, roles and sayings of their time, pieces and artifacts kept, texts found by their words.
constexpr const char* kSecond = R"sql(
ALTER TABLE session ADD COLUMN opened_at INTEGER NOT NULL DEFAULT 0;

CREATE TABLE tokenizer(                               -- a vocabulary's pieces: what was recorded is drawn with them, model or no model
  id INTEGER PRIMARY KEY, fingerprint TEXT NOT NULL UNIQUE, pieces BLOB NOT NULL, sha256 TEXT NOT NULL);

CREATE TEMP TABLE seat AS SELECT s.id, s.session_id, s.model_id, s.role, m.name, m.path, s.since
  FROM main.session_model s LEFT JOIN main.model m ON m.id = s.model_id;
DROP TABLE session_model;
CREATE TABLE session_model(                           -- the latest row of a role is the model in it; name and path as they were then
  id INTEGER PRIMARY KEY, session_id INTEGER NOT NULL REFERENCES session(id) ON DELETE CASCADE, model_id INTEGER NOT NULL REFERENCES model(id),
  role TEXT NOT NULL, name TEXT NOT NULL, path TEXT NOT NULL, since INTEGER NOT NULL);
CREATE INDEX session_model_session ON session_model(session_id, role, id);
INSERT INTO session_model SELECT id, session_id, model_id, role, coalesce(name, ''), coalesce(path, ''), since FROM temp.seat;
DROP TABLE temp.seat;

CREATE TEMP TABLE answer AS SELECT r.*, m.name FROM main.response r LEFT JOIN main.model m ON m.id = r.model_id;
DROP TABLE response;
CREATE TABLE response(                                -- model_id is NULL for a student in training: it is told by run_id and run_step
  id INTEGER PRIMARY KEY, prompt_id INTEGER NOT NULL REFERENCES prompt(id) ON DELETE CASCADE, model_id INTEGER REFERENCES model(id),
  model_name TEXT NOT NULL, run_id INTEGER REFERENCES run(id) ON DELETE SET NULL, run_step INTEGER, role TEXT NOT NULL, text TEXT NOT NULL,
  finish TEXT NOT NULL, settings_json TEXT NOT NULL, seed INTEGER NOT NULL, prompt_tokens INTEGER NOT NULL, first_token_ms REAL NOT NULL,
  generation_ms REAL NOT NULL, created_at INTEGER NOT NULL);
CREATE INDEX response_prompt ON response(prompt_id, id);
CREATE INDEX response_run ON response(run_id);
INSERT INTO response SELECT id, prompt_id, model_id, coalesce(name, ''), NULL, NULL, role, text, finish, settings_json, seed, prompt_tokens,
  first_token_ms, generation_ms, created_at FROM temp.answer;
DROP TABLE temp.answer;

CREATE TEMP TABLE compared AS SELECT * FROM main.comparison;
DROP TABLE comparison;
CREATE TABLE comparison(                              -- two models read one text; teacher and student: the identities of those two, '' for unknown
  id INTEGER PRIMARY KEY, prompt_id INTEGER NOT NULL REFERENCES prompt(id) ON DELETE CASCADE,
  response_id INTEGER NOT NULL REFERENCES response(id) ON DELETE CASCADE, text_of TEXT NOT NULL, teacher TEXT NOT NULL, student TEXT NOT NULL,
  tokenizer_id INTEGER REFERENCES tokenizer(id), mean_kl REAL, same_top REAL, positions BLOB NOT NULL, sha256 TEXT NOT NULL,
  created_at INTEGER NOT NULL);
CREATE INDEX comparison_prompt ON comparison(prompt_id, id);
CREATE INDEX comparison_response ON comparison(response_id);
INSERT INTO comparison SELECT id, prompt_id, response_id, text_of, '', '', NULL, mean_kl, same_top, positions, sha256, created_at FROM temp.compared;
DROP TABLE temp.compared;

ALTER TABLE snapshot ADD COLUMN teacher TEXT NOT NULL DEFAULT '';
ALTER TABLE snapshot ADD COLUMN student TEXT NOT NULL DEFAULT '';
ALTER TABLE snapshot ADD COLUMN tokenizer_id INTEGER REFERENCES tokenizer(id);

CREATE TABLE metric_name(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
INSERT INTO metric_name(name) VALUES ('loss'), ('divergence'), ('cross_entropy'), ('teacher_entropy'), ('lr'), ('grad_norm'), ('tokens_per_s'),
  ('held_out.cross_entropy'), ('held_out.kl'), ('held_out.same_top'), ('held_out.targets'), ('held_out.entropy_floor');

CREATE TABLE point(                                   -- a training step: what a curve can be drawn over
  run_id INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE, segment INTEGER NOT NULL, step INTEGER NOT NULL, tokens INTEGER NOT NULL,
  active_ms REAL, wall_ms INTEGER NOT NULL, PRIMARY KEY(run_id, segment, step)) WITHOUT ROWID;
INSERT INTO point SELECT run_id, segment, step, tokens, active_ms, wall_ms FROM metric;

CREATE TABLE metric_value(                            -- what was measured at a step; NULL is a number that was not finite
  run_id INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE, name_id INTEGER NOT NULL REFERENCES metric_name(id), segment INTEGER NOT NULL,
  step INTEGER NOT NULL, value REAL, PRIMARY KEY(run_id, name_id, segment, step)) WITHOUT ROWID;
INSERT INTO metric_value SELECT run_id, (SELECT id FROM metric_name WHERE name = 'loss'), segment, step, loss FROM metric;
INSERT INTO metric_value SELECT run_id, (SELECT id FROM metric_name WHERE name = 'divergence'), segment, step, divergence FROM metric;
INSERT INTO metric_value SELECT run_id, (SELECT id FROM metric_name WHERE name = 'cross_entropy'), segment, step, cross_entropy FROM metric;
INSERT INTO metric_value SELECT run_id, (SELECT id FROM metric_name WHERE name = 'teacher_entropy'), segment, step, teacher_entropy FROM metric;
INSERT INTO metric_value SELECT run_id, (SELECT id FROM metric_name WHERE name = 'lr'), segment, step, lr FROM metric;
INSERT INTO metric_value SELECT run_id, (SELECT id FROM metric_name WHERE name = 'grad_norm'), segment, step, grad_norm FROM metric;
INSERT INTO metric_value SELECT run_id, (SELECT id FROM metric_name WHERE name = 'tokens_per_s'), segment, step, tokens_per_s FROM metric;
DROP TABLE metric;

CREATE TABLE segment(                                 -- a run from its start or from a resume on; what earlier ones did beyond from_step was given up
  run_id INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE, segment INTEGER NOT NULL, from_step INTEGER NOT NULL, started_at INTEGER NOT NULL,
  PRIMARY KEY(run_id, segment)) WITHOUT ROWID;
INSERT INTO segment SELECT run_id, segment, min(step), min(wall_ms) FROM point GROUP BY run_id, segment;

-- Of evaluations and probes the segment was not noted: it is the latest that trained the step before.
CREATE TEMP TABLE held_out AS SELECT e.*, coalesce((SELECT max(s.segment) FROM main.segment s WHERE s.run_id = e.run_id AND EXISTS(
  SELECT 1 FROM main.point p WHERE p.run_id = s.run_id AND p.segment = s.segment AND p.step = max(e.step - 1, 0))), 0) AS segment
  FROM main.evaluation e;
DROP TABLE evaluation;
INSERT INTO metric_value SELECT run_id, (SELECT id FROM metric_name WHERE name = 'held_out.cross_entropy'), segment, step, cross_entropy FROM held_out;
INSERT INTO metric_value SELECT run_id, (SELECT id FROM metric_name WHERE name = 'held_out.kl'), segment, step, kl FROM held_out;
INSERT INTO metric_value SELECT run_id, (SELECT id FROM metric_name WHERE name = 'held_out.same_top'), segment, step, same_top FROM held_out;
INSERT INTO metric_value SELECT run_id, (SELECT id FROM metric_name WHERE name = 'held_out.targets'), segment, step, targets FROM held_out;
INSERT INTO metric_value SELECT run_id, (SELECT id FROM metric_name WHERE name = 'held_out.entropy_floor'), segment, step, entropy_floor FROM held_out;
DROP TABLE temp.held_out;

CREATE TEMP TABLE said AS SELECT e.*, coalesce((SELECT max(s.segment) FROM main.segment s WHERE s.run_id = e.run_id AND EXISTS(
  SELECT 1 FROM main.point p WHERE p.run_id = s.run_id AND p.segment = s.segment AND p.step = max(e.step - 1, 0))), 0) AS segment
  FROM main.probe_sample e;
DROP TABLE probe_sample;
CREATE TABLE probe_sample(
  run_id INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE, segment INTEGER NOT NULL, step INTEGER NOT NULL, probe INTEGER NOT NULL,
  text TEXT NOT NULL, PRIMARY KEY(run_id, segment, step, probe)) WITHOUT ROWID;
INSERT INTO probe_sample SELECT run_id, segment, step, probe, text FROM temp.said;
DROP TABLE temp.said;

ALTER TABLE run ADD COLUMN checkpoints TEXT NOT NULL DEFAULT ''; -- the folder that holds them
ALTER TABLE run ADD COLUMN discarded_at INTEGER;
UPDATE run SET checkpoints = coalesce((SELECT rtrim(rtrim(path, replace(path, '/', '')), '/') FROM checkpoint WHERE run_id = run.id
  ORDER BY id DESC LIMIT 1), '');
-- The folder was named by another uuid than the row: the one that is on the disk stays.
UPDATE OR IGNORE run SET uuid = substr(checkpoints, -36) WHERE checkpoints GLOB '*/????????-????-????-????-????????????';
UPDATE run SET last_step = (SELECT max(p.step) + 1 FROM point p WHERE p.run_id = run.id
    AND p.segment = (SELECT max(s.segment) FROM segment s WHERE s.run_id = run.id))
  WHERE EXISTS(SELECT 1 FROM segment s WHERE s.run_id = run.id AND s.segment > 0);

CREATE TABLE artifact(                                -- a measure, a copy, a harvest, a verdict: what it is, where it lies, what it says
  id INTEGER PRIMARY KEY, session_id INTEGER NOT NULL REFERENCES session(id) ON DELETE CASCADE, run_id INTEGER REFERENCES run(id) ON DELETE SET NULL,
  model_id INTEGER REFERENCES model(id), kind TEXT NOT NULL, path TEXT NOT NULL, sha256 TEXT NOT NULL, json TEXT NOT NULL,
  created_at INTEGER NOT NULL);
CREATE INDEX artifact_session ON artifact(session_id, kind, id);

CREATE VIRTUAL TABLE search USING fts5(text, tokenize = 'unicode61 remove_diacritics 2'); -- rowids: see core/store/text_index.h
INSERT INTO search(rowid, text) SELECT -id, title FROM session;
INSERT INTO search(rowid, text) SELECT 2 * p.id, (SELECT coalesce(group_concat(json_extract(j.value, '$.content'), char(10)), '')
  FROM json_each(p.messages_json) j WHERE j.type = 'object') FROM prompt p WHERE json_valid(p.messages_json);
INSERT INTO search(rowid, text) SELECT 2 * id + 1, text FROM response;
)sql";

constexpr std::array<const char*, kSchemaVersion> kMigrations = {kFirst, kSecond};

} // namespace

const char* migration_from(std::int64_t version)
{
    return kMigrations.at(static_cast<std::size_t>(version));
}

} // namespace retort
