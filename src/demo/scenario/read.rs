//! From a text to a scenario.

use super::mistake::ScenarioError;
use super::validate::{Cast, validate};
use super::{Scenario, raw};
use crate::demo::world::Kind;

/// Reads a scenario file that is called `name`. `cast` tells which components a platform has, and
/// where it is.
///
/// # Errors
///
/// Every mistake in it.
pub fn read(
    name: &str,
    text: &str,
    cast: impl FnOnce(Kind) -> Cast,
) -> Result<Scenario, ScenarioError> {
    let (file, mut mistakes) = raw::read(text);
    let (scenario, found) = validate(file, cast);
    mistakes.extend(found);
    match scenario {
        Some(scenario) if mistakes.is_empty() => Ok(scenario),
        Some(_) | None => Err(ScenarioError::new(name, text, mistakes)),
    }
}
