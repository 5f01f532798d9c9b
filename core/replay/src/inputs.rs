use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::mem;

use flovyn_protocol::{
    Payload,
    event::{Event, EventBody},
    messages::WorkflowEvent,
};

use crate::{
    Execution, Handle, OperationError, ReplayError, Resumption, codec, execution::Life, intake, phase::Phase,
    slot::Slot,
};

/// Inputs from outside: events of the history and results of operations.
impl Execution {
    /// Takes events in, page by page: the complete history before the first job, after a partial submission the
    /// events of its answer, and after [`resume`](Self::resume) all since the last submission. Events that are held
    /// already are skipped.
    ///
    /// Every error but `OUT_OF_ORDER` is fatal: `HISTORY_GAP` where a number is missing, `INVALID_HISTORY` where an
    /// event says what no history can say, `UNSUPPORTED` for an internal operation that this engine does not know,
    /// `STALE` where the answer does not have the commands of the submission.
    pub fn handle_events(&mut self, events: &[WorkflowEvent]) -> Result<(), ReplayError> {
        match (&self.phase, &self.life) {
            (Phase::Loading | Phase::Idle | Phase::Answering(_), Life::Running) => {}
            (phase, _) => return phase.refuse("handle_events"),
        }
        let result = events.iter().try_for_each(|event| self.handle_event(event));
        self.stop_on_error(result)
    }

    fn handle_event(&mut self, message: &WorkflowEvent) -> Result<(), ReplayError> {
        if !self.history.is_next(message.sequence_number)? {
            return Ok(());
        }
        let event = Event::parse(message)
            .map_err(|error| ReplayError::InvalidHistory { sequence: error.sequence, problem: error.problem })?;
        let wanted = self.check_place(&event)?;
        self.check_answer(&event)?;
        let is_command = intake::signature(&event.body).is_some();
        self.history.count(event.sequence, is_command, message.event_data.len());
        if wanted { self.take_in(event) } else { Ok(()) }
    }

    /// A history begins with WORKFLOW_STARTED, and after its end only late news comes, which nobody wants.
    fn check_place(&self, event: &Event) -> Result<bool, ReplayError> {
        let Event { sequence, body } = event;
        let invalid = |expected: &str| {
            let problem = format!("expected {expected}, got {}", body.event_type());
            Err(ReplayError::InvalidHistory { sequence: *sequence, problem })
        };
        match (sequence, matches!(body, EventBody::WorkflowStarted { .. })) {
            (1, false) => return invalid("WORKFLOW_STARTED as the first event"),
            (2.., true) => return invalid("WORKFLOW_STARTED as the first event only"),
            _ => {}
        }
        match self.history.end() {
            Some(_) if intake::is_from_outside(body) || intake::is_skipped(body) => Ok(false),
            Some((_, end)) => invalid(&format!("nothing after {}", end.event_type())),
            None => Ok(true),
        }
    }

    /// Once the code runs, a command event can only be the answer to a submission, and nobody but its last
    /// submission ends an execution that this worker still has.
    fn check_answer(&mut self, Event { sequence, body }: &Event) -> Result<(), ReplayError> {
        let stale = |expected: &str| {
            let (sequence, got) = (*sequence, intake::summary(body));
            Err(ReplayError::Stale { sequence, expected: expected.to_string(), got })
        };
        match &mut self.phase {
            Phase::Loading => Ok(()),
            _ if intake::is_end(body) => stale("an execution that has not ended"),
            _ if intake::signature(body).is_none() => Ok(()),
            Phase::Answering(expected) => expected.meet(*sequence, body),
            _ => stale("no command event, since no submission is under way"),
        }
    }

    /// The signals of these names are for handlers: each is a job of its own, and none is queued. Called before the
    /// first job.
    pub fn set_signal_handlers<'a>(&mut self, names: impl IntoIterator<Item = &'a str>) -> Result<(), ReplayError> {
        if !matches!(self.phase, Phase::Loading) {
            return self.phase.refuse("set_signal_handlers");
        }
        names.into_iter().for_each(|name| self.machines.signals.set_handler(name));
        Ok(())
    }

    /// Goes on with a suspended execution after its last submission, in a new activation: instead of a replay of the
    /// whole history, [`handle_events`](Self::handle_events) takes the events since then, the first of which must be
    /// those of the submission's commands. Submissions are numbered from 1 again.
    ///
    /// Fails with `OUT_OF_ORDER` if the last submission was not taken, or has ended the execution.
    pub fn resume(&mut self, resumption: Resumption) -> Result<(), ReplayError> {
        match mem::replace(&mut self.phase, Phase::Idle) {
            Phase::Closed(Some(expected)) => self.phase = Phase::Answering(expected),
            phase => {
                self.phase = phase;
                return self.phase.refuse("resume");
            }
        }
        self.info.task_time_ms = resumption.task_time_ms;
        self.info.extended = resumption.extended;
        self.submissions = 0;
        Ok(())
    }

    /// The payloads of all events that were added since the last call, as JSON texts in order, for a codec. Only
    /// those that a job will hand over are listed, error messages as JSON strings.
    pub fn encoded_payloads(&self) -> Vec<&str> {
        self.history.undecoded().map(Slot::as_json).collect()
    }

    /// Puts the decoded texts in the place of [`encoded_payloads`](Self::encoded_payloads). Without a codec neither
    /// is called.
    ///
    /// Fails with `INVALID_ARGUMENT` if the number differs or a text is not JSON.
    pub fn handle_decoded_payloads(&mut self, payloads: Vec<String>) -> Result<(), ReplayError> {
        if !matches!(self.phase, Phase::Loading | Phase::Idle | Phase::Answering(_)) {
            return self.phase.refuse("handle_decoded_payloads");
        }
        codec::check_count(self.history.undecoded().count(), payloads.len())?;
        let slots = payloads.into_iter().map(Slot::from_json).collect::<Result<Vec<_>, _>>()?;
        self.history.decode().zip(slots).for_each(|(place, slot)| *place = slot);
        Ok(())
    }

    /// Takes the result of an operation in that [`poll_operation`](Self::poll_operation) gave. It is settled when
    /// its record has come back, or, on a server without the extension, by [`poll_job`](Self::poll_job).
    ///
    /// Fails with `INVALID_ARGUMENT` if no operation runs under that handle.
    pub fn handle_operation_result(
        &mut self,
        handle: Handle,
        result: Result<Payload, OperationError>,
    ) -> Result<(), ReplayError> {
        if matches!(self.phase, Phase::Closed(_) | Phase::Failed(_)) {
            return self.phase.refuse("handle_operation_result");
        }
        if !self.machines.operations.is_running(handle) {
            let problem =
                format!("expected the handle of an operation that was started and has no result, got {handle}");
            return Err(ReplayError::InvalidArgument { argument: "handle", problem });
        }
        let result = match result {
            Ok(value) => value,
            Err(error) => error.to_payload()?,
        };
        self.machines.operations.finish(handle, result);
        Ok(())
    }
}
