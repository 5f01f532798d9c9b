use std::{collections::HashMap, net::SocketAddr};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// A connection that speaks HTTP/1.1 as text, so that what a test sends is what it says.
pub(crate) struct Connection {
    stream: TcpStream,
}

pub(crate) struct Response {
    pub(crate) status: u16,
    /// Names in lower case.
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> Self {
        Self { stream: TcpStream::connect(address).await.unwrap() }
    }

    /// Sends a request and reads its response; the connection stays open.
    pub(crate) async fn request(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Response {
        self.send(method, path, headers, body).await;
        super::within(self.receive()).await
    }

    pub(crate) async fn send(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) {
        let mut head = format!("{method} {path} HTTP/1.1\r\ncontent-length: {}\r\n", body.len());
        if !headers.iter().any(|(name, _)| *name == "host") {
            head += "host: localhost\r\n";
        }
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        let message = [head.as_bytes(), b"\r\n", body].concat();
        self.stream.write_all(&message).await.unwrap();
    }

    /// Reads on, head and chunks as they come, until this text is there; then all that was read.
    pub(crate) async fn until(&mut self, text: &str) -> String {
        let reading = async {
            let mut bytes = Vec::new();
            while !String::from_utf8_lossy(&bytes).contains(text) {
                let closed = self.stream.read_buf(&mut bytes).await.unwrap() == 0;
                assert!(!closed, "closed before {text:?}: {}", String::from_utf8_lossy(&bytes));
            }
            String::from_utf8_lossy(&bytes).into_owned()
        };
        super::within(reading).await
    }

    async fn receive(&mut self) -> Response {
        let mut bytes = Vec::new();
        let head_end = loop {
            if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
                break end;
            }
            assert_ne!(self.stream.read_buf(&mut bytes).await.unwrap(), 0, "closed before the response");
        };
        let mut body = bytes.split_off(head_end + 4);
        let head = String::from_utf8(bytes).unwrap();
        let mut lines = head.trim_end().split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers: HashMap<_, _> = lines
            .map(|line| line.split_once(':').unwrap())
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
        while body.len() < length {
            assert_ne!(self.stream.read_buf(&mut body).await.unwrap(), 0, "closed inside the body");
        }
        assert_eq!(body.len(), length, "nothing follows the response");
        Response { status, headers, body }
    }
}

impl Response {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// One request on a connection of its own.
pub(crate) async fn request(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Response {
    Connection::open(address).await.request(method, path, headers, body).await
}

/// A request with a JSON body.
pub(crate) async fn json(address: SocketAddr, method: &str, path: &str, body: &str) -> Response {
    request(address, method, path, &[("content-type", "application/json")], body.as_bytes()).await
}
