//! As much HTTP as a benchmark needs, on loopback.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

const TIMEOUT: Duration = Duration::from_secs(60);

/// An answer.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: String,
}

fn connect(port: u16) -> Result<TcpStream> {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// One request on a connection of its own. HTTP/1.0, so that the answer ends with the connection.
pub(super) fn request(port: u16, head: &str, headers: &str, body: &[u8]) -> Result<Answer> {
    let mut stream = connect(port)?;
    let length = body.len();
    write!(
        stream,
        "{head} HTTP/1.0\r\nHost: 127.0.0.1\r\nContent-Length: {length}\r\n{headers}\r\n"
    )?;
    stream.write_all(body)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer);
    let (top, body) = answer
        .split_once("\r\n\r\n")
        .context("the answer has no head")?;
    let status = top
        .split_whitespace()
        .nth(1)
        .context("the answer has no status")?;
    Ok(Answer {
        status: status.parse()?,
        body: body.to_owned(),
    })
}

/// A page that has to be there.
pub(super) fn get(port: u16, path: &str) -> Result<String> {
    let answer = request(port, &format!("GET {path}"), "", b"")?;
    ensure!(
        answer.status == 200,
        "{path}: {} {}",
        answer.status,
        answer.body
    );
    Ok(answer.body)
}

/// The sum of a metric over its labels; 0 where it is not told.
pub(super) fn metric(port: u16, name: &str) -> Result<f64> {
    let page = get(port, "/metrics")?;
    let values = page.lines().filter_map(|line| {
        let rest = line.strip_prefix(name)?;
        let rest = match rest.strip_prefix('{') {
            Some(labels) => labels.split_once("} ")?.1,
            None => rest.strip_prefix(' ')?,
        };
        rest.trim().parse::<f64>().ok()
    });
    Ok(values.sum())
}

/// A connection that stays, for requests that are answered without a body.
pub(super) struct Kept(BufReader<TcpStream>);

impl Kept {
    pub(super) fn open(port: u16) -> Result<Self> {
        Ok(Self(BufReader::new(connect(port)?)))
    }

    /// Sends and waits for 204.
    pub(super) fn post(&mut self, path: &str, headers: &str, body: &[u8]) -> Result<()> {
        let length = body.len();
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {length}\r\n{headers}\r\n"
        );
        self.0.get_mut().write_all(head.as_bytes())?;
        self.0.get_mut().write_all(body)?;
        let mut first = String::new();
        loop {
            let mut line = String::new();
            ensure!(self.0.read_line(&mut line)? > 0, "the connection ended");
            if line == "\r\n" {
                break;
            }
            if first.is_empty() {
                first = line;
            }
        }
        if !first.contains(" 204 ") {
            bail!("{path}: {}", first.trim());
        }
        Ok(())
    }
}
