//! The scenarios that the binary brings along.

use std::collections::BTreeSet;

use chrono_tz::Tz;

use super::validate::Cast;
use super::{Scenario, ScenarioError, read};
use crate::config;
use crate::demo::page::own_id;
use crate::demo::world::Kind;

macro_rules! files {
    ($($id:literal),+ $(,)?) => {
        [$(($id, include_str!(concat!("../../../tests/scenarios/", $id, ".toml")))),+]
    };
}

/// Every scenario file by its id, in the order in which they are listed: those made after
/// the reports of real incidents, then the days on which nothing may be published.
pub const FILES: [(&str, &str); 10] = files![
    "2021-09-15",
    "2021-10-08",
    "2023-02-01",
    "2024-11-14",
    "2024-11-20",
    "healthy",
    "own-network",
    "own-clock",
    "rolling-deploy",
    "planned-maintenance",
];

/// Why a scenario of our own cannot be had: each is a bug, but for a name that there is not.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// There is none that is called so.
    #[error("there is no scenario {0}; `farol demo --list` names them all")]
    Unknown(String),
    /// It is not understood itself.
    #[error("{0}")]
    Scenario(#[from] ScenarioError),
}

/// The ids of all scenarios.
pub fn ids() -> impl Iterator<Item = &'static str> {
    FILES.iter().map(|(id, _)| *id)
}

/// The scenario that is called `id`.
pub fn load(id: &str) -> Result<Scenario, LoadError> {
    let found = FILES.iter().find(|(known, _)| *known == id);
    let (id, text) = found.ok_or_else(|| LoadError::Unknown(id.to_owned()))?;
    Ok(read(&format!("{id}.toml"), text, cast_of)?)
}

/// Every scenario, in the order in which they are listed.
pub fn all() -> Result<Vec<Scenario>, LoadError> {
    ids().map(load).collect()
}

/// What a scenario may name of a platform.
pub fn cast_of(kind: Kind) -> Cast {
    let parsed = config::parse(&[kind.probe_file()]);
    let platform = parsed.ok().and_then(|config| config.platforms.into_iter().next());
    // A probe file that cannot be read shows by a scenario that may name nothing.
    platform.map_or(Cast { components: BTreeSet::new(), time_zone: Tz::UTC }, |platform| Cast {
        components: platform.components.iter().map(|it| own_id(&platform, it)).collect(),
        time_zone: platform.time_zone,
    })
}
