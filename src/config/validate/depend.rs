//! `depends_on`: that every id is a component's, and that no component comes to depend on itself.

use std::collections::{BTreeMap, BTreeSet};

use toml::Spanned;

use super::super::mistake::{Mistake, list, shorten};
use super::super::problem::Problems;
use super::super::reader::Field;
use super::super::setting::id::Id;
use super::super::suggest::nearest;
use crate::model::{ComponentId, PlatformId};

/// What the components of one file say of each other.
#[derive(Default)]
pub(super) struct Depends {
    /// What each component says that it depends on, in the order of the file.
    said: BTreeMap<String, Vec<Spanned<String>>>,
    /// Some component has no good id, so that an unknown one may be its.
    vague: bool,
}

/// The components that one component depends on; `None` if what the file says is wrong.
pub(super) fn ids(
    platform: &PlatformId,
    raw: Field<Vec<Spanned<Id>>>,
) -> Option<BTreeSet<ComponentId>> {
    let ids = raw.optional()?.unwrap_or_default().into_iter();
    Some(ids.map(|id| ComponentId::of(platform, &id.into_inner().0)).collect())
}

impl Depends {
    /// Takes in what `component` says.
    pub(super) fn note(&mut self, component: Option<&str>, raw: &Field<Vec<Spanned<Id>>>) {
        let Some(component) = component else {
            self.vague = true;
            return;
        };
        let said = match raw {
            Field::Given(ids) => ids.get_ref().as_slice(),
            Field::Absent | Field::Wrong => &[],
        };
        let said = said.iter().map(|id| Spanned::new(id.span(), id.get_ref().0.clone()));
        self.said.insert(component.to_owned(), said.collect());
    }

    /// Reports what is wrong, once all components are known.
    pub(super) fn validate(&self, problems: &mut Problems<'_>) {
        for wanted in self.said.values() {
            self.known(wanted, problems);
            repeated(wanted, problems);
        }
        let mut reported = BTreeSet::new();
        for (component, wanted) in &self.said {
            for first in wanted {
                let Some(back) = self.way(first.get_ref(), component) else { continue };
                // The same circle is found from each of its components.
                let members: BTreeSet<&str> = back.iter().copied().collect();
                if reported.insert(members) {
                    let circle: Vec<&str> =
                        std::iter::once(component.as_str()).chain(back).collect();
                    let mistake = Mistake::DependencyCycle { cycle: circle.join(" -> ") };
                    problems.report(first.span(), mistake);
                }
            }
        }
    }

    fn known(&self, wanted: &[Spanned<String>], problems: &mut Problems<'_>) {
        for id in wanted.iter().filter(|id| !self.vague && !self.said.contains_key(id.get_ref())) {
            let all: Vec<&str> = self.said.keys().map(String::as_str).collect();
            let mistake = unknown_component(id.get_ref(), &all);
            problems.report(id.span(), mistake);
        }
    }

    /// The shortest way from `from` to `to` along what depends on what, with both ends.
    fn way<'a>(&'a self, from: &'a str, to: &str) -> Option<Vec<&'a str>> {
        let mut seen = BTreeSet::from([from]);
        let mut ways = vec![vec![from]];
        while !ways.is_empty() {
            let mut longer = Vec::new();
            for way in ways {
                let last = *way.last()?;
                if last == to {
                    return Some(way);
                }
                for next in self.said.get(last).into_iter().flatten() {
                    if seen.insert(next.get_ref()) {
                        longer.push([way.as_slice(), &[next.get_ref().as_str()]].concat());
                    }
                }
            }
            ways = longer;
        }
        None
    }
}

fn repeated(wanted: &[Spanned<String>], problems: &mut Problems<'_>) {
    let mut seen = BTreeSet::new();
    for id in wanted {
        if !seen.insert(id.get_ref()) {
            let value = id.get_ref().clone();
            problems.report(id.span(), Mistake::DuplicateValue { value });
        }
    }
}

/// That `got` is none of the components, which are `known`.
pub(super) fn unknown_component(got: &str, known: &[&str]) -> Mistake {
    let help = match nearest(got, known.iter().copied()) {
        Some(near) => format!("did you mean \"{near}\"?"),
        None => format!("the components of this file are {}", list(known)),
    };
    Mistake::UnknownComponent { got: shorten(got), help }
}
