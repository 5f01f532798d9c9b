use flovyn_orchestrator::{Key, PayloadSlot, StoreError, TaskRecord};
use flovyn_protocol::Payload;
use rusqlite::{Connection, params};

use super::record::{corrupt, execute, first, json, limit, record, records};

pub(super) fn get(connection: &Connection, key: Key) -> Result<Option<TaskRecord>, StoreError> {
    record(connection, "SELECT record FROM tasks WHERE org = ? AND id = ?", (key.org_id, key.id))
}

pub(super) fn put(connection: &Connection, task: &TaskRecord) -> Result<(), StoreError> {
    let TaskRecord { key, execution_id, created_at_ms, .. } = task;
    if execution_id.is_none() {
        return put_standalone(connection, task);
    }
    let sql = "INSERT INTO tasks (org, id, execution, created_at_ms, record) VALUES (?, ?, ?, ?, ?)
               ON CONFLICT DO UPDATE SET record = excluded.record";
    execute(connection, sql, (key.org_id, key.id, execution_id, created_at_ms, json(task)?))
}

/// One that belongs to no execution, with what lists of those look for.
fn put_standalone(connection: &Connection, task: &TaskRecord) -> Result<(), StoreError> {
    let TaskRecord { key: Key { org_id, id }, kind, queue, state, created_at_ms, .. } = task;
    let sql = "INSERT INTO tasks (org, id, created_at_ms, kind, queue, status, record) VALUES (?, ?, ?, ?, ?, ?, ?)
               ON CONFLICT DO UPDATE SET status = excluded.status, record = excluded.record";
    execute(connection, sql, params![org_id, id, created_at_ms, kind, queue, state.status(), json(task)?])?;
    if state.is_ended() {
        let sql = "UPDATE tasks SET ended = status WHERE org = ? AND id = ? AND ended IS NULL";
        execute(connection, sql, (org_id, id))?;
    }
    Ok(())
}

pub(super) const OF_EXECUTION: &str =
    "SELECT record FROM tasks WHERE org = ? AND execution = ? ORDER BY created_at_ms, id LIMIT ? OFFSET ?";

pub(super) fn of_execution(
    connection: &Connection,
    execution: Key,
    max: usize,
    offset: usize,
) -> Result<Vec<TaskRecord>, StoreError> {
    records(connection, OF_EXECUTION, (execution.org_id, execution.id, limit(max), limit(offset)))
}

pub(super) fn payload(connection: &Connection, key: Key, slot: PayloadSlot) -> Result<Option<Payload>, StoreError> {
    let sql = "SELECT payload FROM payloads WHERE org = ? AND task = ? AND slot = ?";
    let text = first(connection, sql, (key.org_id, key.id, slot_column(slot)), |row| row.get::<_, String>(0))?;
    text.map(Payload::from_json).transpose().map_err(|_| corrupt(format!("a payload of task {}", key.id)))
}

pub(super) fn put_payload(
    connection: &Connection,
    key: Key,
    slot: PayloadSlot,
    payload: &Payload,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO payloads (org, task, slot, payload) VALUES (?, ?, ?, ?)
               ON CONFLICT DO UPDATE SET payload = excluded.payload";
    execute(connection, sql, (key.org_id, key.id, slot_column(slot), payload.as_json()))
}

fn slot_column(slot: PayloadSlot) -> i64 {
    match slot {
        PayloadSlot::TaskInput => 0,
        PayloadSlot::TaskOutput => 1,
        PayloadSlot::HeartbeatDetails => 2,
    }
}
