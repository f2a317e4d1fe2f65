//! Ports of loopback that belong to one test.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};

/// Below the range from which the kernel takes ports for outgoing connections (32768 and up on
/// Linux): a stopped server's port would otherwise be taken by a client that looks for it.
const FIRST: u16 = 20_000;
const COUNT: u16 = 12_000;

/// A port that nobody else of the bench uses until this is dropped, whether a server listens or not.
#[derive(Debug)]
pub struct Port {
    number: u16,
    /// Locked for as long as the port is ours, against the bench in other processes.
    _reservation: File,
}

impl Port {
    /// Reserves a port on which nothing listens.
    pub fn reserve() -> Self {
        static NEXT: AtomicU16 = AtomicU16::new(0);
        let folder = std::env::temp_dir().join("carbon-steward-ports");
        std::fs::create_dir_all(&folder).unwrap();
        // Processes begin at different places, so that they seldom meet.
        let begin = u16::try_from(std::process::id() % u32::from(COUNT)).unwrap();
        for _ in 0..COUNT {
            let step = NEXT.fetch_add(1, Ordering::Relaxed) % COUNT;
            let number = FIRST + (begin.wrapping_mul(7) % COUNT + step) % COUNT;
            let reservation = File::create(folder.join(number.to_string())).unwrap();
            let is_free = || TcpListener::bind((Ipv4Addr::LOCALHOST, number)).is_ok();
            if reservation.try_lock().is_ok() && is_free() {
                return Self {
                    number,
                    _reservation: reservation,
                };
            }
        }
        panic!("no port is free between {FIRST} and {}", FIRST + COUNT);
    }

    /// The number.
    pub fn number(&self) -> u16 {
        self.number
    }

    /// The address on loopback.
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.number).into()
    }

    /// Whether something listens.
    pub async fn answers(&self) -> bool {
        tokio::net::TcpStream::connect(self.address()).await.is_ok()
    }
}
