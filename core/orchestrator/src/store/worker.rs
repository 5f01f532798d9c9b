use alloc::{
    collections::{BTreeMap, BTreeSet},
    string::String,
    vec::Vec,
};

use flovyn_protocol::Payload;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Key, Work};

/// Somebody who polls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerRecord {
    /// Its id, made by the server.
    pub key: Key,
    /// What it calls itself.
    pub name: String,
    /// The last sign of life that was noted.
    pub last_seen_ms: i64,
    /// `None` if it only ever polled: it is given any kind.
    pub registration: Option<Registration>,
}

/// What a worker said when it registered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registration {
    /// Its version.
    pub version: String,
    /// Its type, for people.
    pub worker_type: String,
    /// Where it runs.
    pub host_name: String,
    /// As what it runs.
    pub process_id: String,
    /// When it registered last.
    pub registered_at_ms: i64,
    /// The workflows it is given.
    pub workflow_kinds: BTreeSet<String>,
    /// How long an execution of a workflow may take, by kind, where there is a limit.
    pub workflow_timeouts_ms: BTreeMap<String, i64>,
    /// The queries it answers, each with its workflow.
    pub queries: BTreeSet<String>,
    /// The tasks it is given.
    pub task_kinds: BTreeSet<String>,
    /// Whatever it wants people to know.
    pub metadata: Payload,
}

/// What a worker said of a workflow or task that it runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DefinitionRecord {
    /// The organisation.
    pub org_id: Uuid,
    /// Workflow or task.
    pub work: Work,
    /// Its kind.
    pub kind: String,
    /// Its version.
    pub version: String,
    /// Tells whether two workers mean the same; empty if the worker does not know.
    pub content_hash: String,
    /// Who registered it last.
    pub worker_id: Uuid,
    /// For people.
    pub name: String,
    /// For people.
    pub description: String,
    /// For people.
    pub tags: Vec<String>,
    /// How long one run may take.
    pub timeout_seconds: Option<i32>,
    /// Whether it reacts to cancel requests.
    pub cancellable: bool,
    /// How it wants to be retried.
    pub retry_policy: Payload,
    /// JSON Schema.
    pub input_schema: Payload,
    /// JSON Schema.
    pub output_schema: Payload,
    /// Whatever else.
    pub metadata: Payload,
}
