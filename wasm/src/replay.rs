//! One workflow execution during one activation: opened from a poll's answer, told jobs, asked for its submission.

use std::mem::take;

use flovyn_protocol::messages::{
    GetEventsResponse, PollRequest, PollResponse, SubmitWorkflowCommandsRequest, SubmitWorkflowCommandsResponse,
    WorkflowEvent, WorkflowStatus,
};
use flovyn_replay::{Execution, ExecutionInfo, Resumption, describe};
use js_sys::Array;
use prost::Message;
use wasm_bindgen::prelude::*;

use crate::{convert::strings, error::Error, table::Table};

mod command;
mod history;
mod info;
mod job;
mod signal;

pub use command::*;
pub use info::ActivationInfo;
use info::Info;
pub use job::*;
pub use signal::*;

thread_local! {
    static ACTIVATIONS: Table<Activation> = const { Table::new("activation") };
}

/// What JavaScript knows by one number.
struct Activation {
    execution: Execution,
    extended: bool,
    info: Info,
    first_events: Vec<WorkflowEvent>,
}

/// Opens an activation from the answer of PollWorkflow; 0 if it brings no work. The events in it wait for
/// `activationHandleFirstEvents`: if they are broken, there is an activation to say so of.
#[wasm_bindgen(js_name = activationOpen)]
pub fn activation_open(
    #[wasm_bindgen(js_name = pollResponse)] poll_response: &[u8],
    extended: bool,
) -> Result<u32, Error> {
    let mut response = PollResponse::decode(poll_response)?;
    let Some(found) = response.workflow_execution.take() else { return Ok(0) };
    let mut first_events = take(&mut response.events);
    if response.after_sequence > 0 {
        // For who holds what comes before them. Whoever opens an activation does not, and fetches the whole history.
        first_events.clear();
    }
    let execution = Execution::new(ExecutionInfo {
        execution_id: found.id.clone(),
        kind: found.kind.clone(),
        task_time_ms: found.workflow_task_time_millis,
        extended,
        tolerant: false,
    })?;
    let info = Info::new(found, response, &first_events);
    let activation = Activation { execution, extended, info, first_events };
    ACTIVATIONS.with(|table| table.insert(activation))
}

/// Opens an activation from a history in JSON: `{ execution, events }`, as golden files have it.
#[wasm_bindgen(js_name = activationOpenHistory)]
pub fn activation_open_history(history: &str) -> Result<u32, Error> {
    let (info, keeps_commands, events) = history::parse(history)?;
    let extended = info.extended;
    let known = Info::of_file(&info);
    let mut execution = Execution::new(info)?;
    if keeps_commands {
        execution.keep_commands();
    }
    execution.handle_events(&events)?;
    let activation = Activation { execution, extended, info: known, first_events: Vec::new() };
    ACTIVATIONS.with(|table| table.insert(activation))
}

/// What the poll's answer said of the execution, and how far its history is loaded.
#[wasm_bindgen(js_name = activationInfo)]
pub fn activation_info(activation: u32) -> Result<ActivationInfo, Error> {
    with(activation, |activation| Ok(activation.info.to_js(&activation.execution)))
}

/// The number of the last event held.
#[wasm_bindgen(js_name = activationLastSequence)]
pub fn activation_last_sequence(activation: u32) -> Result<i32, Error> {
    with(activation, |activation| Ok(activation.execution.last_sequence()))
}

/// About how much memory the execution holds, in bytes.
#[wasm_bindgen(js_name = activationMemoryBytes)]
pub fn activation_memory_bytes(activation: u32) -> Result<usize, Error> {
    with(activation, |activation| Ok(activation.execution.memory_bytes()))
}

/// Hands over the events that came with the poll's answer.
#[wasm_bindgen(js_name = activationHandleFirstEvents)]
pub fn activation_handle_first_events(activation: u32) -> Result<(), Error> {
    with(activation, |activation| {
        let events = take(&mut activation.first_events);
        Ok(activation.execution.handle_events(&events)?)
    })
}

/// Hands over a page of events: the answer of GetEvents. True if there are more pages.
#[wasm_bindgen(js_name = activationHandleEvents)]
pub fn activation_handle_events(
    activation: u32,
    #[wasm_bindgen(js_name = getEventsResponse)] get_events_response: &[u8],
) -> Result<bool, Error> {
    let page = GetEventsResponse::decode(get_events_response)?;
    with(activation, |activation| {
        activation.info.read(&page.events);
        activation.execution.handle_events(&page.events)?;
        Ok(page.has_more)
    })
}

/// The payloads of the events handed over since the last call, for a codec to decode.
#[wasm_bindgen(js_name = activationEncodedPayloads, unchecked_return_type = "string[]")]
pub fn activation_encoded_payloads(activation: u32) -> Result<Array, Error> {
    with(activation, |activation| Ok(strings(activation.execution.encoded_payloads())))
}

/// The same payloads decoded, in the same order.
#[wasm_bindgen(js_name = activationHandleDecodedPayloads)]
pub fn activation_handle_decoded_payloads(activation: u32, payloads: Vec<String>) -> Result<(), Error> {
    with(activation, |activation| Ok(activation.execution.handle_decoded_payloads(payloads)?))
}

/// What to do when there is no job.
#[wasm_bindgen(js_name = nextStep)]
pub fn next_step(activation: u32) -> Result<Step, Error> {
    with(activation, |activation| Ok(activation.execution.next_step().into()))
}

