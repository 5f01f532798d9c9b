//! What the server writes for people holds no keys and no payloads, however much it is asked to write.

use std::{
    io::{BufRead, BufReader, Read},
    process::Stdio,
};

use crate::support::{grpc::Client, http1, process::command, requests::*};

#[tokio::test]
async fn no_keys_and_no_payloads() {
    let data = tempfile::tempdir().unwrap();
    let mut command = command(data.path(), &["--auth"]);
    let mut child = command.env("RUST_LOG", "trace").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut errors = child.stderr.take().unwrap();
    let log = std::thread::spawn(move || {
        let mut text = String::new();
        errors.read_to_string(&mut text).unwrap();
        text
    });
    let mut ready = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut ready).unwrap();
    let ready: serde_json::Value = serde_json::from_str(&ready).unwrap();
    let address = ready["url"].as_str().unwrap().strip_prefix("http://").unwrap().parse().unwrap();

    let mut client = Client::connect(address, true).await;
    let mut request = start("order");
    request.input = br#""a secret of a user""#.to_vec();
    client.key = Some("flovyn_sk_wrong".to_owned());
    client.call::<()>(START, request.clone()).await.unwrap_err();
    client.key = ready["apiKey"].as_str().map(str::to_owned);
    client.call::<()>(START, request.clone()).await.unwrap();
    request.input = b"a secret of a user".to_vec();
    client.call::<()>(START, request).await.unwrap_err();
    let bearer = format!("Bearer {}", ready["workerKey"].as_str().unwrap());
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    let body = br#"{"kind":"order","input":"a secret of a user"}"#;
    let answer = http1::request(address, "POST", "/api/orgs/dev/workflow-executions", &headers, body).await;
    assert_eq!(answer.status, 201);

    child.kill().unwrap();
    child.wait().unwrap();
    let log = log.join().unwrap();
    assert!(log.contains("StartWorkflow"), "it does log: {log}");
    for secret in ["flovyn_sk_", "flovyn_wk_", "a secret of a user"] {
        let line = log.lines().find(|line| line.contains(secret));
        assert!(line.is_none(), "{line:?}");
    }
}
