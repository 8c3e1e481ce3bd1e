//! What all scripts of send and expect have in common: what a step captures, and what a later one
//! sends of it. Pure.

use std::borrow::Cow;

use regex::bytes::Regex;

use crate::config::{Piece, Step};
use crate::model::Reason;

/// Most that one step sends, in bytes, if any of it was captured.
const MOST_SAID: usize = 64 * 1024;

/// What step `at` expects, for reading. Of a longer script it is not plain which step is meant.
pub(super) fn named(script: &[Step], at: usize, pattern: &Regex) -> String {
    match script.len() {
        ..3 => pattern.to_string(),
        _ => format!("step {}: {pattern}", at + 1),
    }
}

/// What the steps of a script have captured.
#[derive(Debug)]
pub(super) struct Kept {
    /// For each step: the groups, if a later step sends any of them.
    groups: Vec<Option<Vec<Vec<u8>>>>,
}

impl Kept {
    /// Nothing yet, and place for what `script` will need.
    pub(super) fn of(script: &[Step]) -> Self {
        let mut groups = vec![None; script.len()];
        let pieces = script.iter().filter_map(|step| match step {
            Step::Send(pieces) => Some(pieces),
            Step::SendBytes(_) | Step::Expect(_) | Step::Starttls => None,
        });
        for piece in pieces.flatten() {
            if let Piece::Captured { step, .. } = piece
                && let Some(groups) = groups.get_mut(*step)
            {
                *groups = Some(Vec::new());
            }
        }
        Self { groups }
    }

    /// Looks for `pattern` on behalf of step `at`, and keeps its groups if they are needed.
    pub(super) fn find(&mut self, at: usize, pattern: &Regex, heard: &[u8]) -> Option<(usize, ())> {
        let Some(Some(kept)) = self.groups.get_mut(at) else {
            return Some((pattern.find(heard)?.end(), ()));
        };
        let captures = pattern.captures(heard)?;
        *kept = captures
            .iter()
            .map(|group| group.map_or_else(Vec::new, |group| group.as_bytes().to_vec()))
            .collect();
        Some((captures.get(0)?.end(), ()))
    }

    /// What is to be sent. What a target made us capture must not make us send without end.
    pub(super) fn fill_in<'p>(&self, pieces: &'p [Piece]) -> Result<Cow<'p, [u8]>, Reason> {
        if let [Piece::Bytes(bytes)] = pieces {
            return Ok(Cow::Borrowed(bytes));
        }
        let mut words = Vec::new();
        for piece in pieces {
            match piece {
                Piece::Bytes(bytes) => words.extend_from_slice(bytes),
                Piece::Captured { step, group } => {
                    let groups = self.groups.get(*step).and_then(Option::as_ref);
                    let captured = groups.and_then(|groups| groups.get(*group));
                    let captured = captured.map(Vec::as_slice).unwrap_or_default();
                    if words.len().saturating_add(captured.len()) > MOST_SAID {
                        let detail = String::from("what was captured is too long to be sent");
                        return Err(Reason::MalformedAnswer { detail });
                    }
                    words.extend_from_slice(captured);
                }
            }
        }
        Ok(Cow::Owned(words))
    }
}

#[cfg(test)]
mod tests;
