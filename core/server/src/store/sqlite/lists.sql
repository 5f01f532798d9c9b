-- How an execution has ended, written once. Those that have not ended are few, so the rest of their status needs no index.
ALTER TABLE executions ADD COLUMN ended TEXT;
UPDATE executions SET ended = status WHERE status IN ('COMPLETED', 'FAILED', 'CANCELLED');
CREATE INDEX executions_by_end ON executions (org, ended, created_at_ms, id);

DROP INDEX executions_of_parent;
CREATE INDEX executions_of_parent ON executions (org, parent, created_at_ms, id) WHERE parent IS NOT NULL;

DROP INDEX tasks_of_execution;
CREATE INDEX tasks_of_execution ON tasks (org, execution, created_at_ms, id) WHERE execution IS NOT NULL;
