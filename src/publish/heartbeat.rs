//! The dead man's switch: whoever waits for a heartbeat raises the alarm when it does not come.
//!
//! It is sent with the client that speaks to the status APIs, and not with the measured connection
//! of the checks: nothing is measured, and it must arrive by whatever proxy the environment names.

use std::fmt;
use std::time::Duration;

use url::Url;

use super::{Patience, PublishError, builder, chain, is_local};
use crate::config::Secret;
use crate::veil::{Cover, Known, Veil};

/// How long one call may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many redirects are followed.
const MOST_REDIRECTS: usize = 3;

/// Why a heartbeat did not arrive. The address, which may be all that it takes to forge one, is
/// never told.
#[derive(Debug, thiserror::Error)]
pub enum HeartbeatError {
    /// There was no answer.
    #[error("{detail}")]
    Lost {
        /// What the client said.
        detail: String,
    },
    /// There was another answer than success.
    #[error("status {status}")]
    Refused {
        /// Its status.
        status: u16,
    },
}

/// Sends heartbeats to one address.
pub struct Heart {
    client: reqwest::Client,
    url: Url,
    cover: Cover,
}

impl Heart {
    /// A heart that beats to what `url` says. Nothing is sent yet.
    pub fn new(url: &Secret) -> Result<Self, PublishError> {
        let text = url.reveal().trim();
        let parsed = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        let address = parsed.ok_or(PublishError::HeartbeatUrl)?;
        let path = Secret::new(address.path());
        let cover = Veil::over(&Known::new([url, &path])).draw();
        let client = builder(is_local(&address), Patience::remote(PATIENCE))?
            .redirect(reqwest::redirect::Policy::limited(MOST_REDIRECTS))
            // Another host would read there whence it was called.
            .referer(false);
        Ok(Self { client: client.build()?, url: address, cover })
    }

    /// Beats once. What is answered is not read: that it was with success is all.
    pub async fn beat(&self) -> Result<(), HeartbeatError> {
        let sent = self.client.get(self.url.clone()).send().await;
        let answer =
            sent.map_err(|error| HeartbeatError::Lost { detail: self.cover.hide(&chain(error)) })?;
        match answer.status() {
            status if status.is_success() => Ok(()),
            status => Err(HeartbeatError::Refused { status: status.as_u16() }),
        }
    }
}

/// Without the address.
impl fmt::Debug for Heart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Heart").finish_non_exhaustive()
    }
}
