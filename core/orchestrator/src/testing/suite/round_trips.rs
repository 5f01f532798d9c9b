//! Saved round trips: workers that keep executions in memory, and answers that bring the next piece of work.

use alloc::{
    string::{String, ToString},
    vec,
    vec::Vec,
};

use flovyn_protocol::messages::{
    CompleteTaskRequest, CompleteTaskResponse, FailTaskRequest, FailTaskResponse, PollRequest, PollResponse,
    PollTaskRequest, SubmitWorkflowCommandsRequest, SubmitWorkflowCommandsResponse, WorkflowCommand, WorkflowStatus,
};

use crate::{
    Code, Undelivered,
    testing::{
        Harness,
        commands::{complete, operation, task, task_id, timer},
        suite::tests,
        world::{Claimed, Client, Reply, SUBMIT, World, extended, plain, submission},
    },
};

tests!(
    worker_that_keeps_executions_gets_what_is_new,
    other_workers_get_the_whole_history,
    partial_submission_counts_as_held,
    plain_submission_is_held_by_nobody,
    nobody_holds_what_has_not_happened,
    submission_brings_the_next_execution,
    suspended_execution_can_be_the_next_one,
    submission_that_asks_for_nothing_gets_nothing,
    completed_task_brings_the_next_one,
    failed_task_brings_the_next_one,
    next_piece_of_work_that_was_not_delivered_is_given_back,
    poll_that_is_wrong_refuses_all,
    plain_clients_get_no_next_piece,
);

const COMPLETE: &str = "v1.TaskExecution/CompleteTask";
const FAIL: &str = "v1.TaskExecution/FailTask";

fn keeping(worker: &str) -> PollRequest {
    PollRequest { worker_id: worker.into(), continues_executions: true, ..PollRequest::default() }
}

fn sequences(response: &PollResponse) -> Vec<i32> {
    response.events.iter().map(|event| event.sequence_number).collect()
}

/// A submission of a worker that holds everything up to `after_sequence`.
fn submit_after(
    world: &mut World<'_>,
    claimed: &Claimed<PollResponse>,
    after_sequence: i32,
    commands: Vec<WorkflowCommand>,
    status: WorkflowStatus,
) {
    let request = SubmitWorkflowCommandsRequest { after_sequence, ..submission(&claimed.id, 1, commands, status) };
    world.submit_with(&extended().with_claim(&claimed.token), &request).unwrap();
}

/// An execution that `worker` has suspended, holding its first event, and that a timer has made ready again.
fn continued_by(world: &mut World<'_>, worker: &str) -> String {
    let id = world.start("order");
    let claimed = world.poll_with(&extended(), &keeping(worker)).unwrap();
    submit_after(world, &claimed, 1, vec![timer("t", 10)], WorkflowStatus::Suspended);
    world.advance(10);
    id
}

fn worker_that_keeps_executions_gets_what_is_new(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = continued_by(&mut world, "a");
    let claimed = world.poll_with(&extended(), &keeping("a")).unwrap();
    assert_eq!((claimed.id.as_str(), claimed.message.after_sequence), (&*id, 1));
    assert_eq!(sequences(&claimed.message), [2, 3, 4]);
    let execution = claimed.message.workflow_execution.as_ref().unwrap();
    assert_eq!((execution.current_sequence, execution.kind.as_str()), (4, "order"));
    assert!(execution.input.is_empty(), "it has the first event");
    // What it holds grows from submission to submission.
    submit_after(&mut world, &claimed, 4, vec![timer("u", 10)], WorkflowStatus::Suspended);
    world.advance(10);
    let claimed = world.poll_with(&extended(), &keeping("a")).unwrap();
    assert_eq!((claimed.message.after_sequence, sequences(&claimed.message)), (4, vec![5, 6, 7]));
}

fn other_workers_get_the_whole_history(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let forgetful = PollRequest { continues_executions: false, ..keeping("a") };
    for poll in [keeping("b"), forgetful] {
        let id = continued_by(&mut world, "a");
        let claimed = world.poll_with(&extended(), &poll).unwrap();
        assert_eq!((claimed.id.as_str(), claimed.message.after_sequence), (&*id, 0));
        assert_eq!(sequences(&claimed.message), [1, 2, 3, 4]);
    }
    let nameless = continued_by(&mut world, "");
    let claimed = world.poll_with(&extended(), &keeping("")).unwrap();
    assert_eq!((claimed.id, claimed.message.after_sequence), (nameless, 0));
}

