//! The deterministic replay engine of one workflow execution: history in, jobs out; commands in, a submission out.
//!
//! ```text
//!                    +--------------------------- Execution --------------------------+
//!   history -------> | handle_events          history, with a cursor                  |
//!                    |                              |                                 |
//!   driver <-------- | poll_job  <------ the next event that the code must be told of |
//!     |  one job     |                              |                                 |
//!     v  a turn      |                              | each claims its event, or is    |
//!   workflow code -> | schedule_task, ... ----- commands      new                     |
//!                    |                              |                                 |
//!   server <-------- | take_submission <------ the new ones, in order                 |
//!                    +----------------------------------------------------------------+
//! ```
//!
//! There are four kinds of method on [`Execution`]: inputs from outside are `handle_*`; commands and reads of
//! workflow code are verbs; outputs are `poll_*`, `next_step` and the two steps of a submission; getters take
//! `&self`. It is sans-I/O: no clock, no network, no promises, no threads. It refuses what it cannot do with a typed
//! [`ReplayError`] and never panics on what it is given.
//!
//! # How an activation is driven
//!
//! ```
//! # use flovyn_replay::{Execution, ExecutionInfo, Job, ReplayError, ScheduleTask, Step, Submission};
//! # use flovyn_protocol::{messages::WorkflowEvent, Payload};
//! fn activate(info: ExecutionInfo, history: &[WorkflowEvent]) -> Result<Submission, ReplayError> {
//!     let mut execution = Execution::new(info)?;
//!     execution.handle_events(history)?;
//!     while let Some(job) = execution.poll_job()? {
//!         // A turn: tell the code, and let it run until nothing in it can move.
//!         match job {
//!             Job::Start { input, .. } => {
//!                 let charge = ScheduleTask { kind: "charge".into(), input, ..ScheduleTask::default() };
//!                 execution.schedule_task(charge)?;
//!             }
//!             Job::Resolve { value, .. } => execution.complete(value)?,
//!             Job::Reject { .. } => execution.complete(Payload::null())?,
//!             Job::Cancel { reason, .. } => execution.complete_cancelled(reason)?,
//!             Job::Signal { .. } => {}
//!         }
//!     }
//!     assert_eq!(execution.next_step(), Step::SubmitFinal);
//!     execution.take_submission(None)
//! }
//!
//! # let info = ExecutionInfo {
//! #     execution_id: "00000000-0000-4000-8000-000000000001".into(), kind: "order".into(), task_time_ms: 0,
//! #     extended: true, tolerant: false,
//! # };
//! let started = WorkflowEvent {
//!     sequence_number: 1,
//!     event_type: "WORKFLOW_STARTED".into(),
//!     event_data: br#"{"kind":"order","input":42}"#.to_vec(),
//! };
//! let submission = activate(info, &[started])?;
//! assert_eq!(submission.commands.len(), 1);
//! # Ok::<(), ReplayError>(())
//! ```
//!
//! # Why live and replay come out the same
//!
//! The code is told one thing at a time, in the order of the history, and runs dry before the next. Everything it
//! asks for is an event before anything that follows from it is: the n-th command of a type claims the n-th event of
//! that type, and a command without an event is new, which it can only be when all command events are claimed. An
//! operation is the one thing that happens inside the worker, so its result is made an event first, by a partial
//! submission, and reaches the code when the cursor passes that event, among what has landed before it.
//!
//! What the cursor has passed is dropped: memory holds what is still to come, what is pending, and the state.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod by_name;
mod cancelling;
mod codec;
mod command;
mod counters;
mod describe;
mod draft;
mod ending;
mod error;
mod execution;
mod handles;
mod history;
mod inputs;
mod intake;
mod job;
mod lane;
mod machines;
mod outputs;
mod patching;
mod phase;
mod random;
mod scopes;
mod signalling;
mod signature;
mod slot;
mod submission;
mod tolerance;
mod verbs;
mod violation;
mod wire;

pub use command::{
    AwaitedSignal, CancelEffect, CreatePromise, Resumption, ScheduleTask, Scheduled, StartChild, StartedChild,
    WorkflowFailure,
};
pub use describe::describe;
pub use error::ReplayError;
pub use execution::{Execution, ExecutionInfo};
pub use job::{Handle, Job, OperationError, Rejection};
pub use scopes::{ROOT, Scope};
pub use submission::{Staged, Step, Submission};
pub use violation::{Difference, Violation};
