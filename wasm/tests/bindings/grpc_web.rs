//! Our messages, frames and trailers against those of tonic, as `tonic-web-wasm-client` carries them over the same `fetch`.

use flovyn_protocol::messages::{
    GetEventsRequest, GetEventsResponse, StartWorkflowRequest, StartWorkflowResponse, WorkflowEvent,
};
use flovyn_wasm::{
    decode_events, decode_start_workflow, decoder_finish, decoder_open, decoder_push, encode_frame, encode_get_events,
    encode_start_workflow,
};
use http::uri::PathAndQuery;
use js_sys::{Array, ArrayBuffer, Promise, Uint8Array, futures::JsFuture};
use prost::Message;
use serde_json::{Value, json};
use tonic::{Code, Request, Status, client::Grpc, metadata::MetadataValue};
use tonic_prost::ProstCodec;
use tonic_web_wasm_client::Client;
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;

use super::support::{self, announce, js, text};

/// A server for development, as `flovyn-server dev` starts it.
const SERVER_URL: Option<&str> = option_env!("FLOVYN_TEST_SERVER_URL");
const ORG: &str = "dev";

const START: &str = "/flovyn.v1.WorkflowDispatch/StartWorkflow";
const GET_EVENTS: &str = "/flovyn.v1.WorkflowDispatch/GetEvents";

const MAX_BYTES: u32 = 1024 * 1024;
/// Odd on purpose: no frame begins or ends where a chunk does.
const CHUNK_BYTES: usize = 7;

#[wasm_bindgen_test]
async fn the_history_of_a_workflow_is_the_same_bytes_for_both() {
    let Some(server) = server() else { return };
    let started: StartWorkflowResponse = theirs(server, START, start_message()).await.unwrap();
    let execution_id = started.workflow_execution_id;

    let message = GetEventsRequest { workflow_execution_id: execution_id.clone(), after_sequence: 0, page_size: 0 };
    let request = get_events(&execution_id);
    assert_eq!(request, message.encode_to_vec());

    let their_answer: GetEventsResponse = theirs(server, GET_EVENTS, message).await.unwrap();
    let our_answer = ours(server, GET_EVENTS, &request).await.unwrap();
    assert_eq!(our_answer, their_answer.encode_to_vec());

    let decoded = support::json(&decode_events(&our_answer).unwrap());
    let expected: Vec<_> = their_answer.events.iter().map(event).collect();
    assert_eq!(decoded, json!({ "events": expected, "hasMore": their_answer.has_more }));
    assert_eq!(decoded["events"][0]["eventType"], "WORKFLOW_STARTED");
}

#[wasm_bindgen_test]
async fn a_workflow_that_we_started_is_there_for_the_other_client() {
    let Some(server) = server() else { return };
    let object = json!({
        "orgId": ORG,
        "workflowKind": "grpc-web",
        "input": r#"{"text":"ü","list":[1,2.5,null]}"#,
        "queue": "grpc-web",
        "metadata": { "b": "2", "a": "1" },
    });
    let request = encode_start_workflow(&js(&object)).unwrap();
    assert_eq!(request, start_message().encode_to_vec());

    let answer = ours(server, START, &request).await.unwrap();
    let execution_id = text(&decode_start_workflow(&answer).unwrap(), "workflowExecutionId");
    let message = GetEventsRequest { workflow_execution_id: execution_id.clone(), after_sequence: 0, page_size: 1 };
    let page: GetEventsResponse = theirs(server, GET_EVENTS, message).await.unwrap();
    assert_eq!(page.events.len(), 1);
    let started: Value = serde_json::from_slice(&page.events[0].event_data).unwrap();
    assert_eq!(started["input"], json!({ "text": "ü", "list": [1, 2.5, null] }));
}

#[wasm_bindgen_test]
async fn both_read_the_same_status_of_a_call_that_failed() {
    let Some(server) = server() else { return };
    let unknown = "00000000-0000-4000-8000-000000000000";
    let message = GetEventsRequest { workflow_execution_id: unknown.into(), after_sequence: 0, page_size: 0 };
    let their_status = theirs::<GetEventsResponse>(server, GET_EVENTS, message).await.unwrap_err();
    let our_status = ours(server, GET_EVENTS, &get_events(unknown)).await.unwrap_err();
    assert_eq!(their_status.code(), Code::NotFound);
    assert_eq!(our_status, (their_status.code() as i32, their_status.message().to_owned()));
}

