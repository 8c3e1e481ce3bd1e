//! `[words]`: templates are read and tried on every sample of an incident before anybody relies on
//! them, and what they say is looked through for what no customer should read.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::LazyLock;

use chrono_tz::Tz;
use regex::Regex;

use super::super::mistake::{Mistake, WordingMistake, shorten};
use super::super::plan::Component;
use super::super::problem::Problems;
use super::super::raw::words::RawWords;
use super::super::reader::Field;
use crate::model::{Language, Wording};
use crate::words::sample::{Sample, Stage, every};
use crate::words::{Step, Text, template};

/// How long a template may be, in bytes: with the fuel it bounds what it can come to.
const LONGEST: usize = 8 * 1024;

/// An address, of either family: four numbers, or hexadecimal groups of which some are left out
/// or which are more than a time of day has.
static ADDRESS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let four = r"\b(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)\b";
    let six = r"\b(?:[0-9a-fA-F]{1,4}:){3,}[0-9a-fA-F:]{1,}|\b(?:[0-9a-fA-F]{1,4}:)+:[0-9a-fA-F]+";
    Regex::new(&format!("{four}|{six}")).ok()
});

/// The code of an HTTP answer, called that.
static STATUS: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?i)\b(?:http|status|code|error)[ :/#=-]{0,3}[1-5]\d\d\b").ok());

/// What a text must not say.
struct Forbidden {
    hosts: BTreeSet<String>,
    own: Vec<Regex>,
}

impl Forbidden {
    fn of(raw: &RawWords, components: &[Component]) -> Self {
        let allowed: BTreeSet<String> = match &raw.allowed {
            Field::Given(hosts) => {
                hosts.get_ref().iter().map(|host| host.get_ref().to_lowercase()).collect()
            }
            Field::Absent | Field::Wrong => BTreeSet::new(),
        };
        let checks = components.iter().flat_map(|component| &component.checks);
        let hosts = checks.flat_map(|check| check.kind.hosts()).map(|host| host.to_lowercase());
        let own = match &raw.forbidden {
            Field::Given(patterns) => {
                patterns.get_ref().iter().map(|pattern| pattern.get_ref().0.clone()).collect()
            }
            Field::Absent | Field::Wrong => Vec::new(),
        };
        Self { hosts: hosts.filter(|host| !allowed.contains(host)).collect(), own }
    }

    /// What of it `text` says, and what that is.
    fn said_in(&self, text: &str) -> Option<(String, &'static str)> {
        let by = |pattern: Option<&Regex>, what| {
            let found = pattern.and_then(|pattern| pattern.find(text))?;
            Some((found.as_str().to_owned(), what))
        };
        let lower = text.to_lowercase();
        let host = self.hosts.iter().find(|host| names(&lower, host));
        host.map(|host| (host.clone(), "a host that is checked"))
            .or_else(|| by(ADDRESS.as_ref(), "an address"))
            .or_else(|| by(STATUS.as_ref(), "a status code"))
            .or_else(|| self.own.iter().find_map(|own| by(Some(own), "what `forbidden` has")))
    }
}

/// Whether `text` has `host` in it, and not only as a part of a longer name.
fn names(text: &str, host: &str) -> bool {
    let part = |letter: char| letter.is_alphanumeric() || letter == '-';
    text.match_indices(host).any(|(at, _)| {
        let before = text.get(..at).and_then(|head| head.chars().next_back());
        let after = text.get(at + host.len()..).and_then(|tail| tail.chars().next());
        !before.is_some_and(part) && !after.is_some_and(part)
    })
}

/// The platform's own words, if it has any and nothing is wrong with them:
///
/// 1. Each template is tried on every sample, with the names of the platform's components.
/// 2. What it comes to must say something, be within what status pages take, and name no host that
///    is checked, no address, no status code, and nothing that `forbidden` has.
/// 3. What farol's own words say of the same sample, as a component that is called so, is no
///    fault of the template's.
/// 4. One mistake is told of each template, with the first sample that shows it.
pub(super) fn words(
    raw: Field<RawWords>,
    (language, zone): (Language, Tz),
    components: Option<&[Component]>,
    problems: &mut Problems<'_>,
) -> Option<Wording> {
    let Some(raw) = raw.optional()? else { return Some(Wording::default()) };
    let components = components?;
    let forbidden = Forbidden::of(&raw, components);
    let before = problems.count();
    let mut own = |field: Field<String>, key: &'static str| {
        let text = field.optional_spanned()?;
        let Some(text) = text else { return Some(None) };
        let span = text.span();
        let text = text.into_inner();
        if text.trim().is_empty() || text.len() > LONGEST {
            let trouble = if text.len() > LONGEST { "is too long" } else { "says nothing" };
            let what = trouble.to_owned();
            problems.report(
                span,
                Mistake::OfWords(WordingMistake::Fails { key, what, sample: String::new() }),
            );
            return None;
        }
        Some(Some((text, span)))
    };
    let title = own(raw.title, "title")?;
    let investigating = own(raw.investigating, "investigating")?;
    let monitoring = own(raw.monitoring, "monitoring")?;
    let resolved = own(raw.resolved, "resolved")?;
    let ending = own(raw.ending, "ending")?;
    if let Some((text, span)) = &ending
        && let Some((said, what)) = forbidden.said_in(text)
    {
        report(span, "ending", &said, what, None, problems);
    }
    let places: Vec<(Step, Range<usize>)> = [
        (Step::Title, &title),
        (Step::Investigating, &investigating),
        (Step::Monitoring, &monitoring),
        (Step::Resolved, &resolved),
    ]
    .into_iter()
    .filter_map(|(step, own)| Some((step, own.as_ref()?.1.clone())))
    .collect();
    let text = |own: Option<(String, Range<usize>)>| own.map(|(text, _)| text);
    let wording = Wording {
        title: text(title).map(Into::into),
        investigating: text(investigating).map(Into::into),
        monitoring: text(monitoring).map(Into::into),
        resolved: text(resolved).map(Into::into),
        ending: text(ending).map(|ending| ending.trim().to_owned()),
    };
    let names: Vec<&str> = components.iter().map(|component| component.name.as_str()).collect();
    let samples = every(&Stage { language, zone, names: &names });
    for (step, span) in places {
        try_one(&wording, step, &span, &samples, language, &forbidden, problems);
    }
    (problems.count() == before).then_some(wording)
}

