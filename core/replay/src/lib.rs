//! The deterministic replay engine of one workflow execution.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod command;
mod error;
mod execution;
mod job;
mod submission;
mod violation;

pub use command::{CreatePromise, ScheduleTask, Scheduled, WorkflowFailure};
pub use error::ReplayError;
pub use execution::{Execution, ExecutionInfo, describe};
pub use job::{Handle, Job, OperationError, Rejection};
pub use submission::{Staged, Step, Submission};
pub use violation::{Difference, Violation};
