//! Which method is which rule.

use alloc::format;

use prost::Message;

use crate::{
    Answer, Principal, Request, Status, activation, cancel, children, claims,
    context::{Caller, Ctx},
    history, list,
    organisation::{self, NamesOrg},
    promises, queries, results, signals, start, streams, submit, tasks, workers,
};

/// Methods of the contract whose rules this server does not have.
const NOT_OFFERED: &[&str] = &[
    "flovyn.v1.WorkflowDispatch/SubscribeToNotifications",
    "flovyn.v1.WorkflowDispatch/GetVisualWorkflowDefinitionById",
    "flovyn.v1.WorkflowDispatch/ReportExecutionSpans",
];

pub(crate) fn dispatch(ctx: &mut Ctx<'_>, request: &Request<'_>, principal: &Principal) -> Result<Answer, Status> {
    let call = Unary { ctx, request, principal };
    let path = request.method.strip_prefix('/').unwrap_or(request.method);
    match path {
        "flovyn.v1.WorkflowDispatch/PollWorkflow" => call.run(activation::poll),
        "flovyn.v1.WorkflowDispatch/StartWorkflow" => call.run(start::start),
        "flovyn.v1.WorkflowDispatch/StartChildWorkflow" => call.run(children::start),
        "flovyn.v1.WorkflowDispatch/GetEvents" => call.run(history::get_events),
        "flovyn.v1.WorkflowDispatch/SubmitWorkflowCommands" => call.run(submit::submit),
        "flovyn.v1.WorkflowDispatch/SignalWorkflow" => call.run(signals::signal),
        "flovyn.v1.WorkflowDispatch/SignalWithStartWorkflow" => call.run(signals::signal_with_start),
        "flovyn.v1.WorkflowDispatch/ResolvePromise" => call.run(promises::resolve),
        "flovyn.v1.WorkflowDispatch/RejectPromise" => call.run(promises::reject),
        "flovyn.v1.WorkflowQuery/QueryWorkflow" => call.run(queries::query),
        "flovyn.v1.TaskExecution/SubmitTask" => call.run(tasks::submit),
        "flovyn.v1.TaskExecution/PollTask" => call.run(tasks::poll),
        "flovyn.v1.TaskExecution/CompleteTask" => call.run(tasks::complete),
        "flovyn.v1.TaskExecution/FailTask" => call.run(tasks::fail),
        "flovyn.v1.TaskExecution/CancelTask" => call.run(tasks::cancel),
        "flovyn.v1.TaskExecution/Heartbeat" => call.run(tasks::heartbeat),
        "flovyn.v1.TaskExecution/ReportProgress" => call.run(tasks::progress),
        "flovyn.v1.TaskExecution/LogMessage" => call.run(tasks::log),
        "flovyn.v1.TaskExecution/GetState" => call.run(tasks::get_state),
        "flovyn.v1.TaskExecution/GetStateKeys" => call.run(tasks::state_keys),
        "flovyn.v1.TaskExecution/SetState" => call.run(tasks::set_state),
        "flovyn.v1.TaskExecution/ClearState" => call.run(tasks::clear_state),
        "flovyn.v1.TaskExecution/ClearAllState" => call.run(tasks::clear_all_state),
        "flovyn.v1.TaskExecution/StreamTaskData" => call.run(streams::write),
        "flovyn.v1.WorkerLifecycle/RegisterWorker" => call.run(workers::register),
        "flovyn.v1.WorkerLifecycle/SendHeartbeat" => call.run(workers::heartbeat),
        "flovyn.ext.v1.Extensions/CancelWorkflow" => call.run(cancel::cancel),
        "flovyn.ext.v1.Extensions/RenewClaim" => call.run(claims::renew),
        "flovyn.ext.v1.Extensions/ReleaseClaim" => call.run(claims::release),
        "flovyn.ext.v1.Extensions/AnswerQuery" => call.run(queries::answer),
        "flovyn.ext.v1.Extensions/ReadStream" => call.run(streams::read),
        "flovyn.ext.v1.Extensions/AwaitResult" => call.run(results::await_result),
        "flovyn.ext.v1.Extensions/ListWorkflows" => call.run(list::list),
        "flovyn.ext.v1.Extensions/DescribeWorkflow" => call.run(results::describe),
        _ => Err(unknown(path)),
    }
}

fn unknown(path: &str) -> Status {
    if NOT_OFFERED.contains(&path) {
        return Status::unimplemented(format!("{path} is not offered by this server"));
    }
    Status::unimplemented(format!("expected a method of flovyn.v1 or flovyn.ext.v1, got {path:?}"))
}

struct Unary<'a, 'c, 'r> {
    ctx: &'a mut Ctx<'c>,
    request: &'a Request<'r>,
    principal: &'a Principal,
}

impl Unary<'_, '_, '_> {
    fn run<M>(self, rule: fn(&mut Ctx<'_>, &Caller<'_>, M) -> Result<Answer, Status>) -> Result<Answer, Status>
    where
        M: Message + Default + NamesOrg,
    {
        let request = self.request;
        let message = M::decode(request.body).map_err(|error| {
            Status::invalid_argument(format!("{}: the message cannot be read: {error}", request.method))
        })?;
        let caller = Caller {
            org_id: organisation::check(&message, self.principal)?,
            principal_id: &self.principal.id,
            extended: request.extended,
            claim: request.claim,
            deadline_ms: request.deadline_ms,
            attempt: request.attempt,
        };
        rule(self.ctx, &caller, message)
    }
}
