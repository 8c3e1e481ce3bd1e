//! What the public reads. The sentences are templates under `words/`; this file gathers the facts
//! that go into them, and only such as a customer may know: what can be noticed, since when, what
//! is next. Names of checks, addresses and reasons in the operator's words are not among them.

use std::collections::BTreeSet;
use std::sync::LazyLock;
use std::time::Duration;

use minijinja::Environment;
use serde::Serialize;

use super::correlate::Changes;
use super::lifecycle::{Incident, Member, Stage};
use super::status::Trouble;
use super::words;
use crate::model::{Cause, ComponentId, ComponentStatus, Timestamp};

const TITLE: &str = "title.txt";
const INVESTIGATING: &str = "investigating.txt";
const MONITORING: &str = "monitoring.txt";
const RESOLVED: &str = "resolved.txt";

const TEMPLATES: [(&str, &str); 4] = [
    (TITLE, include_str!("words/title.txt")),
    (INVESTIGATING, include_str!("words/investigating.txt")),
    (MONITORING, include_str!("words/monitoring.txt")),
    (RESOLVED, include_str!("words/resolved.txt")),
];

/// How many components a title or a sentence names before it counts the rest.
const MOST_NAMES: usize = 3;

/// How many dependents a title or a sentence names before it counts the rest.
const MOST_DEPENDENTS: usize = 2;

/// How long the names of dependents may be in a title, in characters.
const LONGEST_DEPENDENTS: usize = 90;

/// How many components a text has a line for before it counts the rest.
const MOST_LINES: usize = 25;

/// One step of an incident that is to be told.
pub(super) struct Telling<'a> {
    /// The incident as it is after the step.
    pub(super) incident: &'a Incident,
    /// Why it took the step.
    pub(super) cause: Cause,
    /// The components that are not as they were before it.
    pub(super) changes: &'a Changes,
    /// Now.
    pub(super) at: Timestamp,
    /// How soon something will be told again at the latest.
    pub(super) update_every: Duration,
    /// Whether a monitored incident has been seen to stay well.
    pub(super) stayed_well: bool,
    /// Until when the bad components were last seen to be bad.
    pub(super) heard_at: Option<Timestamp>,
}

/// What the public reads.
#[derive(Debug)]
pub(super) struct Text {
    pub(super) title: String,
    pub(super) body: String,
}

/// What a customer notices of a component.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Symptom {
    /// Nothing.
    Well,
    /// It cannot be used.
    Down,
    /// Some cannot use it.
    DownForSome,
    /// It answers, but nobody should rely on what it says.
    Faulty,
    /// It answers, but some should not rely on what it says.
    FaultyForSome,
    /// It is slow.
    Slow,
    /// It has fewer servers than it should.
    Reduced,
    /// Nobody can log in.
    NoLogin,
    /// Some cannot log in.
    NoLoginForSome,
    /// Logging in takes long.
    SlowLogin,
    /// Logging in is not as it should be.
    ImpairedLogin,
    /// Its dates and times are off.
    WrongTime,
    /// It shows what was, not what is.
    Outdated,
    /// It is not as it should be, in a way that has no simpler name.
    Impaired,
    /// Several components differ.
    Mixed,
}

/// Components in a sentence.
#[derive(Debug, Serialize)]
struct Names {
    list: String,
    several: bool,
}

/// What is wrong with one component.
#[derive(Debug, Serialize)]
struct Line {
    name: String,
    symptom: Symptom,
    /// How many of its servers fail, if that is known: a whole sentence.
    servers: Option<String>,
    /// How many of what stands for different customers, if that is known: a whole sentence.
    tests: Option<String>,
    /// Whether its dates and times may be wrong as well.
    clock: bool,
    /// Whether what it shows may be out of date as well.
    stale: bool,
    /// Whether it is we who are not well, so that what is said of all others may not hold.
    ours: bool,
    /// Whether it was so before.
    still: bool,
}

