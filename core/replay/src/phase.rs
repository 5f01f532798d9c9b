use crate::{
    ReplayError,
    draft::{Draft, Expected},
};

/// Where an activation stands between its driver and the workflow code.
///
/// ```text
/// Loading   --poll_job: the start job--> Turn
/// Turn      --poll_job--> Turn | Idle
/// Idle      --poll_job--> Turn | Idle
/// Idle      --stage_submission--> Staged
/// Idle, Staged --take_submission--> Answering (partial) | Closed (final)
/// Answering --handle_events: the events of its commands; poll_job--> Turn | Idle
/// Closed    --resume, after a submission that suspends--> Answering
/// any       --a fatal error--> Failed
/// ```
#[derive(Debug)]
pub(crate) enum Phase {
    /// The history comes in, page by page.
    Loading,
    /// The code has been given a job and may issue commands.
    Turn {
        /// What the clock said, once it was read in this turn.
        time_ms: Option<i64>,
    },
    /// No job is left.
    Idle,
    /// The commands of a submission are fixed; a codec may be encoding their payloads.
    Staged(Draft),
    /// A partial submission is under way, or the last one was and the execution goes on.
    Answering(Expected),
    /// The last submission was taken; what it leaves in the history, if the execution can go on.
    Closed(Option<Expected>),
    /// Nothing counts any more.
    Failed(ReplayError),
}

impl Phase {
    /// Refuses a method of the driver that this phase does not have.
    pub(crate) fn refuse<T>(&self, call: &'static str) -> Result<T, ReplayError> {
        let problem = match self {
            Self::Failed(error) => return Err(error.clone()),
            Self::Loading => "the execution has not started: call poll_job first",
            Self::Turn { .. } => "a turn is open: call poll_job first",
            Self::Idle => "no turn is open and no submission is under way",
            Self::Staged(_) => "a submission is staged: call take_submission first",
            Self::Answering(_) => "a submission is under way: hand over the events of its answer first",
            Self::Closed(Some(_)) => {
                "the last submission of this activation was taken: resume it, or open the next activation"
            }
            Self::Closed(None) => "the last submission was taken and has ended the execution",
        };
        Err(ReplayError::OutOfOrder { call, problem })
    }
}
