//! Finds the check that somebody means.

use crate::config::{Check, Config, nearest};

/// How many checks are listed, at most.
const MOST_LISTED: usize = 10;

/// The check that has the id or the name `wanted`, or what to write instead.
///
/// 1. An id is one check's, so it comes first.
/// 2. Names may be written in small letters. Several checks may have one: then the id must say
///    which.
/// 3. What nobody has is a slip of the nearest, or a part of some.
pub(super) fn find<'c>(config: &'c Config, wanted: &str) -> Result<&'c Check, String> {
    let checks: Vec<&Check> = config.every_check().collect();
    if let Some(check) = checks.iter().find(|check| check.id.as_str() == wanted) {
        return Ok(check);
    }
    let lower = wanted.to_lowercase();
    let mut named = checks.iter().filter(|check| check.name.to_lowercase() == lower);
    match (named.next(), named.next()) {
        (Some(check), None) => return Ok(check),
        (Some(_), Some(_)) => {
            let ids = checks.iter().filter(|check| check.name.to_lowercase() == lower);
            let ids = list(ids.map(|check| check.id.as_str()));
            return Err(format!("several checks are called {wanted:?}; write the id of one:{ids}"));
        }
        (None, _) => {}
    }
    let words = checks.iter().flat_map(|check| [check.id.as_str(), &check.name]);
    if let Some(near) = nearest(wanted, words) {
        return Err(format!("there is no check {wanted:?}; did you mean {near:?}?"));
    }
    let has_it = |check: &&&Check| {
        check.id.as_str().contains(&lower) || check.name.to_lowercase().contains(&lower)
    };
    let mut parts = checks.iter().filter(has_it).peekable();
    let ids = if parts.peek().is_some() {
        list(parts.map(|check| check.id.as_str()))
    } else {
        list(checks.iter().map(|check| check.id.as_str()))
    };
    Err(format!("there is no check {wanted:?}; there are:{ids}"))
}

/// Each in a line of its own, as far as there is room.
fn list<'t>(ids: impl Iterator<Item = &'t str>) -> String {
    let ids: Vec<&str> = ids.collect();
    let shown: String = ids.iter().take(MOST_LISTED).map(|id| format!("\n  {id}")).collect();
    match ids.len().saturating_sub(MOST_LISTED) {
        0 => shown,
        more => format!("{shown}\n  and {more} more"),
    }
}