#[derive(Debug, Serialize)]
struct Title {
    /// What the symptom is told of.
    about: Names,
    symptom: Symptom,
    dependents: Option<Dependents>,
}

/// The components of an incident that depend on one other, which is its root.
#[derive(Debug, Serialize)]
struct Dependents {
    root: String,
    /// Their names, unless they are too long for a title.
    list: Option<String>,
    number: String,
    several: bool,
}

#[derive(Debug, Serialize)]
struct Body {
    cause: Cause,
    /// How many updates had nothing new to say, if this one says that no more follow.
    handed_over: Option<String>,
    all: Names,
    /// The components that the cause is about.
    about: Names,
    affected: Vec<Line>,
    dependents: Option<Dependents>,
    /// How many affected components have no line.
    more: usize,
    /// The components that are well since this step.
    recovered: Names,
    /// Those that were well before.
    well: Names,
    /// The incident before, if its trouble has returned.
    earlier: Option<Earlier>,
    /// Until when the maintenance was planned that the trouble of a newcomer has outlasted.
    maintenance: Option<String>,
    since: String,
    lasted: String,
    /// When the state was last confirmed.
    heard_at: Option<String>,
    /// Whether that was since the last text.
    heard: bool,
    next_update: String,
    watch: Option<Watch>,
    /// Whether all was well for a while before it failed again.
    relapsed: bool,
    /// Whether a clock was wrong at any time.
    clock: bool,
}

/// What is told of the incident before.
#[derive(Debug, Serialize)]
struct Earlier {
    resolved_at: String,
    /// Which of those that belong together this is, in words, once there are more than two.
    number: Option<String>,
    /// When the first of them began.
    since: String,
}

/// What is told of a recovery.
#[derive(Debug, Serialize)]
struct Watch {
    since: String,
    lasted: String,
    period: String,
    quiet: String,
    resolve_at: String,
    /// Whether the quiet period is over, and only the proof is missing that it was quiet.
    overdue: bool,
    /// Whether an update is due before the quiet period is over.
    update_first: bool,
    stayed_well: bool,
}

/// Tells one step of an incident.
pub(super) fn tell(telling: &Telling<'_>) -> Text {
    let body = body(telling);
    let template = match (telling.cause, telling.incident.stage) {
        (Cause::StayedWell, _) => RESOLVED,
        (_, Stage::Monitoring { .. }) => MONITORING,
        (_, Stage::Investigating) => INVESTIGATING,
    };
    Text { title: render(TITLE, &title(telling.incident)), body: render(template, &body) }
}

/// The templates, read once.
static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    environment.set_trim_blocks(true);
    environment.set_lstrip_blocks(true);
    for (name, template) in TEMPLATES {
        // One that cannot be read is missed by `render`, and by the tests.
        let _ = environment.add_template(name, template);
    }
    environment
});

/// The templates are part of the program and every path through them is tested; should one fail
/// all the same, an incident with a plain text is better than none.
fn render(template: &str, facts: &impl Serialize) -> String {
    let text = ENVIRONMENT.get_template(template).and_then(|template| template.render(facts));
    let text = text.unwrap_or_else(|_| "Our monitoring has detected a problem.".to_owned());
    text.trim().to_owned()
}

/// A title names every component of the incident and the worst that it has had, so that it stays
/// the same from the first sight of the incident to the archive unless the incident grows.
fn title(incident: &Incident) -> Title {
    let members = in_order(incident);
    let dependents = dependents(&members);
    let told = if dependents.is_some() { members.split_at(1).0 } else { &members };
    let mut symptoms = told.iter().map(|(_, member)| symptom(member.worst, member.worst_trouble));
    let first = symptoms.next().unwrap_or(Symptom::Impaired);
    let symptom = if symptoms.all(|other| other == first) { first } else { Symptom::Mixed };
    Title { about: names(told.iter().map(|(_, member)| *member)), symptom, dependents }
}

