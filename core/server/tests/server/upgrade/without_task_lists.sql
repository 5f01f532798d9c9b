-- What a server left behind that kept no attempts and had no lists of tasks: tasks of no execution, each of the kind
-- and in the queue that says how far it had come, and an execution with one task done and one claimed. Leases and
-- delays were set to a century.
BEGIN TRANSACTION;
CREATE TABLE deadlines (
  org BLOB NOT NULL,
  kind INTEGER NOT NULL,
  owner BLOB NOT NULL,
  name TEXT NOT NULL,
  due_ms INTEGER NOT NULL,
  number INTEGER NOT NULL,
  PRIMARY KEY (org, kind, owner, name)
) WITHOUT ROWID;
INSERT INTO "deadlines" VALUES(X'0B5F1C1E58A44B6E9D550000000000AA',6,X'01A215F8C8DB7376A3C79B010F0DB986','',1795665555611,1);
INSERT INTO "deadlines" VALUES(X'0B5F1C1E58A44B6E9D550000000000AA',3,X'01A215F8C8EA7E6DAE9E84BE2FCA6917','',4951424955671,13);
INSERT INTO "deadlines" VALUES(X'0B5F1C1E58A44B6E9D550000000000AA',3,X'01A215F8C8EF74069FD75E6E40CDAF5A','',4951424955679,15);
INSERT INTO "deadlines" VALUES(X'0B5F1C1E58A44B6E9D550000000000AA',3,X'0B5F1C1E58A44B6E9D55000000000002','',4951424955699,22);
CREATE TABLE definitions (
  org BLOB NOT NULL,
  work INTEGER NOT NULL,
  kind TEXT NOT NULL,
  version TEXT NOT NULL,
  record TEXT NOT NULL,
  PRIMARY KEY (org, work, kind, version)
) WITHOUT ROWID;
INSERT INTO "definitions" VALUES(X'0B5F1C1E58A44B6E9D550000000000AA',0,'order','1.0.0','{"org_id":"0b5f1c1e-58a4-4b6e-9d55-0000000000aa","work":"Workflow","kind":"order","version":"1.0.0","content_hash":"","worker_id":"01a215f8-c8db-7376-a3c7-9b010f0db986","name":"","description":"","tags":[],"timeout_seconds":null,"cancellable":false,"retry_policy":null,"input_schema":null,"output_schema":null,"metadata":null}');
INSERT INTO "definitions" VALUES(X'0B5F1C1E58A44B6E9D550000000000AA',1,'backing-off','1.0.0','{"org_id":"0b5f1c1e-58a4-4b6e-9d55-0000000000aa","work":"Task","kind":"backing-off","version":"1.0.0","content_hash":"","worker_id":"01a215f8-c8db-7376-a3c7-9b010f0db986","name":"","description":"","tags":[],"timeout_seconds":null,"cancellable":false,"retry_policy":null,"input_schema":null,"output_schema":null,"metadata":null}');
INSERT INTO "definitions" VALUES(X'0B5F1C1E58A44B6E9D550000000000AA',1,'cancelled','1.0.0','{"org_id":"0b5f1c1e-58a4-4b6e-9d55-0000000000aa","work":"Task","kind":"cancelled","version":"1.0.0","content_hash":"","worker_id":"01a215f8-c8db-7376-a3c7-9b010f0db986","name":"","description":"","tags":[],"timeout_seconds":null,"cancellable":false,"retry_policy":null,"input_schema":null,"output_schema":null,"metadata":null}');
INSERT INTO "definitions" VALUES(X'0B5F1C1E58A44B6E9D550000000000AA',1,'charge','1.0.0','{"org_id":"0b5f1c1e-58a4-4b6e-9d55-0000000000aa","work":"Task","kind":"charge","version":"1.0.0","content_hash":"","worker_id":"01a215f8-c8db-7376-a3c7-9b010f0db986","name":"","description":"","tags":[],"timeout_seconds":null,"cancellable":false,"retry_policy":null,"input_schema":null,"output_schema":null,"metadata":null}');
INSERT INTO "definitions" VALUES(X'0B5F1C1E58A44B6E9D550000000000AA',1,'done','1.0.0','{"org_id":"0b5f1c1e-58a4-4b6e-9d55-0000000000aa","work":"Task","kind":"done","version":"1.0.0","content_hash":"","worker_id":"01a215f8-c8db-7376-a3c7-9b010f0db986","name":"","description":"","tags":[],"timeout_seconds":null,"cancellable":false,"retry_policy":null,"input_schema":null,"output_schema":null,"metadata":null}');
INSERT INTO "definitions" VALUES(X'0B5F1C1E58A44B6E9D550000000000AA',1,'failed','1.0.0','{"org_id":"0b5f1c1e-58a4-4b6e-9d55-0000000000aa","work":"Task","kind":"failed","version":"1.0.0","content_hash":"","worker_id":"01a215f8-c8db-7376-a3c7-9b010f0db986","name":"","description":"","tags":[],"timeout_seconds":null,"cancellable":false,"retry_policy":null,"input_schema":null,"output_schema":null,"metadata":null}');
INSERT INTO "definitions" VALUES(X'0B5F1C1E58A44B6E9D550000000000AA',1,'ready','1.0.0','{"org_id":"0b5f1c1e-58a4-4b6e-9d55-0000000000aa","work":"Task","kind":"ready","version":"1.0.0","content_hash":"","worker_id":"01a215f8-c8db-7376-a3c7-9b010f0db986","name":"","description":"","tags":[],"timeout_seconds":null,"cancellable":false,"retry_policy":null,"input_schema":null,"output_schema":null,"metadata":null}');
INSERT INTO "definitions" VALUES(X'0B5F1C1E58A44B6E9D550000000000AA',1,'running','1.0.0','{"org_id":"0b5f1c1e-58a4-4b6e-9d55-0000000000aa","work":"Task","kind":"running","version":"1.0.0","content_hash":"","worker_id":"01a215f8-c8db-7376-a3c7-9b010f0db986","name":"","description":"","tags":[],"timeout_seconds":null,"cancellable":false,"retry_policy":null,"input_schema":null,"output_schema":null,"metadata":null}');
INSERT INTO "definitions" VALUES(X'0B5F1C1E58A44B6E9D550000000000AA',1,'ship','1.0.0','{"org_id":"0b5f1c1e-58a4-4b6e-9d55-0000000000aa","work":"Task","kind":"ship","version":"1.0.0","content_hash":"","worker_id":"01a215f8-c8db-7376-a3c7-9b010f0db986","name":"","description":"","tags":[],"timeout_seconds":null,"cancellable":false,"retry_policy":null,"input_schema":null,"output_schema":null,"metadata":null}');
CREATE TABLE events (
  org BLOB NOT NULL,
  execution BLOB NOT NULL,
  sequence INTEGER NOT NULL,
  type TEXT NOT NULL,
  data BLOB NOT NULL,
  timestamp_ms INTEGER NOT NULL,
  PRIMARY KEY (org, execution, sequence)
) WITHOUT ROWID;
INSERT INTO "events" VALUES(X'0B5F1C1E58A44B6E9D550000000000AA',X'01A215F8C92274F3951C141056B4E7C9',1,'WORKFLOW_STARTED',X'7B22696E707574223A7B22616D6F756E74223A34327D2C226B696E64223A226F72646572227D',1795664955682);
INSERT INTO "events" VALUES(X'0B5F1C1E58A44B6E9D550000000000AA',X'01A215F8C92274F3951C141056B4E7C9',2,'TASK_SCHEDULED',X'7B226B696E64223A22636861726765222C227461736B457865637574696F6E4964223A2230623566316331652D353861342D346236652D396435352D303030303030303030303031222C22696E707574223A372C227175657565223A2264656661756C74222C226D617852657472696573223A337D',1795664955690);
INSERT INTO "events" VALUES(X'0B5F1C1E58A44B6E9D550000000000AA',X'01A215F8C92274F3951C141056B4E7C9',3,'TASK_SCHEDULED',X'7B226B696E64223A2273686970222C227461736B457865637574696F6E4964223A2230623566316331652D353861342D346236652D396435352D303030303030303030303032222C22696E707574223A372C227175657565223A2264656661756C74222C226D617852657472696573223A337D',1795664955690);
INSERT INTO "events" VALUES(X'0B5F1C1E58A44B6E9D550000000000AA',X'01A215F8C92274F3951C141056B4E7C9',4,'WORKFLOW_SUSPENDED',X'7B7D',1795664955690);
INSERT INTO "events" VALUES(X'0B5F1C1E58A44B6E9D550000000000AA',X'01A215F8C92274F3951C141056B4E7C9',5,'TASK_COMPLETED',X'7B227461736B457865637574696F6E4964223A2230623566316331652D353861342D346236652D396435352D303030303030303030303031222C226B696E64223A22636861726765222C226F7574707574223A327D',1795664955695);
CREATE TABLE executions (
  org BLOB NOT NULL,
  id BLOB NOT NULL,
  created_at_ms INTEGER NOT NULL,
  kind TEXT NOT NULL,
  queue TEXT NOT NULL,
  parent BLOB,
  status TEXT NOT NULL,
  record TEXT NOT NULL, ended TEXT,
  PRIMARY KEY (org, id)
) WITHOUT ROWID;
INSERT INTO "executions" VALUES(X'0B5F1C1E58A44B6E9D550000000000AA',X'01A215F8C92274F3951C141056B4E7C9',1795664955682,'order','default',NULL,'PENDING','{"key":{"org_id":"0b5f1c1e-58a4-4b6e-9d55-0000000000aa","id":"01a215f8-c922-74f3-951c-141056b4e7c9"},"kind":"order","queue":"default","version":null,"parent":null,"state":"Ready","priority_ms":0,"created_at_ms":1795664955682,"started_at_ms":1795664955687,"ended_at_ms":null,"updated_at_ms":1795664955695,"current_sequence":5,"history_bytes":553,"landed_sequence":5,"oldest_claim_sequence":null,"worker":"worker","last_holder":"Extended","timeout_ms":null,"cancel":null,"signals":0,"continuation":{"worker":"worker","after_sequence":0},"parks":0,"park_reason":null}',NULL);
CREATE TABLE idempotency (
  org BLOB NOT NULL,
  space INTEGER NOT NULL,
  text TEXT NOT NULL,
  target BLOB NOT NULL,
  expires_at_ms INTEGER NOT NULL,
  PRIMARY KEY (org, space, text)
) WITHOUT ROWID;
CREATE TABLE payloads (
  org BLOB NOT NULL,
  task BLOB NOT NULL,
  slot INTEGER NOT NULL,
  payload TEXT NOT NULL,
  PRIMARY KEY (org, task, slot)
) WITHOUT ROWID;
INSERT INTO "payloads" VALUES(X'0B5F1C1E58A44B6E9D550000000000AA',X'01A215F8C8E0791093E8E8575BCB0BD3',0,'7');
INSERT INTO "payloads" VALUES(X'0B5F1C1E58A44B6E9D550000000000AA',X'01A215F8C8E0791093E8E8575BCB0BD3',1,'1');
INSERT INTO "payloads" VALUES(X'0B5F1C1E58A44B6E9D550000000000AA',X'01A215F8C8E373B58778BB720CE66631',0,'7');
INSERT INTO "payloads" VALUES(X'0B5F1C1E58A44B6E9D550000000000AA',X'01A215F8C8E679C0B6AAB89479C11AED',0,'7');
INSERT INTO "payloads" VALUES(X'0B5F1C1E58A44B6E9D550000000000AA',X'01A215F8C8EA7E6DAE9E84BE2FCA6917',0,'7');
INSERT INTO "payloads" VALUES(X'0B5F1C1E58A44B6E9D550000000000AA',X'01A215F8C8EF74069FD75E6E40CDAF5A',0,'7');
INSERT INTO "payloads" VALUES(X'0B5F1C1E58A44B6E9D550000000000AA',X'01A215F8C8F17EDDBA1695EF0606F2AB',0,'7');
INSERT INTO "payloads" VALUES(X'0B5F1C1E58A44B6E9D550000000000AA',X'0B5F1C1E58A44B6E9D55000000000001',0,'7');
INSERT INTO "payloads" VALUES(X'0B5F1C1E58A44B6E9D550000000000AA',X'0B5F1C1E58A44B6E9D55000000000002',0,'7');
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
CREATE TABLE queries (
  org BLOB NOT NULL,
  id BLOB NOT NULL,
  record TEXT NOT NULL,
  PRIMARY KEY (org, id)
) WITHOUT ROWID;
CREATE TABLE query_workers (
  org BLOB NOT NULL,
  query TEXT NOT NULL,
  worker BLOB NOT NULL,
  PRIMARY KEY (org, query, worker)
) WITHOUT ROWID;
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
INSERT INTO "ready" VALUES(X'0B5F1C1E58A44B6E9D550000000000AA',0,X'01A215F8C92274F3951C141056B4E7C9','default','order',1795664955682,21,'worker',1795664955695);
INSERT INTO "ready" VALUES(X'0B5F1C1E58A44B6E9D550000000000AA',1,X'01A215F8C8F17EDDBA1695EF0606F2AB','ready','ready',1795664955633,7,NULL,1795664955633);
CREATE TABLE state (
  org BLOB NOT NULL,
  execution BLOB NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (org, execution, key)
) WITHOUT ROWID;
CREATE TABLE task_logs (
  org BLOB NOT NULL,
  task BLOB NOT NULL,
  number INTEGER NOT NULL,
  record TEXT NOT NULL,
  PRIMARY KEY (org, task, number)
) WITHOUT ROWID;
INSERT INTO "task_logs" VALUES(X'0B5F1C1E58A44B6E9D550000000000AA',X'01A215F8C8E0791093E8E8575BCB0BD3',1,'{"attempt":2,"level":"INFO","message":"nearly","timestamp_ms":1795664955645}');
CREATE TABLE task_state (
  org BLOB NOT NULL,
  task BLOB NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (org, task, key)
) WITHOUT ROWID;
CREATE TABLE tasks (
  org BLOB NOT NULL,
  id BLOB NOT NULL,
  execution BLOB,
  created_at_ms INTEGER NOT NULL,
  record TEXT NOT NULL,
  PRIMARY KEY (org, id)
) WITHOUT ROWID;
INSERT INTO "tasks" VALUES(X'0B5F1C1E58A44B6E9D550000000000AA',X'01A215F8C8E0791093E8E8575BCB0BD3',NULL,1795664955616,'{"key":{"org_id":"0b5f1c1e-58a4-4b6e-9d55-0000000000aa","id":"01a215f8-c8e0-7910-93e8-e8575bcb0bd3"},"kind":"done","queue":"done","execution_id":null,"state":"Completed","priority_ms":0,"created_at_ms":1795664955616,"updated_at_ms":1795664955651,"execution_count":2,"max_retries":3,"retry_policy":null,"timeout_ms":null,"start_to_close_timeout_ms":null,"heartbeat_timeout_ms":null,"heartbeat_at_ms":null,"error":"declined","stack_trace":null,"metadata":{},"progress":{"value":"0.5","details":"half"},"logs":1,"state_keys":0,"state_bytes":0}');
INSERT INTO "tasks" VALUES(X'0B5F1C1E58A44B6E9D550000000000AA',X'01A215F8C8E373B58778BB720CE66631',NULL,1795664955619,'{"key":{"org_id":"0b5f1c1e-58a4-4b6e-9d55-0000000000aa","id":"01a215f8-c8e3-73b5-8778-bb720ce66631"},"kind":"failed","queue":"failed","execution_id":null,"state":"Failed","priority_ms":0,"created_at_ms":1795664955619,"updated_at_ms":1795664955659,"execution_count":1,"max_retries":3,"retry_policy":null,"timeout_ms":null,"start_to_close_timeout_ms":null,"heartbeat_timeout_ms":null,"heartbeat_at_ms":null,"error":"declined","stack_trace":null,"metadata":{},"progress":null,"logs":0,"state_keys":0,"state_bytes":0}');
INSERT INTO "tasks" VALUES(X'0B5F1C1E58A44B6E9D550000000000AA',X'01A215F8C8E679C0B6AAB89479C11AED',NULL,1795664955622,'{"key":{"org_id":"0b5f1c1e-58a4-4b6e-9d55-0000000000aa","id":"01a215f8-c8e6-79c0-b6aa-b89479c11aed"},"kind":"cancelled","queue":"cancelled","execution_id":null,"state":"Cancelled","priority_ms":0,"created_at_ms":1795664955622,"updated_at_ms":1795664955667,"execution_count":1,"max_retries":3,"retry_policy":null,"timeout_ms":null,"start_to_close_timeout_ms":null,"heartbeat_timeout_ms":null,"heartbeat_at_ms":null,"error":"cancelled","stack_trace":null,"metadata":{},"progress":null,"logs":0,"state_keys":0,"state_bytes":0}');
INSERT INTO "tasks" VALUES(X'0B5F1C1E58A44B6E9D550000000000AA',X'01A215F8C8EA7E6DAE9E84BE2FCA6917',NULL,1795664955626,'{"key":{"org_id":"0b5f1c1e-58a4-4b6e-9d55-0000000000aa","id":"01a215f8-c8ea-7e6d-ae9e-84be2fca6917"},"kind":"running","queue":"running","execution_id":null,"state":{"Running":{"token":"d820c811a52ed34e31292a4db7909a3c","worker":"worker","holder":"Extended","given_at_ms":1795664955671,"expires_at_ms":4951424955671}},"priority_ms":0,"created_at_ms":1795664955626,"updated_at_ms":1795664955671,"execution_count":1,"max_retries":3,"retry_policy":null,"timeout_ms":null,"start_to_close_timeout_ms":null,"heartbeat_timeout_ms":null,"heartbeat_at_ms":null,"error":null,"stack_trace":null,"metadata":{},"progress":null,"logs":0,"state_keys":0,"state_bytes":0}');
INSERT INTO "tasks" VALUES(X'0B5F1C1E58A44B6E9D550000000000AA',X'01A215F8C8EF74069FD75E6E40CDAF5A',NULL,1795664955631,'{"key":{"org_id":"0b5f1c1e-58a4-4b6e-9d55-0000000000aa","id":"01a215f8-c8ef-7406-9fd7-5e6e40cdaf5a"},"kind":"backing-off","queue":"backing-off","execution_id":null,"state":{"BackingOff":{"until_ms":4951424955679}},"priority_ms":0,"created_at_ms":1795664955631,"updated_at_ms":1795664955679,"execution_count":1,"max_retries":3,"retry_policy":null,"timeout_ms":null,"start_to_close_timeout_ms":null,"heartbeat_timeout_ms":null,"heartbeat_at_ms":null,"error":"declined","stack_trace":null,"metadata":{},"progress":null,"logs":0,"state_keys":0,"state_bytes":0}');
INSERT INTO "tasks" VALUES(X'0B5F1C1E58A44B6E9D550000000000AA',X'01A215F8C8F17EDDBA1695EF0606F2AB',NULL,1795664955633,'{"key":{"org_id":"0b5f1c1e-58a4-4b6e-9d55-0000000000aa","id":"01a215f8-c8f1-7edd-ba16-95ef0606f2ab"},"kind":"ready","queue":"ready","execution_id":null,"state":"Ready","priority_ms":0,"created_at_ms":1795664955633,"updated_at_ms":1795664955633,"execution_count":0,"max_retries":3,"retry_policy":null,"timeout_ms":null,"start_to_close_timeout_ms":null,"heartbeat_timeout_ms":null,"heartbeat_at_ms":null,"error":null,"stack_trace":null,"metadata":{},"progress":null,"logs":0,"state_keys":0,"state_bytes":0}');
INSERT INTO "tasks" VALUES(X'0B5F1C1E58A44B6E9D550000000000AA',X'0B5F1C1E58A44B6E9D55000000000001',X'01A215F8C92274F3951C141056B4E7C9',1795664955690,'{"key":{"org_id":"0b5f1c1e-58a4-4b6e-9d55-0000000000aa","id":"0b5f1c1e-58a4-4b6e-9d55-000000000001"},"kind":"charge","queue":"default","execution_id":"01a215f8-c922-74f3-951c-141056b4e7c9","state":"Completed","priority_ms":0,"created_at_ms":1795664955690,"updated_at_ms":1795664955695,"execution_count":1,"max_retries":3,"retry_policy":null,"timeout_ms":null,"start_to_close_timeout_ms":null,"heartbeat_timeout_ms":null,"heartbeat_at_ms":null,"error":null,"stack_trace":null,"metadata":{},"progress":null,"logs":0,"state_keys":0,"state_bytes":0}');
INSERT INTO "tasks" VALUES(X'0B5F1C1E58A44B6E9D550000000000AA',X'0B5F1C1E58A44B6E9D55000000000002',X'01A215F8C92274F3951C141056B4E7C9',1795664955690,'{"key":{"org_id":"0b5f1c1e-58a4-4b6e-9d55-0000000000aa","id":"0b5f1c1e-58a4-4b6e-9d55-000000000002"},"kind":"ship","queue":"default","execution_id":"01a215f8-c922-74f3-951c-141056b4e7c9","state":{"Running":{"token":"7d4cbdb4a4834c16355adf31c7a53c64","worker":"worker","holder":"Extended","given_at_ms":1795664955699,"expires_at_ms":4951424955699}},"priority_ms":0,"created_at_ms":1795664955690,"updated_at_ms":1795664955699,"execution_count":1,"max_retries":3,"retry_policy":null,"timeout_ms":null,"start_to_close_timeout_ms":null,"heartbeat_timeout_ms":null,"heartbeat_at_ms":null,"error":null,"stack_trace":null,"metadata":{},"progress":null,"logs":0,"state_keys":0,"state_bytes":0}');
CREATE TABLE workers (
  org BLOB NOT NULL,
  id BLOB NOT NULL,
  name TEXT NOT NULL,
  record TEXT NOT NULL,
  PRIMARY KEY (org, id)
) WITHOUT ROWID;
INSERT INTO "workers" VALUES(X'0B5F1C1E58A44B6E9D550000000000AA',X'01A215F8C8DB7376A3C79B010F0DB986','worker','{"key":{"org_id":"0b5f1c1e-58a4-4b6e-9d55-0000000000aa","id":"01a215f8-c8db-7376-a3c7-9b010f0db986"},"name":"worker","last_seen_ms":1795664955611,"registration":{"version":"","worker_type":"","host_name":"","process_id":"","registered_at_ms":1795664955611,"workflow_kinds":["order"],"workflow_timeouts_ms":{},"queries":[],"task_kinds":["backing-off","cancelled","charge","done","failed","ready","running","ship"],"metadata":null}}');
CREATE INDEX executions_by_age ON executions (org, created_at_ms, id, kind, queue);
CREATE UNIQUE INDEX ready_first ON ready (org, work, queue, kind, rank_ms, number);
CREATE INDEX ready_of_worker ON ready (org, work, queue, worker, rank_ms, number) WHERE worker IS NOT NULL;
CREATE UNIQUE INDEX deadlines_first ON deadlines (due_ms, number);
CREATE INDEX promises_by_name ON promises (org, execution, name, settled, sequence);
CREATE UNIQUE INDEX workers_by_name ON workers (org, name);
CREATE INDEX executions_by_end ON executions (org, ended, created_at_ms, id);
CREATE INDEX executions_of_parent ON executions (org, parent, created_at_ms, id) WHERE parent IS NOT NULL;
CREATE INDEX tasks_of_execution ON tasks (org, execution, created_at_ms, id) WHERE execution IS NOT NULL;
COMMIT;
PRAGMA user_version = 3;
