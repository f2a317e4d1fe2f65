//! Load for the benchmarks: messages for a broker, or meters that answer Modbus TCP.
//!
//! `cargo run --release -p steward-simulator --example offer mqtt PORT MESSAGES RATE START_MS`
//! publishes numbered messages of ten readings at QoS 1, RATE a second (0: as fast as it goes).
//!
//! `cargo run --release -p steward-simulator --example offer modbus METERS LATENCY_MS` listens on a
//! port a meter, says which, and tells for every line on its input how regularly it was asked.
#![allow(clippy::print_stdout)]

mod modbus;
mod mqtt;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Outcome<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let number = |index: usize, name: &str| -> Outcome<u64> {
        let word = words
            .get(index)
            .ok_or_else(|| format!("{name} is missing"))?;
        Ok(word
            .parse()
            .map_err(|_| format!("{name} is no number: {word}"))?)
    };
    match words.first().map(String::as_str) {
        Some("mqtt") => mqtt::run(&mqtt::Offer {
            port: u16::try_from(number(1, "PORT")?)?,
            messages: number(2, "MESSAGES")?,
            rate_per_s: Some(number(3, "RATE")?).filter(|rate| *rate > 0),
            start_ms: number(4, "START_MS")?,
        }),
        Some("modbus") => modbus::run(
            usize::try_from(number(1, "METERS")?)?,
            std::time::Duration::from_millis(number(2, "LATENCY_MS")?),
        ),
        _ => Err("say `mqtt` or `modbus`; see the head of the example".into()),
    }
}
