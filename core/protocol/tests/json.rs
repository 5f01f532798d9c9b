//! JSON taken apart must be what serde_json makes of the same text.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use flovyn_protocol::json::{Json, quote};
use proptest::{collection, prelude::*};
use serde_json::Value;

fn json(text: &str) -> Json<'_> {
    Json::parse(text.as_bytes()).unwrap()
}

fn texts<'a>(parts: impl Iterator<Item = Json<'a>>) -> Vec<&'a str> {
    parts.map(Json::text).collect()
}

#[test]
fn an_object_is_its_names_and_values() {
    let members: Vec<_> = json(r#" { "a" : 1 , "b\"}" : { "c": [ "]" ] },"d":"\\","e":[]} "#)
        .members()
        .unwrap()
        .map(|(name, value)| (name.to_str().unwrap().into_owned(), value.text()))
        .collect();
    let expected = [("a", "1"), ("b\"}", r#"{ "c": [ "]" ] }"#), ("d", r#""\\""#), ("e", "[]")];
    assert_eq!(members, expected.map(|(name, value)| (name.to_string(), value)));
    assert_eq!(json("{ }").members().unwrap().count(), 0);
}

#[test]
fn an_array_is_its_values() {
    assert_eq!(texts(json("[1,-2.5e3 , null,\"a,b\"\n]").elements().unwrap()), ["1", "-2.5e3", "null", "\"a,b\""]);
    assert_eq!(texts(json("[[],[[1],2]]").elements().unwrap()), ["[]", "[[1],2]"]);
    assert_eq!(texts(json("[ ]").elements().unwrap()), Vec::<&str>::new());
}

#[test]
fn scalars_are_read_as_what_they_are_only() {
    assert_eq!(json("42").to_i64(), Some(42));
    assert_eq!(json("-9223372036854775808").to_i64(), Some(i64::MIN));
    for other in ["42.0", "4e1", "9223372036854775808", "\"42\"", "null", "true"] {
        assert_eq!(json(other).to_i64(), None, "{other}");
    }
    assert_eq!((json("true").to_bool(), json("false").to_bool(), json("1").to_bool()), (Some(true), Some(false), None));
    assert!(json(" null ").is_null());
    assert_eq!(json("{}").to_str(), None);
    assert!(json("[]").members().is_none());
    assert!(json("\"[\"").elements().is_none());
}

#[test]
fn escapes_are_undone() {
    let escaped = r#""\"\\\/\b\f\n\r\t\u00fc\ud83d\ude00é""#;
    assert_eq!(json(escaped).to_str().unwrap(), "\"\\/\u{8}\u{c}\n\r\tü😀é");
    for half in [r#""\ud83d""#, r#""\ud83dx""#, r#""\ud83d\u0041""#, r#""\ude00""#] {
        assert_eq!(json(half).to_str(), None, "{half}");
    }
}

#[test]
fn nesting_costs_no_stack() {
    let depth = 1_000_000;
    let text = format!("[{}{},1]", "[".repeat(depth), "]".repeat(depth));
    assert_eq!(json(&text).elements().unwrap().count(), 2);
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            collection::btree_map(any::<String>(), inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// The same value, put together again from its parts.
fn rebuild(json: Json<'_>) -> Value {
    if let Some(members) = json.members() {
        return Value::Object(members.map(|(name, value)| (name.to_str().unwrap().into(), rebuild(value))).collect());
    }
    if let Some(elements) = json.elements() {
        return elements.map(rebuild).collect();
    }
    json.to_str().map_or_else(|| serde_json::from_str(json.text()).unwrap(), Value::from)
}

proptest! {
    #[test]
    fn the_parts_make_the_whole(value in values(), pretty in any::<bool>()) {
        let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }.unwrap();
        prop_assert_eq!(rebuild(json(&text)), serde_json::from_str::<Value>(&text).unwrap());
    }

    #[test]
    fn what_is_quoted_reads_back(text in any::<String>()) {
        let quoted = quote(&text);
        prop_assert_eq!(json(&quoted).to_str().unwrap(), text);
    }
}