/// Those of the members that depend on the first, if all others do: then it is their root, and its
/// trouble is what there is to tell.
fn dependents(members: &[(&ComponentId, &Member)]) -> Option<Dependents> {
    let ((root, first), others) = members.split_first()?;
    if others.is_empty() || !others.iter().all(|(_, member)| member.depends_on.contains(*root)) {
        return None;
    }
    let names: Vec<String> = others.iter().map(|(_, member)| words::name(&member.name)).collect();
    let list = words::list(&names, MOST_DEPENDENTS);
    Some(Dependents {
        root: words::name(&first.name),
        list: (list.chars().count() <= LONGEST_DEPENDENTS).then_some(list),
        number: words::numeral(names.len()),
        several: names.len() > 1,
    })
}

fn body(telling: &Telling<'_>) -> Body {
    let incident = telling.incident;
    let zone = incident.voice.time_zone;
    let members = in_order(incident);
    let (bad, well): (Vec<_>, Vec<_>) = members.iter().partition(|(_, m)| m.status.is_bad());
    let (recovered, well): (Vec<_>, Vec<_>) =
        well.into_iter().partition(|(id, _)| telling.changes.contains_key(*id));
    let about = members.iter().filter(|(id, member)| is_about(telling, id, member));
    let line = |(id, member): &(&ComponentId, &Member)| {
        let symptom = symptom(member.status, member.trouble);
        Line {
            name: words::name(&member.name),
            symptom,
            servers: member
                .servers
                .map(|servers| words::of_servers(servers.failing, servers.total)),
            tests: member.variants.map(|tests| words::of_tests(tests.failing, tests.total)),
            clock: member.trouble.clock && symptom != Symptom::WrongTime,
            stale: member.trouble.stale && symptom != Symptom::Outdated,
            ours: member.trouble.ours,
            still: telling.cause != Cause::ComponentFailed && !telling.changes.contains_key(*id),
        }
    };
    // But for its end it is an update as those before it.
    let handed_over = telling.cause == Cause::HandedOver;
    Body {
        cause: if handed_over { Cause::UpdateDue } else { telling.cause },
        handed_over: handed_over.then(|| words::updates(incident.unattended)),
        all: names(members.iter().map(|(_, member)| *member)),
        about: names(about.map(|(_, member)| *member)),
        affected: bad.iter().take(MOST_LINES).map(line).collect(),
        dependents: dependents(&members),
        more: bad.len().saturating_sub(MOST_LINES),
        recovered: names(recovered.iter().map(|(_, member)| *member)),
        well: names(well.iter().map(|(_, member)| *member)),
        maintenance: members
            .iter()
            .filter(|(_, member)| member.joined_at == telling.at)
            .filter_map(|(_, member)| member.outlasts)
            .max()
            .map(|until| words::moment(until, zone)),
        earlier: incident.follows.as_ref().map(|follows| Earlier {
            resolved_at: words::moment(follows.resolved_at, zone),
            number: (follows.number > 2).then(|| words::ordinal(follows.number)),
            since: words::moment(follows.since, zone),
        }),
        since: words::moment(incident.started_at, zone),
        lasted: words::lasted(incident.started_at, telling.at),
        heard_at: telling.heard_at.map(|at| words::time(at, zone)),
        heard: telling.heard_at.is_some_and(|at| at > incident.said_at),
        next_update: words::exactly(telling.update_every),
        watch: watch(telling),
        relapsed: incident.relapsed,
        clock: members.iter().any(|(_, member)| member.worst_trouble.clock),
    }
}

/// Whether `component` is one of those that the cause of a step speaks of.
fn is_about(telling: &Telling<'_>, component: &ComponentId, member: &Member) -> bool {
    let Some((from, to)) = telling.changes.get(component) else { return false };
    match telling.cause {
        Cause::ComponentJoined => member.joined_at == telling.at,
        Cause::ComponentFailed | Cause::GotWorse => to > from,
        Cause::FailedAgain => to > from && member.joined_at != telling.at,
        // The recovered have a sentence of their own.
        Cause::GotBetter => to < from && to.is_bad(),
        Cause::AllRecovered | Cause::UpdateDue | Cause::HandedOver | Cause::StayedWell => true,
    }
}

