//! `farol health`: for a container's health check, which has no other client at hand.

use std::error::Error;
use std::net::SocketAddr;
use std::time::Duration;

use clap::Args;

use super::{Ending, address, print, runtime};

/// Ask a running farol whether it is well: exit code 0 if it is
#[derive(Debug, Args)]
pub(super) struct Health {
    /// Where it serves
    #[arg(long, default_value = "127.0.0.1:9321", env = "FAROL_LISTEN", value_name = "ADDRESS",
          value_parser = address)]
    listen: SocketAddr,
}

impl Health {
    pub(super) fn run(self) -> Ending {
        let runtime = match runtime() {
            Ok(runtime) => runtime,
            Err(ending) => return ending,
        };
        match runtime.block_on(ask(self.listen)) {
            Ok(()) => Ending::Well,
            Err(error) => {
                print::error(&error);
                Ending::Failed
            }
        }
    }
}

async fn ask(listen: SocketAddr) -> Result<(), String> {
    let url = crate::app::own_url(listen, "/healthz").map_err(|error| error.to_string())?;
    let client = reqwest::Client::builder()
        .no_proxy()
        .timeout(Duration::from_secs(4))
        .build()
        .map_err(|error| error.to_string())?;
    let answer = client.get(url).send().await;
    let answer =
        answer.map_err(|error| format!("no farol answers at {listen}: {}", cause(&error)))?;
    if answer.status().is_success() {
        return Ok(());
    }
    Err(format!("not well: {}", answer.text().await.unwrap_or_default().trim()))
}

/// What lies at the bottom of an error: the library's own words say little.
pub(super) fn cause(error: &dyn Error) -> String {
    error.source().map_or_else(|| error.to_string(), cause)
}
