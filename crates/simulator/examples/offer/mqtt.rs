//! Numbered messages at QoS 1, many in flight. The protocol is written by hand: a publisher that
//! takes no processor time leaves it to what is measured.

use std::collections::BTreeMap;
use std::io::{BufWriter, Read as _, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::Outcome;

/// Meters that take turns.
const METERS: u64 = 500;
/// Unacknowledged messages; below the number of packet ids.
const IN_FLIGHT_MAX: u64 = 20_000;
/// Between two looks at the clock.
const TICK: Duration = Duration::from_millis(1);
/// A broker that acknowledges nothing for so long is given up.
const SILENCE_MAX: Duration = Duration::from_secs(60);

/// What to publish.
pub(crate) struct Offer {
    pub(crate) port: u16,
    pub(crate) messages: u64,
    pub(crate) rate_per_s: Option<u64>,
    /// The time in message 0; each further message is a millisecond later, so that no two readings
    /// of a meter have the same time.
    pub(crate) start_ms: u64,
}

/// The ten readings of a message. Multiples of a quarter: their sums are exact in floats, so what
/// arrived can be compared with what was sent to the last bit.
fn fields(number: u64) -> [(&'static str, f64); 10] {
    let quarter = |modulus: u64| (number % modulus) as f64 * 0.25;
    [
        ("energy_import", number as f64 * 0.25),
        ("energy_export", (number / 16) as f64),
        ("power", 1_000.0 + quarter(4_096)),
        ("voltage_l1", 220.0 + quarter(64)),
        ("voltage_l2", 221.0 + quarter(60)),
        ("voltage_l3", 222.0 + quarter(56)),
        ("current_l1", 10.0 + quarter(40)),
        ("current_l2", 11.0 + quarter(36)),
        ("current_l3", 12.0 + quarter(32)),
        ("frequency", 50.0 + quarter(2)),
    ]
}

fn message(number: u64, start_ms: u64, sums: &mut BTreeMap<&'static str, f64>) -> Vec<u8> {
    let at = start_ms + number;
    let mut text = format!("{{\"ts\":{at},\"boot\":1,\"seq\":{number}");
    for (name, value) in fields(number) {
        text.push_str(&format!(",\"{name}\":{value}"));
        *sums.entry(name).or_default() += value;
    }
    text.push('}');
    text.into_bytes()
}

fn topic(number: u64) -> String {
    format!("steward/v1/bench/load/m{:03}/telemetry", number % METERS)
}

/// A QoS 1 publication as it stands on the wire.
fn packet(number: u64, payload: &[u8]) -> Outcome<Vec<u8>> {
    let topic = topic(number);
    let id = u16::try_from(number % 65_535 + 1)?;
    let mut rest = topic.len() + 4 + payload.len();
    let mut packet = vec![0x32];
    loop {
        let digit = u8::try_from(rest % 128)?;
        rest /= 128;
        packet.push(if rest > 0 { digit | 0x80 } else { digit });
        if rest == 0 {
            break;
        }
    }
    packet.extend(u16::try_from(topic.len())?.to_be_bytes());
    packet.extend(topic.as_bytes());
    packet.extend(id.to_be_bytes());
    packet.extend(payload);
    Ok(packet)
}

fn connect(port: u16) -> Outcome<TcpStream> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(SILENCE_MAX))?;
    // CONNECT: MQTT 3.1.1, clean session, no keep-alive, the client id `offer`.
    stream.write_all(b"\x10\x11\x00\x04MQTT\x04\x02\x00\x00\x00\x05offer")?;
    let mut answer = [0; 4];
    stream.read_exact(&mut answer)?;
    if answer[0] != 0x20 || answer[3] != 0 {
        return Err(format!("the broker refused: {answer:?}").into());
    }
    Ok(stream)
}

fn now_ms() -> Outcome<u128> {
    Ok(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())
}

/// Publishes everything and prints what was sent, as JSON.
pub(crate) fn run(offer: &Offer) -> Outcome<()> {
    let stream = connect(offer.port)?;
    let acknowledged = AtomicU64::new(0);
    let mut sums = BTreeMap::new();
    let begun = Instant::now();
    println!("{{\"begun_ms\":{}}}", now_ms()?);
    std::thread::scope(|scope| -> Outcome<()> {
        let counted = scope.spawn(|| count(&stream, offer.messages, &acknowledged));
        publish(&stream, offer, &acknowledged, &mut sums)?;
        counted
            .join()
            .map_err(|_| "the reader of acknowledgements panicked")?
            .map_err(|error| format!("waiting for acknowledgements: {error}"))?;
        Ok(())
    })?;
    let sums: Vec<String> = sums
        .iter()
        .map(|(name, sum)| format!("\"{name}\":{sum:?}"))
        .collect();
    println!(
        "{{\"messages\":{},\"acknowledged\":{},\"seconds\":{:.3},\"ended_ms\":{},\"sums\":{{{}}}}}",
        offer.messages,
        acknowledged.load(Ordering::Relaxed),
        begun.elapsed().as_secs_f64(),
        now_ms()?,
        sums.join(",")
    );
    Ok(())
}

fn publish(
    stream: &TcpStream,
    offer: &Offer,
    acknowledged: &AtomicU64,
    sums: &mut BTreeMap<&'static str, f64>,
) -> Outcome<()> {
    let mut writer = BufWriter::with_capacity(1 << 16, stream);
    let begun = Instant::now();
    let mut sent = 0;
    while sent < offer.messages {
        let due = match offer.rate_per_s {
            Some(rate) => u64::try_from(begun.elapsed().as_micros())? * rate / 1_000_000,
            None => offer.messages,
        };
        let room = acknowledged.load(Ordering::Relaxed) + IN_FLIGHT_MAX;
        while sent < due.min(room).min(offer.messages) {
            writer.write_all(&packet(sent, &message(sent, offer.start_ms, sums))?)?;
            sent += 1;
        }
        writer.flush()?;
        std::thread::sleep(TICK);
    }
    Ok(())
}

/// Counts PUBACKs until all are there. Nothing else comes: four bytes each.
fn count(mut stream: &TcpStream, messages: u64, acknowledged: &AtomicU64) -> std::io::Result<()> {
    let mut buffer = vec![0; 1 << 16];
    let mut bytes: u64 = 0;
    while bytes / 4 < messages {
        let read = stream.read(&mut buffer)?;
        if read == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        bytes += read as u64;
        acknowledged.store(bytes / 4, Ordering::Relaxed);
    }
    Ok(())
}