fn partial_submission_counts_as_held(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    world.start("order");
    let claimed = world.poll_with(&extended(), &keeping("a")).unwrap();
    submit_after(&mut world, &claimed, 1, vec![operation("op", "1")], WorkflowStatus::Running);
    // Its claim ends before it submits again; nobody else does.
    world.advance(60_000);
    let claimed = world.poll_with(&extended(), &keeping("b")).unwrap();
    assert_eq!(claimed.message.after_sequence, 0);
    world.release_undelivered(&claimed.undelivered);
    let claimed = world.poll_with(&extended(), &keeping("a")).unwrap();
    assert_eq!((claimed.message.after_sequence, sequences(&claimed.message)), (1, vec![2]));
}

fn plain_submission_is_held_by_nobody(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = continued_by(&mut world, "a");
    world.poll_with(&plain(), &keeping("a")).unwrap();
    let mut request = submission(&id, 0, vec![timer("u", 10)], WorkflowStatus::Suspended);
    request.after_sequence = 4;
    world.submit_with(&plain(), &request).unwrap();
    world.advance(10);
    let claimed = world.poll_with(&extended(), &keeping("a")).unwrap();
    assert_eq!((claimed.message.after_sequence, sequences(&claimed.message).len()), (0, 7));
}

fn nobody_holds_what_has_not_happened(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.start("order");
    let claimed = world.poll(&extended());
    for wrong in [-1, 2] {
        let mut request = submission(&id, 1, vec![timer("t", 10)], WorkflowStatus::Suspended);
        request.after_sequence = wrong;
        let client = extended().with_claim(&claimed.token);
        let got = alloc::format!("got {wrong}");
        world.refuse(&client, SUBMIT, &request, Code::InvalidArgument, &["after_sequence", "0 to 1", &got]);
    }
}

/// Submits a final status and asks for the next execution.
fn submit_and_poll(
    world: &mut World<'_>,
    claimed: &Claimed<PollResponse>,
    commands: Vec<WorkflowCommand>,
    status: WorkflowStatus,
) -> (SubmitWorkflowCommandsResponse, Option<Undelivered>) {
    let mut request = submission(&claimed.id, 1, commands, status);
    request.poll = Some(keeping("a"));
    answered(world, &extended().with_claim(&claimed.token), SUBMIT, &request)
}

fn answered<M: prost::Message + Default>(
    world: &mut World<'_>,
    client: &Client,
    method: &str,
    request: &impl prost::Message,
) -> (M, Option<Undelivered>) {
    match world.call(client, method, request).unwrap() {
        Reply::Now(message, undelivered) => (message, undelivered),
        Reply::Parked(park) => panic!("{method} was parked: {park:?}"),
    }
}

fn submission_brings_the_next_execution(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let [first, second] = [world.start("order"), world.start("order")];
    let claimed = world.poll(&extended());
    let (response, undelivered) = submit_and_poll(&mut world, &claimed, vec![complete("1")], WorkflowStatus::Completed);
    assert!(undelivered.is_some());
    let next = response.next.unwrap();
    assert_eq!(next.workflow_execution.as_ref().unwrap().id, second);
    assert_eq!((next.lease_ms, sequences(&next)), (60_000, vec![1]));
    assert_eq!((world.status(&first).as_str(), world.status(&second).as_str()), ("COMPLETED", "RUNNING"));
    let claimed = Claimed {
        id: second.clone(),
        token: next.claim_token.clone(),
        message: next,
        undelivered: undelivered.unwrap(),
    };
    let (response, undelivered) = submit_and_poll(&mut world, &claimed, vec![complete("2")], WorkflowStatus::Completed);
    assert_eq!((response, undelivered), (SubmitWorkflowCommandsResponse::default(), None));
}

fn suspended_execution_can_be_the_next_one(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.start("order");
    let claimed = world.poll_with(&extended(), &keeping("a")).unwrap();
    // A timer of 0 ms fires within the submission.
    let (response, _) = submit_and_poll(&mut world, &claimed, vec![timer("t", 0)], WorkflowStatus::Suspended);
    let next = response.next.unwrap();
    assert_eq!(next.workflow_execution.as_ref().unwrap().id, id);
    assert_eq!(sequences(&next), [1, 2, 3, 4]);
}

fn submission_that_asks_for_nothing_gets_nothing(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    world.start("order");
    let claimed = world.poll(&extended());
    world.start("order");
    let response = world.submit(&claimed, vec![complete("1")], WorkflowStatus::Completed);
    assert_eq!(response, SubmitWorkflowCommandsResponse::default());
    // A partial submission keeps its claim, so there is no next one.
    let claimed = world.poll(&extended());
    let (response, _) = submit_and_poll(&mut world, &claimed, vec![], WorkflowStatus::Running);
    assert_eq!((response.next, response.lease_ms), (None, 60_000));
}

