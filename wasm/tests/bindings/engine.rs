use flovyn_wasm::{
    Step, WorkflowStatus, activation_close, activation_handle_first_events, activation_open, complete,
    decode_await_result, decode_describe_workflow, decode_events, decode_poll_task, decode_start_workflow,
    encode_await_result, encode_complete_task, encode_describe_workflow, encode_get_events, encode_poll_task,
    encode_poll_workflow, encode_start_workflow, engine_close, engine_handle, engine_open, engine_take_wakes,
    engine_tick, next_step, poll_job, poll_peek, schedule_task, stage_submission, take_submission,
};
use js_sys::Uint8Array;
use serde_json::{Value, json};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_test::wasm_bindgen_test;

use super::support::{self, js, text};

const ORG: &str = "8c4ab1f6-6a0c-4d50-9f4e-0d8e2d0f3a51";
const NOW_MS: f64 = 1_700_000_000_000.0;

const START: &str = "/flovyn.v1.WorkflowDispatch/StartWorkflow";
const POLL: &str = "/flovyn.v1.WorkflowDispatch/PollWorkflow";
const SUBMIT: &str = "/flovyn.v1.WorkflowDispatch/SubmitWorkflowCommands";
const GET_EVENTS: &str = "/flovyn.v1.WorkflowDispatch/GetEvents";
const POLL_TASK: &str = "/flovyn.v1.TaskExecution/PollTask";
const COMPLETE_TASK: &str = "/flovyn.v1.TaskExecution/CompleteTask";
const AWAIT_RESULT: &str = "/flovyn.ext.v1.Extensions/AwaitResult";
const DESCRIBE: &str = "/flovyn.ext.v1.Extensions/DescribeWorkflow";

