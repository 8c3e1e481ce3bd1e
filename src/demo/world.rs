//! Stub.
use super::fault::{Fault, What};
use super::platform::Platform;
pub use super::platform::StartError;
use super::scenario::validate::Cast;
use crate::clock::Clock;
use crate::config::SourceFile;
use serde::Deserialize;
use std::collections::BTreeMap;
/// Stub.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Stub.
    Blip,
    /// Stub.
    Iadvize,
}
impl Kind {
    /// Stub.
    pub fn cast(self) -> Cast {
        let components = [
            "portal",
            "core",
            "crm",
            "analytics",
            "artificial-intelligence",
            "cloud-infrastructure",
            "desk",
        ]
        .map(str::to_owned)
        .into();
        Cast { components, time_zone: chrono_tz::America::Sao_Paulo }
    }
}
/// Stub.
#[derive(Debug)]
pub struct World(Platform);
impl World {
    /// Stub.
    pub async fn start(_: Kind, clock: Clock) -> Result<Self, StartError> {
        Ok(Self(Platform::start(clock).await?))
    }
    /// Stub.
    pub fn files(&self) -> Vec<SourceFile> {
        let text = self.0.probe_file().replace("\"1s\"", "\"30s\"").replace("500ms", "2s");
        let text = text.replace("\"6s\"", "\"5m\"").replace("\"10s\"", "\"30m\"");
        vec![SourceFile { name: "blip.toml".to_owned(), text }]
    }
    /// Stub.
    pub fn variables(&self) -> BTreeMap<String, String> {
        BTreeMap::new()
    }
    /// Stub.
    pub async fn set(&mut self, faults: &[Fault]) -> Result<(), StartError> {
        let ahead = faults.iter().any(|it| matches!(it.what, What::Clock { .. }));
        self.0.set_clock(1, if ahead { 365 * 24 * 3600 * 1_000_000 } else { 0 });
        Ok(())
    }
}
