//! Meters that answer every read after a fixed time and note when they were asked. What the poller
//! says of itself is not needed: the share of polls on time is seen from the meters' side.

use std::collections::VecDeque;
use std::io::BufRead as _;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::Outcome;

/// The registers of an Eastron SDM630 that is at work: wire address and the two words of the value.
const REGISTERS: [(usize, [u16; 2]); 11] = [
    (0x00, [0x4366, 0x8000]),
    (0x02, [0x4365, 0xC000]),
    (0x04, [0x4367, 0x4000]),
    (0x06, [0x4148, 0x0000]),
    (0x08, [0x4134, 0x0000]),
    (0x0A, [0x4150, 0x0000]),
    (0x34, [0x4603, 0x4000]),
    (0x3E, [0x3F70, 0x0000]),
    (0x46, [0x4248, 0x0000]),
    (0x48, [0x47F1, 0x2040]),
    (0x4A, [0x3E80, 0x0000]),
];
const WORDS: usize = 0x60;
/// A poll is on time when it begins within this of one second after the poll before it.
const LATE: Duration = Duration::from_millis(100);

/// What happened to one meter: when polls began, and how many requests came.
#[derive(Default)]
struct Log {
    polls: VecDeque<Instant>,
    requests: u64,
}

type Logs = Arc<Vec<Mutex<Log>>>;

/// Serves until the input ends. Every line on the input closes a window and prints what was in it.
pub(crate) fn run(meters: usize, latency: Duration) -> Outcome<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let logs: Logs = Arc::new((0..meters).map(|_| Mutex::default()).collect());
    let windows = Arc::clone(&logs);
    std::thread::spawn(move || {
        let mut begun = Instant::now();
        for _ in std::io::stdin().lock().lines() {
            println!("{}", window(&windows, begun.elapsed()));
            begun = Instant::now();
        }
        std::process::exit(0);
    });
    runtime.block_on(async {
        let mut ports = Vec::new();
        for meter in 0..meters {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
            ports.push(listener.local_addr()?.port().to_string());
            let logs = Arc::clone(&logs);
            tokio::spawn(async move {
                while let Ok((stream, _)) = listener.accept().await {
                    // A poller that goes away ends its connection: nothing is wrong.
                    tokio::spawn(serve(stream, Arc::clone(&logs), meter, latency));
                }
            });
        }
        println!("{{\"ports\":[{}]}}", ports.join(","));
        std::future::pending::<()>().await;
        Ok(())
    })
}

async fn serve(
    mut stream: TcpStream,
    logs: Logs,
    meter: usize,
    latency: Duration,
) -> std::io::Result<()> {
    let mut words = [0_u16; WORDS];
    for (address, value) in REGISTERS {
        words[address..address + 2].copy_from_slice(&value);
    }
    stream.set_nodelay(true)?;
    loop {
        // Transaction, protocol, length, unit; function, address, count.
        let mut request = [0; 12];
        stream.read_exact(&mut request).await?;
        let word = |at: usize| usize::from(u16::from_be_bytes([request[at], request[at + 1]]));
        let (address, count) = (word(8), word(10));
        if let Some(log) = logs.get(meter) {
            let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
            log.requests += 1;
            // Every poller begins a round with the lowest register.
            if address == 0 {
                log.polls.push_back(Instant::now());
            }
        }
        tokio::time::sleep(latency).await;
        let known = words
            .get(address..address + count)
            .filter(|_| request[7] == 4);
        let body: Vec<u8> = match known {
            Some(words) => {
                let bytes = words.iter().flat_map(|word| word.to_be_bytes());
                let length = u8::try_from(count * 2).unwrap_or(u8::MAX);
                [request[7], length].into_iter().chain(bytes).collect()
            }
            None => vec![request[7] | 0x80, 2],
        };
        let length = u16::try_from(body.len() + 1).unwrap_or(u16::MAX);
        let mut answer = request[..4].to_vec();
        answer.extend(length.to_be_bytes());
        answer.push(request[6]);
        answer.extend(body);
        stream.write_all(&answer).await?;
    }
}

/// The figures of the window that ends now, as JSON. The last poll of each meter stays, since the
/// first of the next window is measured from it.
fn window(logs: &Logs, length: Duration) -> String {
    let (mut polls, mut on_time, mut requests) = (0_u64, 0_u64, 0_u64);
    let mut deviations = Vec::new();
    for log in logs.iter() {
        let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
        requests += std::mem::take(&mut log.requests);
        let times: Vec<Instant> = log.polls.drain(..).collect();
        for pair in times.windows(2) {
            let deviation = (pair[1] - pair[0]).abs_diff(Duration::from_secs(1));
            polls += 1;
            on_time += u64::from(deviation <= LATE);
            deviations.push(deviation);
        }
        log.polls.extend(times.last());
    }
    deviations.sort_unstable();
    let at = |percent: usize| {
        let index = (deviations.len() * percent / 100).min(deviations.len().saturating_sub(1));
        let found = deviations.get(index).copied().unwrap_or_default();
        found.as_secs_f64() * 1_000.0
    };
    format!(
        "{{\"seconds\":{:.3},\"polls\":{polls},\"on_time\":{on_time},\"requests\":{requests},\
         \"deviation_ms_median\":{:.2},\"deviation_ms_p99\":{:.2}}}",
        length.as_secs_f64(),
        at(50),
        at(99)
    )
}
