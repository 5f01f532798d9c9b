-- The attempts that have ended.
CREATE TABLE task_attempts (
  org BLOB NOT NULL,
  task BLOB NOT NULL,
  number INTEGER NOT NULL,
  record TEXT NOT NULL,
  PRIMARY KEY (org, task, number)
) WITHOUT ROWID;

-- Listed are the tasks that belong to no execution; the others have no need of these columns and are in neither index.
ALTER TABLE tasks ADD COLUMN kind TEXT;
ALTER TABLE tasks ADD COLUMN queue TEXT;
ALTER TABLE tasks ADD COLUMN status TEXT;
-- How it has ended, written once.
ALTER TABLE tasks ADD COLUMN ended TEXT;

UPDATE tasks SET
  kind = json_extract(record, '$.kind'),
  queue = json_extract(record, '$.queue'),
  status = CASE
    WHEN json_type(record, '$.state.Running') IS NOT NULL THEN 'RUNNING'
    WHEN json_extract(record, '$.state') IN ('Completed', 'Failed', 'Cancelled')
      THEN upper(json_extract(record, '$.state'))
    ELSE 'PENDING'
  END
WHERE execution IS NULL;
UPDATE tasks SET ended = status WHERE status IN ('COMPLETED', 'FAILED', 'CANCELLED');

CREATE INDEX standalone_tasks ON tasks (org, created_at_ms, id) WHERE execution IS NULL;
CREATE INDEX standalone_tasks_by_end ON tasks (org, ended, created_at_ms, id) WHERE execution IS NULL;
