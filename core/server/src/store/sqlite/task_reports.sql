-- For each key the last value that the task set.
CREATE TABLE task_state (
  org BLOB NOT NULL,
  task BLOB NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (org, task, key)
) WITHOUT ROWID;

CREATE TABLE task_logs (
  org BLOB NOT NULL,
  task BLOB NOT NULL,
  number INTEGER NOT NULL,
  record TEXT NOT NULL,
  PRIMARY KEY (org, task, number)
) WITHOUT ROWID;
