//! Devices that misbehave on a real socket. Whatever they do, no wrong value is believed.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use steward_config::{RegisterSpec, RegisterType, WordOrder};
use steward_model::{Quantity, UtcMs};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::Clock;
use crate::modbus::link::{Dial as _, TcpDial};
use crate::modbus::meter::{MeterParts, MeterTask, Outcome};

const TRUTH: u16 = 230;
const LIE: u16 = 666;
const UNIT: u8 = 7;

/// What a bad device does with a request; the argument is the request's transaction id.
#[derive(Clone, Copy, Debug)]
enum Trick {
    /// Answers the lie after the caller gave up, and then again before the next answer.
    Late,
    /// Fewer registers than asked for.
    TooFew,
    /// More registers than asked for.
    TooMany,
    /// A byte count that promises more than there is.
    ShortBytes,
    /// Another device's answer.
    WrongUnit,
    /// The answer to another request.
    WrongTransaction,
    /// The answer to another function.
    WrongFunction,
    /// Not Modbus.
    WrongProtocol,
    /// A frame of no length.
    ZeroLength,
    /// A frame that never ends.
    EndlessLength,
    /// One byte at a time, slower than the timeout.
    Slow,
    /// Nothing.
    Silence,
    /// Hangs up.
    HangUp,
    /// An exception.
    Exception(u8),
    /// Text.
    Garbage,
}

const TRICKS: [Trick; 17] = [
    Trick::Late,
    Trick::TooFew,
    Trick::TooMany,
    Trick::ShortBytes,
    Trick::WrongUnit,
    Trick::WrongTransaction,
    Trick::WrongFunction,
    Trick::WrongProtocol,
    Trick::ZeroLength,
    Trick::EndlessLength,
    Trick::Slow,
    Trick::Silence,
    Trick::HangUp,
    Trick::Exception(6),
    Trick::Exception(11),
    Trick::Exception(0x55),
    Trick::Garbage,
];

fn frame(transaction: u16, unit: u8, pdu: &[u8]) -> Vec<u8> {
    let mut frame = transaction.to_be_bytes().to_vec();
    frame.extend([0, 0]);
    frame.extend(u16::try_from(pdu.len() + 1).unwrap().to_be_bytes());
    frame.push(unit);
    frame.extend(pdu);
    frame
}

fn registers(function: u8, values: &[u16]) -> Vec<u8> {
    let mut pdu = vec![function, u8::try_from(values.len() * 2).unwrap()];
    pdu.extend(values.iter().flat_map(|value| value.to_be_bytes()));
    pdu
}

/// Tricks the first request, tells the truth to every later one.
async fn serve(listener: TcpListener, trick: Trick) {
    let asked = Arc::new(AtomicUsize::new(0));
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(connection(stream, trick, Arc::clone(&asked)));
    }
}

async fn connection(mut stream: TcpStream, trick: Trick, asked: Arc<AtomicUsize>) {
    let mut request = [0_u8; 12];
    while stream.read_exact(&mut request).await.is_ok() {
        let transaction = u16::from_be_bytes([request[0], request[1]]);
        let truth = frame(transaction, UNIT, &registers(3, &[TRUTH, TRUTH]));
        if asked.fetch_add(1, Ordering::SeqCst) > 0 {
            stream.write_all(&truth).await.ok();
            continue;
        }
        let lie = registers(3, &[LIE, LIE]);
        let answer = match trick {
            Trick::Late => {
                // Past the timeout; the caller may be gone, or believe this on its next request.
                tokio::time::sleep(TIMEOUT * 2).await;
                frame(transaction, UNIT, &lie)
            }
            Trick::TooFew => frame(transaction, UNIT, &registers(3, &[LIE])),
            Trick::TooMany => frame(transaction, UNIT, &registers(3, &[LIE, LIE, LIE])),
            Trick::ShortBytes => frame(transaction, UNIT, &[3, 4, 2]),
            Trick::WrongUnit => frame(transaction, UNIT + 1, &lie),
            Trick::WrongTransaction => frame(transaction.wrapping_sub(1), UNIT, &lie),
            Trick::WrongFunction => frame(transaction, UNIT, &registers(4, &[LIE, LIE])),
            Trick::WrongProtocol => {
                let mut bytes = frame(transaction, UNIT, &lie);
                bytes[3] = 9;
                bytes
            }
            Trick::ZeroLength => vec![request[0], request[1], 0, 0, 0, 0, UNIT],
            Trick::EndlessLength => {
                let mut bytes = frame(transaction, UNIT, &lie);
                bytes[4] = 0xFF;
                bytes
            }
            Trick::Slow => {
                for byte in frame(transaction, UNIT, &lie) {
                    tokio::time::sleep(TIMEOUT / 4).await;
                    if stream.write_all(&[byte]).await.is_err() {
                        return;
                    }
                }
                continue;
            }
            Trick::Silence => continue,
            Trick::HangUp => return,
            Trick::Exception(code) => frame(transaction, UNIT, &[0x83, code]),
            Trick::Garbage => b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(),
        };
        stream.write_all(&answer).await.ok();
    }
}

const TIMEOUT: Duration = Duration::from_millis(150);

fn meter() -> MeterTask {
    let spec = |quantity, address| RegisterSpec {
        quantity,
        function: 3,
        address,
        kind: RegisterType::U16,
        order: WordOrder::Abcd,
        scale: 1.0,
        offset: 0.0,
        factor: 1.0,
    };
    MeterTask::new(MeterParts {
        id: "m".parse().unwrap(),
        gateway: "g".parse().unwrap(),
        unit: UNIT,
        interval: Duration::from_secs(60),
        zone: super::site::ZONE,
        from: chrono::NaiveDate::MIN,
        to: None,
        specs: vec![spec(Quantity::VoltageL1, 10), spec(Quantity::VoltageL2, 11)],
        probe: None,
        request_cost: 100,
    })
}

#[tokio::test]
async fn no_trick_makes_a_wrong_value() {
    let clock: Clock = Arc::new(|| UtcMs(1_790_000_000_000));
    for trick in TRICKS {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let dial = TcpDial {
            host: "127.0.0.1".into(),
            port: listener.local_addr().unwrap().port(),
            timeout: TIMEOUT,
        };
        let server = tokio::spawn(serve(listener, trick));
        let mut meter = meter();
        let mut link = dial.dial().await.unwrap();
        let mut values = Vec::new();
        let mut first: Option<Outcome> = None;
        for _ in 0..4 {
            let outcome = meter.poll(&mut link, &clock).await;
            values.extend(outcome.readings.iter().map(|r| r.value.get()));
            if outcome.broken {
                // As the bus does: what the old connection may still say is never heard.
                link = dial.dial().await.unwrap();
            }
            first.get_or_insert(outcome);
        }
        let first = first.unwrap();
        assert!(first.readings.is_empty(), "{trick:?}: {first:?}");
        assert_eq!(first.faults.len(), 1, "{trick:?}");
        let answered = matches!(trick, Trick::Exception(_));
        assert_eq!(first.broken, !answered, "{trick:?}: {first:?}");
        assert!(values.iter().all(|v| *v == f64::from(TRUTH)), "{trick:?}");
        assert_eq!(values.len(), 6, "{trick:?}: it recovers at once");
        server.abort();
    }
}
