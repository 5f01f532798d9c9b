use flovyn_protocol::status::Status;
use prost::Message;

use crate::{auth::Caller, host, server::App};

/// Makes a call of the contract, our extensions included, for a caller of REST.
pub(super) async fn call<T: Message + Default>(
    app: &App,
    caller: &Caller,
    method: &str,
    request: &impl Message,
) -> Result<T, Status> {
    let call = host::Call {
        method: method.to_owned(),
        body: request.encode_to_vec(),
        extended: true,
        claim: None,
        deadline_ms: None,
        caller: caller.clone(),
    };
    let reply = app.host.call(call).await?;
    let answer = T::decode(reply.message.as_slice());
    reply.delivered();
    answer.map_err(|_| Status::internal("the server broke one of its own rules: it cannot read its own answer"))
}
