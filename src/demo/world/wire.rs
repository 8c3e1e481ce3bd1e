//! How the web servers speak HTTP, whatever they say: bounded in what a client may send and how long
//! it may take, and with dates that a header can hold.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::TokioTimer;

use crate::model::Timestamp;

const MAX_HEADER_BYTES: usize = 16 * 1024;
const MAX_HEADERS: usize = 64;
const MAX_BODY: usize = 4 * 1024;

/// How long a client may take over its headers, and again over its body.
const PATIENCE: Duration = Duration::from_secs(5);

/// The last second of the year 9999: an HTTP date cannot say more.
const LAST_HTTP_DATE: u64 = 253_402_300_799;

/// How a connection is served.
pub(super) fn server() -> http1::Builder {
    let mut server = http1::Builder::new();
    server
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_HEADER_BYTES);
    server
}

/// A form, unless it is too long, breaks off or does not come.
pub(super) async fn form(body: Incoming) -> Option<Bytes> {
    let form = Limited::new(body, MAX_BODY).collect();
    let form = tokio::time::timeout(PATIENCE, form).await.ok()?.ok()?;
    Some(form.to_bytes())
}

/// The `Date` header of `at`, held within what a header can say.
pub(super) fn http_date(at: Timestamp) -> String {
    let seconds = at.since(Timestamp::EPOCH).as_secs().min(LAST_HTTP_DATE);
    let time: SystemTime = UNIX_EPOCH + Duration::from_secs(seconds);
    httpdate::fmt_http_date(time)
}

#[cfg(test)]
mod tests {
    use super::http_date;
    use crate::model::Timestamp;

    #[test]
    fn a_date_can_be_said_whatever_the_clock_shows() {
        let cases = [
            (i64::MIN, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (-1, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (1_631_713_200_999_999, "Wed, 15 Sep 2021 13:40:00 GMT"),
            (i64::MAX, "Fri, 31 Dec 9999 23:59:59 GMT"),
        ];
        for (micros, date) in cases {
            assert_eq!(http_date(Timestamp::from_micros(micros)), date);
        }
    }
}
