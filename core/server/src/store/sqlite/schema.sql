-- A table is the columns that are looked for and, where there is more, the record as JSON. Ids are 16 bytes.
-- The rows of a table without rowid lie in the order of its primary key, so that one thing is on few pages.

-- No index has the status: it changes with every request, and is looked for only by people.
CREATE TABLE executions (
  org BLOB NOT NULL,
  id BLOB NOT NULL,
  created_at_ms INTEGER NOT NULL,
  kind TEXT NOT NULL,
  queue TEXT NOT NULL,
  parent BLOB,
  status TEXT NOT NULL,
  record TEXT NOT NULL,
  PRIMARY KEY (org, id)
) WITHOUT ROWID;

CREATE INDEX executions_by_age ON executions (org, created_at_ms, id, kind, queue);
CREATE INDEX executions_of_parent ON executions (org, parent) WHERE parent IS NOT NULL;

CREATE TABLE events (
  org BLOB NOT NULL,
  execution BLOB NOT NULL,
  sequence INTEGER NOT NULL,
  type TEXT NOT NULL,
  data BLOB NOT NULL,
  timestamp_ms INTEGER NOT NULL,
  PRIMARY KEY (org, execution, sequence)
) WITHOUT ROWID;

-- For each key the last value that the execution set.
CREATE TABLE state (
  org BLOB NOT NULL,
  execution BLOB NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (org, execution, key)
) WITHOUT ROWID;

CREATE TABLE tasks (
  org BLOB NOT NULL,
  id BLOB NOT NULL,
  execution BLOB,
  created_at_ms INTEGER NOT NULL,
  record TEXT NOT NULL,
  PRIMARY KEY (org, id)
) WITHOUT ROWID;

CREATE INDEX tasks_of_execution ON tasks (org, execution, created_at_ms) WHERE execution IS NOT NULL;

CREATE TABLE payloads (
  org BLOB NOT NULL,
  task BLOB NOT NULL,
  slot INTEGER NOT NULL,
  payload TEXT NOT NULL,
  PRIMARY KEY (org, task, slot)
) WITHOUT ROWID;

-- `number` grows with each put: of two with the same rank, the one put first is taken first.
CREATE TABLE ready (
  org BLOB NOT NULL,
  work INTEGER NOT NULL,
  id BLOB NOT NULL,
  queue TEXT NOT NULL,
  kind TEXT NOT NULL,
  rank_ms INTEGER NOT NULL,
  number INTEGER NOT NULL,
  worker TEXT,
  ready_at_ms INTEGER NOT NULL,
  PRIMARY KEY (org, work, id)
) WITHOUT ROWID;

-- By kind before rank, so that work of other kinds is not walked over however much of it waits.
CREATE UNIQUE INDEX ready_first ON ready (org, work, queue, kind, rank_ms, number);

-- What a worker has in memory.
CREATE INDEX ready_of_worker ON ready (org, work, queue, worker, rank_ms, number) WHERE worker IS NOT NULL;

-- `owner` is the id of the execution, task or worker; `name` is what else tells the key from others of its kind.
CREATE TABLE deadlines (
  org BLOB NOT NULL,
  kind INTEGER NOT NULL,
  owner BLOB NOT NULL,
  name TEXT NOT NULL,
  due_ms INTEGER NOT NULL,
  number INTEGER NOT NULL,
  PRIMARY KEY (org, kind, owner, name)
) WITHOUT ROWID;

CREATE UNIQUE INDEX deadlines_first ON deadlines (due_ms, number);

CREATE TABLE promises (
  org BLOB NOT NULL,
  id BLOB NOT NULL,
  execution BLOB NOT NULL,
  name TEXT NOT NULL,
  settled INTEGER NOT NULL,
  sequence INTEGER NOT NULL,
  record TEXT NOT NULL,
  PRIMARY KEY (org, id)
) WITHOUT ROWID;

CREATE INDEX promises_by_name ON promises (org, execution, name, settled, sequence);

CREATE TABLE idempotency (
  org BLOB NOT NULL,
  space INTEGER NOT NULL,
  text TEXT NOT NULL,
  target BLOB NOT NULL,
  expires_at_ms INTEGER NOT NULL,
  PRIMARY KEY (org, space, text)
) WITHOUT ROWID;

CREATE TABLE workers (
  org BLOB NOT NULL,
  id BLOB NOT NULL,
  name TEXT NOT NULL,
  record TEXT NOT NULL,
  PRIMARY KEY (org, id)
) WITHOUT ROWID;

CREATE UNIQUE INDEX workers_by_name ON workers (org, name);

CREATE TABLE definitions (
  org BLOB NOT NULL,
  work INTEGER NOT NULL,
  kind TEXT NOT NULL,
  version TEXT NOT NULL,
  record TEXT NOT NULL,
  PRIMARY KEY (org, work, kind, version)
) WITHOUT ROWID;

CREATE TABLE queries (
  org BLOB NOT NULL,
  id BLOB NOT NULL,
  record TEXT NOT NULL,
  PRIMARY KEY (org, id)
) WITHOUT ROWID;

-- Who answers a query of a workflow.
CREATE TABLE query_workers (
  org BLOB NOT NULL,
  query TEXT NOT NULL,
  worker BLOB NOT NULL,
  PRIMARY KEY (org, query, worker)
) WITHOUT ROWID;
