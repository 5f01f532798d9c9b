//! ListWorkflows.

use alloc::{format, string::String};

use flovyn_protocol::messages::ext::{ListWorkflowsRequest, ListWorkflowsResponse};

use crate::{
    Answer, Status, border,
    context::{Caller, Ctx, reply},
    results,
    store::ExecutionFilter,
};

const STATUSES: [&str; 7] = ["PENDING", "RUNNING", "WAITING", "CANCELLING", "COMPLETED", "FAILED", "CANCELLED"];
const LIMIT_DEFAULT: usize = 100;
const LIMIT_MAX: usize = 1_000;

pub(crate) fn list(ctx: &mut Ctx<'_>, caller: &Caller<'_>, request: ListWorkflowsRequest) -> Result<Answer, Status> {
    if !request.status.is_empty() {
        border::one_of("status", &request.status, &STATUSES)?;
    }
    let limit = match number("limit", request.limit)? {
        0 => LIMIT_DEFAULT,
        limit if limit > LIMIT_MAX => {
            return Err(Status::invalid_argument(format!("limit: expected at most {LIMIT_MAX}, got {limit}")));
        }
        limit => limit,
    };
    let offset = number("offset", request.offset)?;
    let given = |text: String| Some(text).filter(|text| !text.is_empty());
    let filter =
        ExecutionFilter { status: given(request.status), kind: given(request.kind), queue: given(request.queue) };
    let found = ctx.tx.executions(caller.org_id, &filter, limit, offset)?;
    let workflows = found.executions.into_iter().map(results::summary).collect();
    Ok(reply(&ListWorkflowsResponse { workflows, total: found.total }))
}

fn number(field: &str, number: i32) -> Result<usize, Status> {
    usize::try_from(number).map_err(|_| Status::invalid_argument(format!("{field}: expected 0 or more, got {number}")))
}