fn completion(id: &str, poll: Option<PollTaskRequest>) -> CompleteTaskRequest {
    CompleteTaskRequest { task_execution_id: id.into(), output: b"1".to_vec(), poll }
}

fn completed_task_brings_the_next_one(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    world.suspended(vec![task(1), task(2), task(3)]);
    let first = world.poll_task(&extended());
    let poll = Some(PollTaskRequest::default());
    let client = extended().with_claim(&first.token);
    let (response, _) = answered::<CompleteTaskResponse>(&mut world, &client, COMPLETE, &completion(&first.id, None));
    assert_eq!(response, CompleteTaskResponse::default());
    // Again and for nothing, but whoever asks for work gets it.
    let mut done = (first.id, first.token);
    for number in [2, 3] {
        let client = extended().with_claim(&done.1);
        let request = completion(&done.0, poll.clone());
        let (response, undelivered) = answered::<CompleteTaskResponse>(&mut world, &client, COMPLETE, &request);
        assert!(undelivered.is_some());
        let next = response.next.unwrap();
        let task = next.task.unwrap();
        assert_eq!((task.task_execution_id.as_str(), task.execution_count), (&*task_id(number), 1));
        done = (task.task_execution_id, next.claim_token);
    }
    let client = extended().with_claim(&done.1);
    let (response, undelivered) =
        answered::<CompleteTaskResponse>(&mut world, &client, COMPLETE, &completion(&done.0, poll));
    assert_eq!((response, undelivered), (CompleteTaskResponse::default(), None));
}

fn failed_task_brings_the_next_one(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    world.suspended(vec![task(1), task(2)]);
    let first = world.poll_task(&extended());
    let poll = Some(PollTaskRequest { worker_id: "a".into(), ..PollTaskRequest::default() });
    let request =
        FailTaskRequest { task_execution_id: first.id.clone(), error: "no".into(), poll, ..Default::default() };
    let client = extended().with_claim(&first.token);
    let (response, _) = answered::<FailTaskResponse>(&mut world, &client, FAIL, &request);
    assert_eq!(response.next.unwrap().task.unwrap().task_execution_id, task_id(2));
}

fn next_piece_of_work_that_was_not_delivered_is_given_back(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let [_, second] = [world.start("order"), world.start("order")];
    let claimed = world.poll(&extended());
    let (_, undelivered) = submit_and_poll(&mut world, &claimed, vec![task(1), task(2)], WorkflowStatus::Suspended);
    world.release_undelivered(&undelivered.unwrap());
    assert_eq!(world.poll(&extended()).id, second);

    let first = world.poll_task(&extended());
    let request = completion(&first.id, Some(PollTaskRequest::default()));
    let client = extended().with_claim(&first.token);
    let (_, undelivered) = answered::<CompleteTaskResponse>(&mut world, &client, COMPLETE, &request);
    world.release_undelivered(&undelivered.unwrap());
    assert_eq!(world.poll_task(&extended()).message.task.unwrap().execution_count, 1, "it was no delivery");
}

fn poll_that_is_wrong_refuses_all(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.start("order");
    let claimed = world.poll(&extended());
    let client = extended().with_claim(&claimed.token);
    let mut request = submission(&id, 1, vec![complete("1")], WorkflowStatus::Completed);
    request.poll = Some(PollRequest { worker_id: "w".repeat(256), ..PollRequest::default() });
    world.refuse(&client, SUBMIT, &request, Code::ResourceExhausted, &["worker_id"]);
    let other = "11111111-2222-4333-8444-555555555555".to_string();
    request.poll = Some(PollRequest { org_id: other.clone(), ..PollRequest::default() });
    world.refuse(&client, SUBMIT, &request, Code::PermissionDenied, &["org_id", &other]);
    assert_eq!(world.status(&id), "RUNNING");
    let request = completion(&id, Some(PollTaskRequest { org_id: other.clone(), ..PollTaskRequest::default() }));
    world.refuse(&client, COMPLETE, &request, Code::PermissionDenied, &["org_id", &other]);
}

fn plain_clients_get_no_next_piece(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.start("order");
    world.poll(&plain());
    world.start("order");
    let mut request = submission(&id, 0, vec![task(1), task(2)], WorkflowStatus::Suspended);
    request.poll = Some(keeping("a"));
    let (response, undelivered) = answered(&mut world, &plain(), SUBMIT, &request);
    assert_eq!((response, undelivered), (SubmitWorkflowCommandsResponse::default(), None));
    let first = world.poll_task(&plain());
    let request = completion(&first.id, Some(PollTaskRequest::default()));
    let (response, undelivered) = answered(&mut world, &plain(), COMPLETE, &request);
    assert_eq!((response, undelivered), (CompleteTaskResponse::default(), None));
}
