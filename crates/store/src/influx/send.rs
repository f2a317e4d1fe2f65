//! One attempt: what no longer exists is deleted, then the lines are written.

use super::batch::Parcel;
use super::client::InfluxClient;
use super::judge::{Answer, Verdict, judge};

pub(crate) fn no_answer(text: String) -> Answer {
    Answer {
        status: None,
        retry_after: None,
        text,
    }
}

/// Deletes what no longer exists, then writes some of the lines.
pub(crate) async fn send(client: InfluxClient, parcel: Parcel) -> Answer {
    for erase in &parcel.erase {
        let answer = client
            .delete(&parcel.bucket, &erase.predicate, erase.seconds)
            .await;
        match judge(&answer) {
            Verdict::Stored => {}
            // A delete has no lines to be halved; a person has to know.
            Verdict::Halve { reason, .. } => {
                return Answer {
                    status: Some(405),
                    retry_after: None,
                    text: format!("a delete was refused: {reason}"),
                };
            }
            Verdict::Wait { .. } | Verdict::Misconfigured(_) => return answer,
        }
    }
    match parcel.gzipped {
        Some(gzipped) => {
            client
                .write(&parcel.bucket, parcel.precision, gzipped)
                .await
        }
        None => Answer {
            status: Some(204),
            retry_after: None,
            text: String::new(),
        },
    }
}