#[wasm_bindgen_test]
fn a_workflow_with_a_task_runs_from_start_to_result() {
    let engine = Engine::open();
    let execution_id = engine.start(r#"{"order":7}"#);

    let (activation, claim) = engine.poll().expect("the workflow is ready");
    assert_eq!(job(activation), json!([0, 0, r#"{"order":7}"#, []]));
    let scheduled = support::json(&schedule_task(activation, 0, "charge".into(), "{}".into(), None).unwrap());
    assert_eq!(job(activation), Value::Null);
    engine.submit(activation, claim);
    assert!(engine.poll().is_none(), "it waits for the task");

    let task = engine.poll_task().expect("the task is ready");
    assert_eq!(task["taskExecutionId"], scheduled[1]);
    assert_eq!(task["workflowExecutionId"], execution_id);
    assert_eq!(task["executionCount"], 1);
    let completion = json!({ "taskExecutionId": task["taskExecutionId"], "output": "\"paid\"" });
    let claim = task["claimToken"].as_str().map(str::to_owned);
    engine.call(COMPLETE_TASK, &encode_complete_task(&js(&completion)).unwrap(), claim);
    assert_eq!(engine.poll_task(), None);

    let (activation, claim) = engine.poll().expect("the task has ended");
    assert_eq!(job(activation), json!([0, 0, r#"{"order":7}"#, []]));
    schedule_task(activation, 0, "charge".into(), "{}".into(), None).unwrap();
    assert_eq!(job(activation), json!([1, 1, "\"paid\""]));
    complete(activation, r#"{"paid":true}"#.into()).unwrap();
    assert_eq!(job(activation), Value::Null);
    engine.submit(activation, claim);

    let result = engine.await_result(&execution_id);
    assert_eq!(result["status"], json!(WorkflowStatus::Completed as i32));
    assert_eq!(result["output"], r#"{"paid":true}"#);
    assert_eq!(engine.describe(&execution_id)["status"], "COMPLETED");
    assert_eq!(
        engine.event_types(&execution_id),
        ["WORKFLOW_STARTED", "TASK_SCHEDULED", "WORKFLOW_SUSPENDED", "TASK_COMPLETED", "WORKFLOW_COMPLETED"],
    );
    engine.close();
}

#[wasm_bindgen_test]
fn a_poll_waits_until_it_is_woken_or_out_of_time() {
    let engine = Engine::open();
    let poll = encode_poll_workflow(&js(&poll_request(true))).unwrap();
    let parked = engine.attempt(POLL, &poll, None, false);
    let deadline_ms = support::field(&parked, "deadlineMs").as_f64().unwrap();
    assert!(deadline_ms > NOW_MS, "{parked:?} waits for nothing");

    engine.start("null");
    let woken = engine_take_wakes(engine.0).unwrap().unwrap();
    let woken = ["one", "all"].map(|name| support::json(&support::field(&woken, name)).to_string()).concat();
    let keys = support::json(&support::field(&parked, "park"));
    let is_woken = keys.as_array().unwrap().iter().any(|key| woken.contains(&key.to_string()));
    assert!(is_woken, "{keys} were not among {woken}");
    assert!(engine_take_wakes(engine.0).unwrap().is_none());

    let answer = engine.attempt(POLL, &poll, None, false);
    assert_ne!(activation_open(&bytes(answer), true).unwrap(), 0);
    let nothing = engine.attempt(POLL, &poll, None, true);
    assert_eq!(activation_open(&bytes(nothing), true).unwrap(), 0);
    engine.close();
}

#[wasm_bindgen_test]
fn a_tick_gives_back_the_claim_of_a_worker_that_is_gone() {
    let engine = Engine::open();
    engine.start("null");
    engine.poll().expect("the workflow is ready");
    assert!(engine.poll().is_none(), "it is claimed");

    let due_ms = engine_tick(engine.0, NOW_MS).unwrap().expect("the lease is going to end");
    engine_tick(engine.0, due_ms).unwrap();
    let poll = encode_poll_workflow(&js(&poll_request(false))).unwrap();
    let answer = engine_handle(engine.0, POLL, &poll, true, None, &attempt(false), due_ms).unwrap();
    assert_ne!(activation_open(&bytes(answer), true).unwrap(), 0);
    engine.close();
}

#[wasm_bindgen_test]
fn engines_of_the_same_seed_are_alike_and_others_are_not() {
    let start = |seed: Value| {
        let engine = Engine::open_with(seed);
        let execution_id = engine.start("null");
        engine.close();
        execution_id
    };
    assert_eq!(start(json!({ "seed": 1 })), start(json!({ "seed": 1 })));
    assert_ne!(start(json!({ "seed": 1 })), start(json!({ "seed": 2 })));
    assert_ne!(start(json!({})), start(json!({})));
}

/// An engine with the calls of a worker and a client.
struct Engine(u32);

impl Engine {
    fn open() -> Self {
        Self::open_with(json!({ "leaseMs": 30_000, "seed": 1 }))
    }

    fn open_with(mut options: Value) -> Self {
        options["orgId"] = ORG.into();
        options["orgSlug"] = "embedded".into();
        Self(engine_open(&js(&options)).unwrap())
    }

    fn close(self) {
        engine_close(self.0).unwrap();
    }

    fn attempt(&self, method: &str, body: &[u8], claim: Option<String>, expired: bool) -> JsValue {
        engine_handle(self.0, method, body, true, claim, &attempt(expired), NOW_MS).unwrap()
    }

    /// A call that is answered at once.
    fn call(&self, method: &str, body: &[u8], claim: Option<String>) -> Vec<u8> {
        bytes(self.attempt(method, body, claim, false))
    }

    /// A call that could wait, and is not let.
    fn call_now(&self, method: &str, body: &[u8]) -> Vec<u8> {
        bytes(self.attempt(method, body, None, true))
    }

    fn start(&self, input: &str) -> String {
        let request = json!({ "orgId": ORG, "workflowKind": "order", "input": input, "queue": "default" });
        let answer = self.call(START, &encode_start_workflow(&js(&request)).unwrap(), None);
        text(&decode_start_workflow(&answer).unwrap(), "workflowExecutionId")
    }

    /// The activation of the execution that is claimed, if one is ready, and its claim.
    fn poll(&self) -> Option<(u32, String)> {
        let request = encode_poll_workflow(&js(&poll_request(false))).unwrap();
        let answer = self.call_now(POLL, &request);
        let claim = text(&poll_peek(&answer).unwrap()?.into(), "claimToken");
        let activation = activation_open(&answer, true).unwrap();
        activation_handle_first_events(activation).unwrap();
        Some((activation, claim))
    }

    /// The last submission of an activation.
    fn submit(&self, activation: u32, claim: String) {
        assert_eq!(next_step(activation).unwrap(), Step::SubmitFinal);
        stage_submission(activation).unwrap();
        let request = take_submission(activation, None, None).unwrap();
        self.call(SUBMIT, &request, Some(claim));
        activation_close(activation).unwrap();
    }

    fn poll_task(&self) -> Option<Value> {
        let request = encode_poll_task(&js(&poll_request(false))).unwrap();
        decode_poll_task(&self.call_now(POLL_TASK, &request)).unwrap().map(|task| support::json(&task))
    }

    fn await_result(&self, execution_id: &str) -> Value {
        let request = json!({ "workflowExecutionId": execution_id, "timeoutMs": 1000 });
        let answer = self.call(AWAIT_RESULT, &encode_await_result(&js(&request)).unwrap(), None);
        support::json(&decode_await_result(&answer).unwrap())
    }

    fn describe(&self, execution_id: &str) -> Value {
        let request = json!({ "workflowExecutionId": execution_id });
        let answer = self.call(DESCRIBE, &encode_describe_workflow(&js(&request)).unwrap(), None);
        support::json(&decode_describe_workflow(&answer).unwrap())
    }

    fn event_types(&self, execution_id: &str) -> Vec<String> {
        let request = json!({ "workflowExecutionId": execution_id, "afterSequence": 0, "pageSize": 0 });
        let answer = self.call(GET_EVENTS, &encode_get_events(&js(&request)).unwrap(), None);
        let page = support::json(&decode_events(&answer).unwrap());
        let events = page["events"].as_array().unwrap();
        events.iter().map(|event| event["eventType"].as_str().unwrap().to_owned()).collect()
    }
}

/// PollWorkflow or PollTask.
fn poll_request(long_poll: bool) -> Value {
    json!({
        "workerId": "worker",
        "orgId": ORG,
        "queue": "default",
        "timeoutSeconds": 5,
        "longPoll": long_poll,
        "workflowCapabilities": ["order"],
    })
}

fn attempt<T: JsCast>(expired: bool) -> T {
    js(&json!({ "firstAttemptMs": NOW_MS, "expired": expired }))
}

fn bytes(answer: JsValue) -> Vec<u8> {
    answer.dyn_into::<Uint8Array>().expect("an answer, not a call that waits").to_vec()
}

fn job(activation: u32) -> Value {
    poll_job(activation).unwrap().map_or(Value::Null, |job| support::json(&JsValue::from(job)))
}