/// Fixes what the next submission holds and gives its payloads, for a codec to encode.
#[wasm_bindgen(js_name = stageSubmission, unchecked_return_type = "string[]")]
pub fn stage_submission(activation: u32) -> Result<Array, Error> {
    with(activation, |activation| {
        let staged = activation.execution.stage_submission()?;
        Ok(strings(staged.payloads.iter().map(String::as_str)))
    })
}

/// Continues a suspended activation with the answer of a new poll, instead of replaying its history. True if there are
/// more events to fetch with GetEvents.
#[wasm_bindgen(js_name = activationResume)]
pub fn activation_resume(
    activation: u32,
    #[wasm_bindgen(js_name = pollResponse)] poll_response: &[u8],
) -> Result<bool, Error> {
    let mut response = PollResponse::decode(poll_response)?;
    let found = response.workflow_execution.take();
    let events = take(&mut response.events);
    with(activation, |activation| {
        let id = activation.execution.execution_id();
        let Some(found) = found.filter(|found| found.id == id) else {
            return Err(Error::invalid_argument(format!("pollResponse: expected the execution {id}, got another")));
        };
        let task_time_ms = found.workflow_task_time_millis;
        activation.execution.resume(Resumption { task_time_ms, extended: activation.extended })?;
        activation.info.renew(found, response, &events);
        activation.execution.handle_events(&events)?;
        Ok(activation.info.has_more_events)
    })
}

/// The bytes of SubmitWorkflowCommands; `encoded` are the payloads of `stageSubmission` after the codec. With a final
/// one, the bytes of a `poll` ask for the next piece of work in the answer (extension), see `submitAnswerNext`.
#[wasm_bindgen(js_name = takeSubmission)]
pub fn take_submission(activation: u32, encoded: Option<Vec<String>>, poll: Option<Vec<u8>>) -> Result<Vec<u8>, Error> {
    let poll = poll.map(|poll| PollRequest::decode(poll.as_slice())).transpose()?;
    with(activation, |activation| {
        let submission = activation.execution.take_submission(encoded)?;
        let request = SubmitWorkflowCommandsRequest {
            workflow_execution_id: activation.execution.execution_id().into(),
            commands: submission.commands,
            status: submission.status.into(),
            submission_number: submission.submission_number,
            after_sequence: submission.after_sequence,
            // Only a last submission gives the claim up, and only a server with the extension knows the field.
            poll: poll.filter(|_| submission.submission_number > 0 && submission.status != WorkflowStatus::Running),
        };
        Ok(request.encode_to_vec())
    })
}

/// A submission as JSON, `{ "commands": [...], "status": "..." }`, for people and golden files.
#[wasm_bindgen(js_name = describeSubmission)]
pub fn describe_submission(submission: &[u8]) -> Result<String, Error> {
    let submission = SubmitWorkflowCommandsRequest::decode(submission)?;
    let commands: Vec<_> = submission.commands.iter().map(describe).collect();
    Ok(format!(r#"{{"commands":[{}],"status":"{}"}}"#, commands.join(","), submission.status().as_str_name()))
}

/// All commands so far of an execution that is `tolerant` or keeps them, claimed and new, as a JSON array.
#[wasm_bindgen(js_name = describeCommands)]
pub fn describe_commands(activation: u32) -> Result<String, Error> {
    with(activation, |activation| {
        let commands: Vec<_> = activation.execution.commands().iter().map(describe).collect();
        Ok(format!("[{}]", commands.join(",")))
    })
}

/// Hands over the answer to a partial submission with the events in it. True if there are more to fetch.
#[wasm_bindgen(js_name = handleSubmitAnswer)]
pub fn handle_submit_answer(
    activation: u32,
    #[wasm_bindgen(js_name = submitResponse)] submit_response: &[u8],
) -> Result<bool, Error> {
    let answer = SubmitWorkflowCommandsResponse::decode(submit_response)?;
    with(activation, |activation| {
        activation.execution.handle_events(&answer.events)?;
        Ok(answer.has_more_events)
    })
}

/// Forgets an activation.
#[wasm_bindgen(js_name = activationClose)]
pub fn activation_close(activation: u32) -> Result<(), Error> {
    ACTIVATIONS.with(|table| table.remove(activation))
}

/// What the driver does when there is no job.
#[wasm_bindgen]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Start what `pollOperation` gives.
    StartOperations = 0,
    /// Stage, take and send a partial submission, then hand over its answer.
    SubmitPartial = 1,
    /// Wait until a running operation has finished.
    AwaitOperation = 2,
    /// Stage, take and send the last submission of this activation.
    SubmitFinal = 3,
    /// Call `pollJob` again: an operation has finished that is settled before its record is sent.
    PollJob = 4,
}

impl From<flovyn_replay::Step> for Step {
    fn from(step: flovyn_replay::Step) -> Self {
        match step {
            flovyn_replay::Step::StartOperations => Self::StartOperations,
            flovyn_replay::Step::SubmitPartial => Self::SubmitPartial,
            flovyn_replay::Step::AwaitOperation => Self::AwaitOperation,
            flovyn_replay::Step::SubmitFinal => Self::SubmitFinal,
            flovyn_replay::Step::PollJob => Self::PollJob,
        }
    }
}

fn with<R>(activation: u32, call: impl FnOnce(&mut Activation) -> Result<R, Error>) -> Result<R, Error> {
    ACTIVATIONS.with(|table| table.with(activation, call))
}

/// A call on the execution alone.
fn with_execution<R>(activation: u32, call: impl FnOnce(&mut Execution) -> Result<R, Error>) -> Result<R, Error> {
    with(activation, |activation| call(&mut activation.execution))
}
