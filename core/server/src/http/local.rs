use axum::{
    extract::Request,
    middleware::Next,
    response::{IntoResponse, Response},
};
use flovyn_protocol::status::Status;
use http::{
    Uri,
    header::{HOST, ORIGIN},
    uri::Authority,
};

use crate::rest::RestError;

/// Without authentication only this machine is let in, and a web page from elsewhere, open in a browser on this
/// machine, is not this machine: neither by naming us (`Origin`) nor by a name of its own that it made point to us
/// (`Host`).
pub(super) async fn refuse_foreign_pages(request: Request, next: Next) -> Response {
    let headers = request.headers();
    let host = headers.get(HOST).map(|host| host.as_bytes()).or_else(|| request.uri().authority().map(authority));
    let local =
        host.is_none_or(is_local_authority) && headers.get(ORIGIN).is_none_or(|o| is_local_origin(o.as_bytes()));
    match local {
        true => next.run(request).await,
        false => RestError::from(Status::permission_denied(
            "this server runs without authentication and answers only requests addressed to localhost, \
             from no page or one of localhost; start it with --auth to serve others",
        ))
        .into_response(),
    }
}

fn authority(authority: &Authority) -> &[u8] {
    authority.as_str().as_bytes()
}

/// Whether a page of this origin comes from this machine.
pub(super) fn is_local_origin(origin: &[u8]) -> bool {
    let uri = std::str::from_utf8(origin).ok().and_then(|origin| origin.parse::<Uri>().ok());
    uri.as_ref().and_then(Uri::host).is_some_and(is_local_host)
}

fn is_local_authority(text: &[u8]) -> bool {
    Authority::try_from(text).is_ok_and(|authority| is_local_host(authority.host()))
}

fn is_local_host(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    match address {
        Ok(address) => address.is_loopback(),
        Err(_) => host.eq_ignore_ascii_case("localhost") || host.to_ascii_lowercase().ends_with(".localhost"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins() {
        for local in ["http://localhost:5173", "http://127.0.0.1", "http://[::1]:80", "https://app.localhost"] {
            assert!(is_local_origin(local.as_bytes()), "{local}");
        }
        for foreign in ["null", "http://example.com", "http://localhost.example.com", "http://127.0.0.1.example.com"] {
            assert!(!is_local_origin(foreign.as_bytes()), "{foreign}");
        }
    }

    #[test]
    fn hosts() {
        for local in ["localhost:9090", "127.0.0.1:9090", "[::1]:9090", "LOCALHOST"] {
            assert!(is_local_authority(local.as_bytes()), "{local}");
        }
        for foreign in ["example.com:9090", "", "192.168.0.1"] {
            assert!(!is_local_authority(foreign.as_bytes()), "{foreign}");
        }
    }
}