fn server() -> Option<&'static str> {
    if SERVER_URL.is_none() {
        announce("skipped: FLOVYN_TEST_SERVER_URL names no server; scripts/test-wasm.mjs starts one");
    }
    SERVER_URL
}

fn start_message() -> StartWorkflowRequest {
    StartWorkflowRequest {
        org_id: ORG.into(),
        workflow_kind: "grpc-web".into(),
        input: r#"{"text":"ü","list":[1,2.5,null]}"#.into(),
        metadata: [("a", "1"), ("b", "2")].map(|(name, value)| (name.into(), value.into())).into(),
        queue: "grpc-web".into(),
        ..StartWorkflowRequest::default()
    }
}

fn get_events(execution_id: &str) -> Vec<u8> {
    let object = json!({ "workflowExecutionId": execution_id, "afterSequence": 0, "pageSize": 0 });
    encode_get_events(&js(&object)).unwrap()
}

fn event(event: &WorkflowEvent) -> Value {
    json!({
        "sequence": event.sequence_number,
        "eventType": event.event_type,
        "data": str::from_utf8(&event.event_data).unwrap(),
    })
}

/// The call by the other client.
async fn theirs<T: Message + Default + 'static>(
    server: &str,
    method: &'static str,
    message: impl Message + 'static,
) -> Result<T, Status> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("flovyn-ext", MetadataValue::from_static("1"));
    let mut grpc = Grpc::new(Client::new(server.into()));
    grpc.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
    let answer = grpc.unary(request, PathAndQuery::from_static(method), ProstCodec::default()).await?;
    Ok(answer.into_inner())
}

/// The call by our frames: the bytes of its one message, or the number and text of its status.
async fn ours(server: &str, method: &str, message: &[u8]) -> Result<Vec<u8>, (i32, String)> {
    let headers = json!({ "content-type": "application/grpc-web+proto", "x-grpc-web": "1", "flovyn-ext": "1" });
    let options: JsValue = js(&json!({ "method": "POST", "headers": headers }));
    let body = Uint8Array::from(encode_frame(message).as_slice());
    js_sys::Reflect::set(&options, &"body".into(), &body).unwrap();

    let response: Response = settled(fetch(&format!("{server}{method}"), &options)).await;
    if let Some(status) = response.headers().get("grpc-status").filter(|status| status != "0") {
        let text = response.headers().get("grpc-message").unwrap_or_default();
        return Err((status.parse().unwrap(), js_sys::decode_uri_component(&text).unwrap().into()));
    }
    let body: ArrayBuffer = settled(response.array_buffer()).await;
    read(&Uint8Array::new(&body).to_vec())
}

fn read(body: &[u8]) -> Result<Vec<u8>, (i32, String)> {
    let decoder = decoder_open(MAX_BYTES).unwrap();
    let (mut messages, mut status) = (Vec::new(), None);
    for chunk in body.chunks(CHUNK_BYTES) {
        for frame in decoder_push(decoder, chunk).unwrap().iter().map(|frame| Array::from(&frame)) {
            match support::json(&frame.get(0)).as_i64() {
                Some(0) => messages.push(Uint8Array::new(&frame.get(1)).to_vec()),
                _ => status = Some((support::json(&frame.get(1)), frame.get(2).as_string().unwrap())),
            }
        }
    }
    decoder_finish(decoder).unwrap();
    let (code, text) = status.expect("trailers end the body");
    if code != 0 {
        return Err((serde_json::from_value(code).unwrap(), text));
    }
    assert_eq!(messages.len(), 1);
    Ok(messages.remove(0))
}

async fn settled<T: JsCast>(promise: Promise) -> T {
    JsFuture::from(promise).await.unwrap().unchecked_into()
}

#[wasm_bindgen]
extern "C" {
    type Response;
    type Headers;

    fn fetch(url: &str, options: &JsValue) -> Promise;
    #[wasm_bindgen(method, getter)]
    fn headers(this: &Response) -> Headers;
    #[wasm_bindgen(method, js_name = arrayBuffer)]
    fn array_buffer(this: &Response) -> Promise;
    #[wasm_bindgen(method)]
    fn get(this: &Headers, name: &str) -> Option<String>;
}
