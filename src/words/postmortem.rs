//! The draft of a postmortem: what is known of an incident that is over, in Markdown, for people to
//! go on from. It may stand at a status page before anybody has read it, so it says no more than
//! the public may read.

use std::sync::LazyLock;

use chrono::Offset;
use chrono_tz::Tz;
use minijinja::Environment;
use serde::Serialize;

use super::Tongue;
use crate::model::{Account, Affected, Doubt, Happening, Language, Timestamp};

/// A draft of the postmortem of the incident that `account` is of, which the page showed from
/// `published_at` on, as far as that is known.
pub fn postmortem(account: &Account, published_at: Option<Timestamp>) -> String {
    let text = ENVIRONMENT
        .get_template(account.language.as_str())
        .and_then(|template| template.render(Facts::of(account, published_at)));
    // The templates are part of the program and tested; a plain one is better than none.
    let mut text = text.unwrap_or_else(|_| format!("# {}", marked(&account.title)));
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

/// The templates, read once.
static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    environment.set_trim_blocks(true);
    environment.set_lstrip_blocks(true);
    for language in Language::ALL {
        // One that cannot be read is missed by the tests.
        let _ = environment.add_template(language.as_str(), source(language));
    }
    environment
});

fn source(language: Language) -> &'static str {
    match language {
        Language::English => include_str!("en/postmortem.md"),
        Language::Portuguese => include_str!("pt/postmortem.md"),
        Language::Spanish => include_str!("es/postmortem.md"),
        Language::French => include_str!("fr/postmortem.md"),
    }
}

/// What goes into the template. Times are to the second and alike in every language, since this is
/// read beside logs.
#[derive(Serialize)]
struct Facts<'a> {
    title: String,
    impact: &'a str,
    zone: String,
    began: String,
    noticed: After,
    published: Option<After>,
    recovered: Option<After>,
    resolved: After,
    /// How long the trouble lasted, or the incident if nobody saw it end.
    lasted: String,
    timeline: Vec<Line<'a>>,
    left_out: u32,
    components: Vec<Component<'a>>,
    doubts: Vec<Doubt>,
}

/// A time, and how long after what came before it that was.
#[derive(Serialize)]
struct After {
    at: String,
    after: String,
}

#[derive(Serialize)]
struct Line<'a> {
    at: String,
    /// The sentence that the cause asks for.
    cause: &'a str,
    status: &'a str,
    /// What customers noticed of those that are bad.
    bad: Vec<String>,
    /// The names of those that are well.
    well: Vec<String>,
    /// A person's words, line by line.
    words: Vec<String>,
}

#[derive(Serialize)]
struct Component<'a> {
    name: String,
    worst: &'a str,
    seen: String,
    since: String,
    recovered: Option<After>,
    failing: u32,
    checks: u32,
}

impl<'a> Facts<'a> {
    fn of(account: &'a Account, published_at: Option<Timestamp>) -> Self {
        let zone = account.time_zone;
        let tongue = Tongue::of(account.language);
        let after = |at: Timestamp, before: Timestamp| After {
            at: stamp(at, zone),
            after: tongue.lasted(before, at),
        };
        let (began, opened) = (account.started_at, account.opened_at);
        Self {
            title: marked(&account.title),
            impact: account.impact.as_str(),
            zone: named(began, zone),
            began: stamp(began, zone),
            noticed: after(opened, began),
            published: published_at.map(|at| after(at, opened)),
            recovered: account.recovered_at.map(|at| after(at, began)),
            resolved: after(account.resolved_at, account.recovered_at.unwrap_or(opened)),
            lasted: tongue.lasted(began, account.recovered_at.unwrap_or(account.resolved_at)),
            timeline: account.timeline.iter().map(|one| Line::of(one, zone)).collect(),
            left_out: account.left_out,
            components: in_order(account).map(|one| Component::of(one, tongue, zone)).collect(),
            doubts: account.doubts.iter().copied().collect(),
        }
    }
}

/// The components in the order in which their trouble began.
fn in_order(account: &Account) -> impl Iterator<Item = &Affected> {
    let mut all: Vec<&Affected> = account.components.values().collect();
    all.sort_by_key(|one| one.since);
    all.into_iter()
}

impl<'a> Line<'a> {
    fn of(happening: &'a Happening, zone: Tz) -> Self {
        let (bad, well): (Vec<_>, Vec<_>) =
            happening.changes.iter().partition(|change| change.to.is_bad());
        Self {
            at: stamp(happening.at, zone),
            cause: happening.cause.as_str(),
            status: happening.status.as_str(),
            bad: bad.iter().map(|change| marked(&change.seen)).collect(),
            well: well.iter().map(|change| marked(&change.name)).collect(),
            words: happening.words.iter().flat_map(|text| text.lines()).map(marked).collect(),
        }
    }
}

impl<'a> Component<'a> {
    fn of(affected: &'a Affected, tongue: &Tongue, zone: Tz) -> Self {
        let recovered = affected
            .recovered_at
            .map(|at| After { at: stamp(at, zone), after: tongue.lasted(affected.since, at) });
        Self {
            name: marked(&affected.name),
            worst: affected.worst.as_str(),
            seen: marked(&affected.seen),
            since: stamp(affected.since, zone),
            recovered,
            failing: affected.failing,
            checks: affected.checks,
        }
    }
}

/// `2021-09-15 10:40:20`
fn stamp(at: Timestamp, zone: Tz) -> String {
    at.to_utc().with_timezone(&zone).format("%Y-%m-%d %H:%M:%S").to_string()
}

/// `America/Sao_Paulo (GMT-03:00)`
fn named(at: Timestamp, zone: Tz) -> String {
    let minutes = at.to_utc().with_timezone(&zone).offset().fix().local_minus_utc() / 60;
    if minutes == 0 {
        return zone.name().to_owned();
    }
    let sign = if minutes < 0 { '-' } else { '+' };
    let (hours, rest) = (minutes.abs() / 60, minutes.abs() % 60);
    format!("{} (GMT{sign}{hours:02}:{rest:02})", zone.name())
}

/// The text as Markdown that shows it as it is.
fn marked(text: &str) -> String {
    let mut marked = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#' | '|' | '!' | '~') {
            marked.push('\\');
        }
        marked.push(c);
    }
    marked
}

#[cfg(test)]
mod tests;
