//! The state that an execution has set, folded: for each key the last value. It is kept beside the history, so that
//! reading it does not cost more the longer the history is.

use alloc::{string::String, vec::Vec};

use flovyn_protocol::{Payload, event::EventBody};

use crate::{Status, context::Ctx, store::Key};

/// What an event changes.
pub(crate) fn fold(ctx: &mut Ctx<'_>, execution: Key, event: &EventBody) -> Result<(), Status> {
    match event {
        EventBody::StateSet { key, value } => ctx.tx.put_state(execution, key, value)?,
        EventBody::StateCleared { key } => ctx.tx.remove_state(execution, key)?,
        _ => {}
    }
    Ok(())
}

/// All of it, as one JSON object.
pub(crate) fn to_object(state: &[(String, Payload)]) -> Result<Payload, Status> {
    let broken = |_| Status::internal("a stored state is broken");
    let mut members = Vec::with_capacity(state.len());
    for (key, value) in state {
        let key = serde_json::to_string(key).map_err(broken)?;
        members.push(alloc::format!("{key}:{}", value.as_json()));
    }
    let object = alloc::format!("{{{}}}", members.join(","));
    Payload::from_json(object).map_err(|_| Status::internal("a stored state is broken"))
}
