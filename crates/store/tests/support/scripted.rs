//! An InfluxDB that does what a healthy one never does: a real HTTP server on a real socket that
//! follows a script and keeps the lines it takes.
//!
//! What it refuses does not depend on the script: malformed lines refuse a whole write (400),
//! refused ones are left out of it (422), too many lines are too large (413).

use std::collections::{BTreeMap, VecDeque};
use std::io::Read as _;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What happens to one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Answers as a healthy server.
    Serve,
    /// Takes the lines, then resets the connection.
    StoreThenReset,
    /// Resets the connection and takes nothing.
    Reset,
    /// Takes the lines and answers 500.
    StoreThen500,
    /// Answers with this status and takes nothing; `Retry-After` in seconds.
    Refuse(u16, Option<u64>),
    /// Takes the lines, promises a body and breaks off within it.
    StoreThenHalfBody,
    /// Never answers.
    Hang,
    /// Takes the lines and never answers.
    StoreThenHang,
}

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Request {
    pub at: Instant,
    pub path: String,
    /// Bucket of a write.
    pub bucket: String,
    pub lines: Vec<String>,
    pub act: Act,
    /// The body as it came over the wire.
    pub body: Vec<u8>,
}

#[derive(Debug, Default)]
pub struct Kept {
    pub script: VecDeque<Act>,
    /// (bucket, series and time) → fields.
    pub points: BTreeMap<(String, String), String>,
    /// Keys in the order in which they were first kept.
    pub order: Vec<String>,
    pub requests: Vec<Request>,
    pub deletes: Vec<String>,
}

/// Which lines it refuses, by a text within them.
#[derive(Clone, Debug)]
pub struct Rules {
    pub malformed: &'static str,
    pub refused: &'static str,
    pub lines_max: usize,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            malformed: "value=13.5 ",
            refused: "value=17.5 ",
            lines_max: usize::MAX,
        }
    }
}

pub struct ScriptedInflux {
    pub address: SocketAddr,
    pub kept: Arc<Mutex<Kept>>,
    server: JoinHandle<()>,
}

impl ScriptedInflux {
    pub async fn start(script: impl IntoIterator<Item = Act>, rules: Rules) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let kept = Arc::new(Mutex::new(Kept {
            script: script.into_iter().collect(),
            ..Kept::default()
        }));
        let server = tokio::spawn({
            let kept = Arc::clone(&kept);
            async move {
                while let Ok((stream, _)) = listener.accept().await {
                    tokio::spawn(serve(stream, Arc::clone(&kept), rules.clone()));
                }
            }
        });
        Self {
            address,
            kept,
            server,
        }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for ScriptedInflux {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn serve(mut stream: TcpStream, kept: Arc<Mutex<Kept>>, rules: Rules) {
    let mut buffer = Vec::new();
    loop {
        let Some((path, body)) = read_request(&mut stream, &mut buffer).await else {
            return;
        };
        let (act, answer) = {
            let mut kept = kept.lock().unwrap();
            let act = kept.script.pop_front().unwrap_or(Act::Serve);
            let answer = work(&mut kept, act, &path, body, &rules);
            (act, answer)
        };
        match act {
            Act::Reset | Act::StoreThenReset => {
                // Without lingering the close is a reset, not a farewell.
                let _ = stream.set_zero_linger();
                return;
            }
            Act::Hang | Act::StoreThenHang => {
                // Until the other side gives up.
                let _ = stream.read(&mut [0; 64]).await;
                return;
            }
            Act::StoreThenHalfBody => {
                let text = "HTTP/1.1 503 Busy\r\nContent-Length: 500\r\n\r\n{\"message\": \"half";
                let _ = stream.write_all(text.as_bytes()).await;
                return;
            }
            Act::Serve | Act::StoreThen500 | Act::Refuse(..) => {
                if stream.write_all(answer.as_bytes()).await.is_err() {
                    return;
                }
            }
        }
    }
}

async fn read_request(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<(String, Vec<u8>)> {
    let head_end = loop {
        if let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
            break end + 4;
        }
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8_lossy(&buffer[..head_end]).into_owned();
    let length: usize = head
        .lines()
        .find_map(|line| {
            line.to_ascii_lowercase()
                .strip_prefix("content-length:")?
                .trim()
                .parse()
                .ok()
        })
        .unwrap_or(0);
    while buffer.len() < head_end + length {
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    }
    let rest = buffer.split_off(head_end + length);
    let body = buffer.split_off(head_end);
    *buffer = rest;
    let path = head.split(' ').nth(1)?.to_owned();
    Some((path, body))
}

/// Does what the request and the script say, and makes the answer.
fn work(kept: &mut Kept, act: Act, path: &str, body: Vec<u8>, rules: &Rules) -> String {
    let bucket = path
        .split(['?', '&'])
        .find_map(|part| part.strip_prefix("bucket="))
        .unwrap_or_default()
        .to_owned();
    let is_write = path.starts_with("/api/v2/write");
    let mut text = String::new();
    if is_write {
        flate2::read::GzDecoder::new(body.as_slice())
            .read_to_string(&mut text)
            .unwrap();
    }
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    kept.requests.push(Request {
        at: Instant::now(),
        path: path.to_owned(),
        bucket: bucket.clone(),
        lines: lines.clone(),
        act,
        body: body.clone(),
    });
    if let Act::Refuse(status, retry_after) = act {
        let header = retry_after.map_or(String::new(), |s| format!("Retry-After: {s}\r\n"));
        return format!("HTTP/1.1 {status} No\r\n{header}Content-Length: 2\r\n\r\nno");
    }
    if matches!(act, Act::Reset | Act::Hang) {
        return String::new();
    }
    if !is_write {
        kept.deletes
            .push(String::from_utf8_lossy(&body).into_owned());
        return "HTTP/1.1 204 No Content\r\n\r\n".to_owned();
    }
    let (status, message) = take(kept, &bucket, &lines, rules);
    if act == Act::StoreThen500 {
        return "HTTP/1.1 500 Broken\r\nContent-Length: 0\r\n\r\n".to_owned();
    }
    if status == 204 {
        return "HTTP/1.1 204 No Content\r\n\r\n".to_owned();
    }
    let body = format!("{{\"code\":\"x\",\"message\":\"{message}\"}}");
    let length = body.len();
    format!("HTTP/1.1 {status} No\r\nContent-Length: {length}\r\n\r\n{body}")
}

fn take(kept: &mut Kept, bucket: &str, lines: &[String], rules: &Rules) -> (u16, String) {
    if lines.len() > rules.lines_max {
        return (413, "too large".to_owned());
    }
    if lines.iter().any(|line| line.contains(rules.malformed)) {
        return (400, "unable to parse".to_owned());
    }
    let mut dropped = 0;
    for line in lines {
        if line.contains(rules.refused) {
            dropped += 1;
            continue;
        }
        let (series_and_fields, time) = line.rsplit_once(' ').unwrap();
        let (series, fields) = series_and_fields.split_once(' ').unwrap();
        let key = (bucket.to_owned(), format!("{series} {time}"));
        if kept.points.insert(key.clone(), fields.to_owned()).is_none() {
            kept.order.push(key.1);
        }
    }
    if dropped > 0 {
        (422, format!("partial write: dropped={dropped}"))
    } else {
        (204, String::new())
    }
}

/// How long a condition may take that is sure to come.
pub const CERTAIN: Duration = Duration::from_secs(60);
