//! The one place where a request is checked against its organisation. Whatever comes after can reach nothing of
//! another one, since every key holds the organisation that this check gave.

use alloc::format;

use flovyn_protocol::messages::{
    CancelTaskRequest, ClearAllStateRequest, ClearStateRequest, CompleteTaskRequest, FailTaskRequest, GetEventsRequest,
    GetStateKeysRequest, GetStateRequest, HeartbeatRequest, LogMessageRequest, PollRequest, PollTaskRequest,
    QueryWorkflowRequest, RejectPromiseRequest, ReportProgressRequest, ResolvePromiseRequest, SetStateRequest,
    SignalWithStartWorkflowRequest, SignalWorkflowRequest, StartChildWorkflowRequest, StartWorkflowRequest,
    StreamTaskDataRequest, SubmitTaskRequest, SubmitWorkflowCommandsRequest, SubscriptionRequest,
    WorkerHeartbeatRequest, WorkerRegistrationRequest,
    ext::{
        AnswerQueryRequest, AwaitResultRequest, CancelWorkflowRequest, DescribeWorkflowRequest, ListWorkflowsRequest,
        ReadStreamRequest, ReleaseClaimRequest, RenewClaimRequest,
    },
};
use uuid::Uuid;

use crate::{Principal, Status, border};

/// A message that may name an organisation.
pub(crate) trait NamesOrg {
    /// What it names; empty if it does not.
    fn org(&self) -> &str {
        ""
    }
}

/// The organisation in which a request acts: always that of its key.
pub(crate) fn check(message: &impl NamesOrg, principal: &Principal) -> Result<Uuid, Status> {
    let text = message.org();
    if text.is_empty() || text == principal.org_slug {
        return Ok(principal.org_id);
    }
    let org_id = border::id("org_id", text)?;
    if org_id.is_nil() || org_id == principal.org_id {
        return Ok(principal.org_id);
    }
    Err(Status::permission_denied(format!("org_id: the key does not belong to organisation {org_id}")))
}

impl NamesOrg for SubscriptionRequest {
    fn org(&self) -> &str {
        &self.org_id
    }
}

impl NamesOrg for PollRequest {
    fn org(&self) -> &str {
        &self.org_id
    }
}

impl NamesOrg for StartWorkflowRequest {
    fn org(&self) -> &str {
        &self.org_id
    }
}

impl NamesOrg for SignalWorkflowRequest {
    fn org(&self) -> &str {
        &self.org_id
    }
}

impl NamesOrg for SignalWithStartWorkflowRequest {
    fn org(&self) -> &str {
        &self.org_id
    }
}

impl NamesOrg for StartChildWorkflowRequest {
    fn org(&self) -> &str {
        &self.org_id
    }
}

impl NamesOrg for SubmitTaskRequest {
    fn org(&self) -> &str {
        &self.org_id
    }
}

impl NamesOrg for PollTaskRequest {
    fn org(&self) -> &str {
        &self.org_id
    }
}

impl NamesOrg for WorkerRegistrationRequest {
    fn org(&self) -> &str {
        &self.org_id
    }
}

impl NamesOrg for SubmitWorkflowCommandsRequest {
    fn org(&self) -> &str {
        self.poll.as_ref().map_or("", NamesOrg::org)
    }
}

impl NamesOrg for CompleteTaskRequest {
    fn org(&self) -> &str {
        self.poll.as_ref().map_or("", NamesOrg::org)
    }
}

impl NamesOrg for FailTaskRequest {
    fn org(&self) -> &str {
        self.poll.as_ref().map_or("", NamesOrg::org)
    }
}

impl NamesOrg for QueryWorkflowRequest {}
impl NamesOrg for AnswerQueryRequest {}
impl NamesOrg for GetEventsRequest {}
impl NamesOrg for ResolvePromiseRequest {}
impl NamesOrg for RejectPromiseRequest {}
impl NamesOrg for CancelTaskRequest {}
impl NamesOrg for HeartbeatRequest {}
impl NamesOrg for WorkerHeartbeatRequest {}
impl NamesOrg for RenewClaimRequest {}
impl NamesOrg for ReleaseClaimRequest {}
impl NamesOrg for AwaitResultRequest {}
impl NamesOrg for CancelWorkflowRequest {}
impl NamesOrg for DescribeWorkflowRequest {}
impl NamesOrg for ListWorkflowsRequest {}
impl NamesOrg for ReportProgressRequest {}
impl NamesOrg for LogMessageRequest {}
impl NamesOrg for GetStateRequest {}
impl NamesOrg for GetStateKeysRequest {}
impl NamesOrg for SetStateRequest {}
impl NamesOrg for ClearStateRequest {}
impl NamesOrg for ClearAllStateRequest {}
impl NamesOrg for StreamTaskDataRequest {}
impl NamesOrg for ReadStreamRequest {}
