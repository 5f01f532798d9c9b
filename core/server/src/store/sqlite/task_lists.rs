use flovyn_orchestrator::{StoreError, TaskFilter, TaskList};
use rusqlite::Connection;
use uuid::Uuid;

use super::newest::Newest;

/// Those of an organisation that belong to no execution.
pub(super) const OF_ORG: &str = "tasks WHERE org = ? AND execution IS NULL";

pub(super) fn list(
    connection: &Connection,
    org_id: Uuid,
    filter: &TaskFilter,
    max: usize,
    offset: usize,
) -> Result<TaskList, StoreError> {
    let TaskFilter { status, kind, queue } = filter;
    let (status, kind, queue) = (status.as_ref(), kind.as_ref(), queue.as_ref());
    let newest = Newest { from: OF_ORG, org_id, status, kind, queue };
    let (tasks, total) = newest.list(connection, max, offset, TaskList::TOTAL_MAX)?;
    Ok(TaskList { tasks, total })
}