/// Tries the template of one step alone, so that what is wrong is wrong with it.
fn try_one(
    wording: &Wording,
    step: Step,
    span: &Range<usize>,
    samples: &[Sample],
    language: Language,
    forbidden: &Forbidden,
    problems: &mut Problems<'_>,
) {
    let alone = alone(wording, step);
    let part = |text: Text| if step == Step::Title { text.title } else { text.body };
    for sample in samples.iter().filter(|it| step == Step::Title || it.step == step) {
        match sample.try_tell(language, &alone) {
            Err((_, flaw)) => {
                let (key, what) = (step.as_str(), flaw.to_string());
                let sample = sample.about.to_owned();
                problems.report(
                    span.clone(),
                    Mistake::OfWords(WordingMistake::Fails { key, what, sample }),
                );
                return;
            }
            Ok(text) => {
                let farols = forbidden.said_in(&part(sample.tell(language)));
                let found = forbidden.said_in(&part(text)).filter(|it| Some(it) != farols.as_ref());
                if let Some((said, what)) = found {
                    report(span, step.as_str(), &said, what, Some(sample.about), problems);
                    return;
                }
            }
        }
    }
}

fn alone(wording: &Wording, step: Step) -> Wording {
    let own = template(wording, step).cloned();
    match step {
        Step::Title => Wording { title: own, ..Wording::default() },
        Step::Investigating => Wording { investigating: own, ..Wording::default() },
        Step::Monitoring => Wording { monitoring: own, ..Wording::default() },
        Step::Resolved => Wording { resolved: own, ..Wording::default() },
    }
}

fn report(
    span: &Range<usize>,
    key: &'static str,
    said: &str,
    what: &'static str,
    sample: Option<&str>,
    problems: &mut Problems<'_>,
) {
    let said = shorten(said);
    let sample = sample.unwrap_or_default().to_owned();
    problems
        .report(span.clone(), Mistake::OfWords(WordingMistake::Says { key, said, what, sample }));
}

/// The zone and the language as far as they are known: what is wrong with them is told elsewhere.
pub(super) fn given<T: Copy>(field: &Field<T>, default: T) -> T {
    match field {
        Field::Given(value) => *value.get_ref(),
        Field::Absent | Field::Wrong => default,
    }
}

#[cfg(test)]
mod tests {
    use super::{ADDRESS, STATUS, names};

    #[test]
    fn addresses_and_status_codes_are_known_from_times_and_numbers() {
        let is = |pattern: &std::sync::LazyLock<Option<regex::Regex>>, text: &str| {
            pattern.as_ref().unwrap().is_match(text)
        };
        for text in ["at 10.0.0.12.", "2001:db8::1", "fe80:0:0:0:1:2:3:4", "[::ffff:10.0.0.1]"] {
            assert!(is(&ADDRESS, text), "{text}");
        }
        for text in ["10:40 (GMT-03:00)", "at 10:40:12", "version 1.2.3", "since: 12", "3.5 h"] {
            assert!(!is(&ADDRESS, text), "{text}");
        }
        for text in ["HTTP 503", "status code: 404", "Error 500", "http/502"] {
            assert!(is(&STATUS, text), "{text}");
        }
        for text in ["500 customers", "since 404 minutes", "code 4040", "error 12"] {
            assert!(!is(&STATUS, text), "{text}");
        }
    }

    #[test]
    fn a_host_is_not_a_part_of_another_name() {
        assert!(names("see https://desk.example.com/x", "desk.example.com"));
        assert!(names("desk.example.com.", "desk.example.com"));
        assert!(!names("see helpdesk.example.com", "desk.example.com"));
        assert!(!names("desk.example.community", "desk.example.com"));
    }
}
