//! What can go wrong with InfluxDB.

/// Why InfluxDB did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum InfluxError {
    /// The URL in the settings cannot be used.
    #[error("`{url}` is no URL of InfluxDB: {reason}")]
    Url {
        /// As written.
        url: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A name in the settings has a form that is not safe in a query.
    #[error(
        "`{0}` is no name of a bucket or organisation that we use: letters, digits, `-`, `_`, `.` \
         and spaces, 64 at most"
    )]
    Name(String),
    /// The HTTP client could not be made or the token has characters that no header can carry.
    #[error("the client of InfluxDB cannot be made: {0}")]
    Client(String),
    /// No answer.
    #[error("InfluxDB does not answer: {0}")]
    Unreachable(String),
    /// An answer that refuses.
    #[error("InfluxDB answers {status}: {text}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// The beginning of its text.
        text: String,
    },
    /// An answer to a query that is not what the query asks for.
    #[error("InfluxDB's answer cannot be read: {0}")]
    Answer(String),
    /// The answer is larger than we hold in memory.
    #[error("InfluxDB's answer exceeds {0} bytes; ask for a shorter range")]
    TooLarge(usize),
    /// Provisioning speaks plain HTTP only.
    #[error(
        "provisioning speaks http only, because the TLS of the crate that does it is out of \
         support: run `steward influx setup` on InfluxDB's own machine with its http URL, or make \
         organisation and buckets with InfluxDB's tools; publishing itself speaks https"
    )]
    SetupNeedsHttp,
}