fn watch(telling: &Telling<'_>) -> Option<Watch> {
    let Stage::Monitoring { since, resolve_at } = telling.incident.stage else { return None };
    let zone = telling.incident.voice.time_zone;
    Some(Watch {
        since: words::moment(since, zone),
        lasted: words::lasted(telling.incident.started_at, since),
        period: words::period(telling.incident.started_at, since, zone),
        quiet: words::exactly(resolve_at.since(since)),
        resolve_at: words::time(resolve_at, zone),
        overdue: resolve_at <= telling.at,
        update_first: telling.at + telling.update_every < resolve_at,
        stayed_well: telling.stayed_well,
    })
}

/// What a customer notices:
///
/// 1. A clock that is wrong, or data that is out of date, makes answers unreliable; that nothing
///    answers is not known from it.
/// 2. "Slow" is said only of what is only slow.
/// 3. That servers are missing is said only of what has no other trouble.
/// 4. Logging in is spoken of if nothing else is known not to work.
fn symptom(status: ComponentStatus, trouble: Trouble) -> Symptom {
    let Trouble { slow, clock, fewer, stale, slow_login, login, ours, other } = trouble;
    let other = other || ours;
    let data = clock || stale;
    let only_data = data && !slow && !slow_login && !login && !other;
    let only_slow = (slow || slow_login) && !data && !login && !other;
    let only_fewer = fewer && !slow && !slow_login && !data && !login && !other;
    let only_login = login && !slow && !other;
    match status {
        ComponentStatus::Operational | ComponentStatus::UnderMaintenance => Symptom::Well,
        ComponentStatus::MajorOutage if only_data => Symptom::Faulty,
        ComponentStatus::MajorOutage if only_login => Symptom::NoLogin,
        ComponentStatus::MajorOutage => Symptom::Down,
        ComponentStatus::PartialOutage if only_data => Symptom::FaultyForSome,
        ComponentStatus::PartialOutage if only_login => Symptom::NoLoginForSome,
        ComponentStatus::PartialOutage => Symptom::DownForSome,
        ComponentStatus::DegradedPerformance if only_data && clock => Symptom::WrongTime,
        ComponentStatus::DegradedPerformance if only_data => Symptom::Outdated,
        ComponentStatus::DegradedPerformance if only_slow && !slow => Symptom::SlowLogin,
        ComponentStatus::DegradedPerformance if only_slow => Symptom::Slow,
        ComponentStatus::DegradedPerformance if only_fewer => Symptom::Reduced,
        ComponentStatus::DegradedPerformance if only_login => Symptom::ImpairedLogin,
        ComponentStatus::DegradedPerformance => Symptom::Impaired,
    }
}

/// The members in the order in which they are named:
///
/// 1. What others depend on comes first, and what depends on others comes last.
/// 2. Apart from that, what joined first comes first.
fn in_order(incident: &Incident) -> Vec<(&ComponentId, &Member)> {
    let needed: BTreeSet<&ComponentId> =
        incident.members.values().flat_map(|member| &member.depends_on).collect();
    let rank = |id: &ComponentId, member: &Member| {
        let needs = member.depends_on.iter().filter(|id| incident.members.contains_key(*id));
        (needs.count(), !needed.contains(id))
    };
    let mut members: Vec<_> = incident.members.iter().collect();
    members.sort_by_key(|(id, member)| (rank(id, member), member.joined_at));
    members
}

fn names<'a>(members: impl Iterator<Item = &'a Member>) -> Names {
    let names: Vec<String> = members.map(|member| words::name(&member.name)).collect();
    Names { list: words::list(&names, MOST_NAMES), several: names.len() > 1 }
}
