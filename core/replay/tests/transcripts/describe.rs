use flovyn_protocol::messages::{
    CancelTimerCommand, CancelWorkflowCommand, CommandType, RequestCancelChildWorkflowCommand, ResolvePromiseCommand,
    ScheduleChildWorkflowCommand, SetStateCommand, SuspendWorkflowCommand, WorkflowCommand,
    workflow_command::CommandData,
};
use flovyn_replay::describe;

fn command(command_type: CommandType, data: CommandData) -> WorkflowCommand {
    WorkflowCommand { command_type: command_type.into(), sequence_number: 7, command_data: Some(data) }
}

#[test]
fn commands_of_other_clients_are_described_too() {
    let text = String::from;
    let child = ScheduleChildWorkflowCommand {
        child_execution_name: text("k-1"),
        workflow_kind: Some(text("k")),
        child_workflow_execution_id: text("c1"),
        input: b"[1, 2]".to_vec(),
        ..Default::default()
    };
    let cancel_child = RequestCancelChildWorkflowCommand {
        child_execution_name: text("k-1"),
        child_workflow_execution_id: text("c1"),
        reason: text("late"),
    };
    for (command_type, data, expected) in [
        (
            CommandType::SuspendWorkflow,
            CommandData::SuspendWorkflow(SuspendWorkflowCommand { reason: text("waits") }),
            r#"{"type":"SUSPEND_WORKFLOW","reason":"waits"}"#,
        ),
        (
            CommandType::CancelWorkflow,
            CommandData::CancelWorkflow(CancelWorkflowCommand { reason: text("a \"b\"") }),
            r#"{"type":"CANCEL_WORKFLOW","reason":"a \"b\""}"#,
        ),
        (
            CommandType::ResolvePromise,
            CommandData::ResolvePromise(ResolvePromiseCommand { promise_id: text("p"), value: vec![] }),
            r#"{"type":"RESOLVE_PROMISE","promiseId":"p","value":null}"#,
        ),
        (
            CommandType::CancelTimer,
            CommandData::CancelTimer(CancelTimerCommand { timer_id: text("timer-0") }),
            r#"{"type":"CANCEL_TIMER","timerId":"timer-0"}"#,
        ),
        (
            CommandType::ScheduleChildWorkflow,
            CommandData::ScheduleChildWorkflow(child),
            concat!(
                r#"{"type":"SCHEDULE_CHILD_WORKFLOW","childExecutionName":"k-1","workflowKind":"k","#,
                r#""childWorkflowExecutionId":"c1","input":[1, 2],"queue":"","prioritySeconds":0}"#
            ),
        ),
        (
            CommandType::RequestCancelChildWorkflow,
            CommandData::RequestCancelChildWorkflow(cancel_child),
            concat!(
                r#"{"type":"REQUEST_CANCEL_CHILD_WORKFLOW","childExecutionName":"k-1","#,
                r#""childWorkflowExecutionId":"c1","reason":"late"}"#
            ),
        ),
        (
            CommandType::SetState,
            CommandData::SetState(SetStateCommand { key: text("a"), value: b"no JSON".to_vec() }),
            r#"{"type":"SET_STATE","key":"a","value":"no JSON"}"#,
        ),
    ] {
        assert_eq!(describe(&command(command_type, data)), expected);
    }
}

#[test]
fn command_without_data_is_its_type() {
    assert_eq!(describe(&WorkflowCommand::default()), r#"{"type":"COMMAND_TYPE_UNSPECIFIED"}"#);
}
