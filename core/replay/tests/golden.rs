//! Runs every golden history of `tests/histories`, which the TypeScript package runs as well. Their form is written
//! down in the README there.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "golden/calls.rs"]
mod calls;
#[path = "golden/compact.rs"]
mod compact;
#[path = "golden/file.rs"]
mod file;
#[path = "golden/runner.rs"]
mod runner;

use std::{
    collections::BTreeMap,
    fs,
    io::{Write, stderr},
    path::Path,
};

use file::Golden;

/// Every golden history by name, as compact JSON.
fn histories() -> BTreeMap<String, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/histories");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = files.filter(|path| path.extension().is_some_and(|extension| extension == "json"));
    let read = |path: &Path| compact::compact(&fs::read_to_string(path).unwrap());
    files.map(|path| (path.file_stem().unwrap().to_str().unwrap().to_string(), read(&path))).collect()
}

fn run(text: &str) -> Result<(), String> {
    let golden: Golden = serde_json::from_str(text).map_err(|error| format!("not a golden history: {error}"))?;
    runner::run(&golden)
}

#[test]
fn every_history_gives_exactly_what_its_file_says() {
    let histories = histories();
    let failures: Vec<String> = histories
        .iter()
        .filter_map(|(name, text)| run(text).err().map(|problem| format!("{name}: {problem}")))
        .collect();
    assert_eq!(failures, Vec::<String>::new());
    writeln!(stderr(), "{} golden histories", histories.len()).unwrap();
    assert!(histories.len() >= 140, "golden histories are missing: {} found", histories.len());
}

/// A comparison that never fails proves nothing: each file is changed in every place that it has, one at a time.
#[test]
fn one_changed_expectation_fails() {
    let mut changed = 0;
    for (name, text) in histories() {
        for (place, other) in [
            (r#""type":"SCHEDULE_TASK","kind":"c"#, r#""type":"SCHEDULE_TASK","kind":"d"#),
            (r#""type":"START_TIMER","timerId":"timer-0""#, r#""type":"START_TIMER","timerId":"timer-7""#),
            (
                r#""type":"RECORD_OPERATION","operationName":""#,
                r#""type":"RECORD_OPERATION","operationName":"another "#,
            ),
            (r#""type":"COMPLETE_WORKFLOW","output":"#, r#""type":"COMPLETE_WORKFLOW","output":1"#),
            (r#""status":"SUSPENDED""#, r#""status":"COMPLETED""#),
            (r#""status":"COMPLETED""#, r#""status":"FAILED""#),
            (r#"{"resolve":[1,"#, r#"{"resolve":[9,"#),
            (r#"{"reject":[1,{"code":""#, r#"{"reject":[1,{"code":"OTHER_"#),
            (r#""violation":{"eventSequence":"#, r#""violation":{"eventSequence":1"#),
            (r#""message":""#, r#""message":"another "#),
            (r#""commands":[{"type":"#, r#""commands":[{"type":"CLEAR_STATE","key":"more"},{"type":"#),
            (r#""commands":[]"#, r#""commands":[{"type":"CLEAR_STATE","key":"more"}]"#),
        ] {
            // Events have messages too; only what is expected follows the turns.
            let turns = text.find(r#""turns":"#).unwrap();
            let Some(at) = text[turns..].find(place).map(|at| turns + at) else { continue };
            let altered = format!("{}{other}{}", &text[..at], &text[at + place.len()..]);
            assert!(run(&altered).is_err(), "{name}: {place} changed to {other} was not noticed");
            changed += 1;
        }
    }
    assert!(changed > 200, "{changed}");
}

#[test]
fn something_left_over_fails() {
    let histories = histories();
    let text = &histories["timer-fired"];
    let last_turn = text.find(r#",{"job":{"resolve""#).unwrap();
    let end = text.find(r#"],"commands""#).unwrap();
    let shortened = format!("{}{}", &text[..last_turn], &text[end..]);
    assert_eq!(run(&shortened).unwrap_err(), r#"expected no job, got {"resolve":[1,null]}"#);
}
