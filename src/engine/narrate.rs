//! What the public is told. The sentences are in the room `words`; this file gathers the facts that
//! go into them, and only such as a customer may know: what can be noticed, since when, what is
//! next. Names of checks, addresses and reasons in the operator's words are not among them.

use std::collections::BTreeSet;
use std::time::Duration;

use super::correlate::Changes;
use super::lifecycle::{Incident, Member, Stage};
use super::news::{self, News, Shift};
use super::status::Trouble;
use crate::model::{Cause, ComponentId, ComponentStatus, Timestamp};
use crate::words::{
    self, Body, Dependents, Earlier, Line, Names, Outlasted, Step, Symptom, Text, Title, Tongue,
    Voice, Watch,
};

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
    /// What is new.
    pub(super) news: &'a News,
    /// The components that are not as they were before it.
    pub(super) changes: &'a Changes,
    /// Now.
    pub(super) at: Timestamp,
    /// How soon something will be told again at the latest.
    pub(super) update_every: Duration,
    /// Whether a monitored incident has been seen to stay well.
    pub(super) stayed_well: bool,
    /// The names of the components that are in maintenance meanwhile.
    pub(super) worked_on: Vec<String>,
    /// Until when the bad components were last seen to be bad.
    pub(super) heard_at: Option<Timestamp>,
}

/// Tells one step of an incident.
pub(super) fn tell(telling: &Telling<'_>) -> Text {
    let language = telling.incident.voice.language;
    let step = match (telling.cause, telling.incident.stage) {
        (Cause::StayedWell | Cause::OperatorResolved, _) => Step::Resolved,
        (_, Stage::Monitoring { .. }) => Step::Monitoring,
        (_, Stage::Investigating) => Step::Investigating,
    };
    let tongue = Tongue::of(language);
    let (incident, voice) = (telling.incident, voice(telling.incident));
    let title = title(incident, tongue);
    words::tell(voice, step, incident.impact(), &title, &body(telling, tongue))
}

fn voice(incident: &Incident) -> Voice<'_> {
    Voice { language: incident.voice.language, own: &incident.voice.words }
}

/// A title names every component of the incident and the worst that it has had, so that it stays
/// the same from the first sight of the incident to the archive unless the incident grows.
fn title(incident: &Incident, tongue: &Tongue) -> Title {
    let members = in_order(incident);
    let dependents = dependents(tongue, &members);
    let told = if dependents.is_some() { members.split_at(1).0 } else { &members };
    let mut symptoms = told.iter().map(|(_, member)| symptom(member.worst, member.worst_trouble));
    let first = symptoms.next().unwrap_or(Symptom::Impaired);
    let symptom = if symptoms.all(|other| other == first) { first } else { Symptom::Mixed };
    Title { about: names(tongue, told.iter().map(|(_, member)| *member)), symptom, dependents }
}

/// Those of the members that depend on the first, if all others do: then it is their root, and its
/// trouble is what there is to tell.
fn dependents(tongue: &Tongue, members: &[(&ComponentId, &Member)]) -> Option<Dependents> {
    let ((root, first), others) = members.split_first()?;
    if others.is_empty() || !others.iter().all(|(_, member)| member.depends_on.contains(*root)) {
        return None;
    }
    let names: Vec<String> = others.iter().map(|(_, member)| tongue.name(&member.name)).collect();
    let list = tongue.list(&names, MOST_DEPENDENTS);
    Some(Dependents {
        root: tongue.name(&first.name),
        list: (list.chars().count() <= LONGEST_DEPENDENTS).then_some(list),
        number: tongue.numeral(names.len()),
        several: names.len() > 1,
    })
}

/// The title of `incident`.
pub(super) fn titled(incident: &Incident) -> String {
    let title = title(incident, Tongue::of(incident.voice.language));
    words::titled(voice(incident), incident.impact(), &title)
}

/// What a customer notices of one component of `incident`: a sentence without its full stop.
pub(super) fn seen(
    incident: &Incident,
    name: &str,
    status: ComponentStatus,
    trouble: Trouble,
) -> String {
    let language = incident.voice.language;
    let about = Names::of(Tongue::of(language), std::iter::once(name));
    words::title(language, &Title { about, symptom: symptom(status, trouble), dependents: None })
}

fn body(telling: &Telling<'_>, tongue: &Tongue) -> Body {
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
            name: tongue.name(&member.name),
            symptom,
            servers: member
                .servers
                .map(|servers| tongue.of_servers(servers.failing, servers.total)),
            unstable: member.unstable_since.map(|since| tongue.moment(since, zone)),
            tests: member.variants.map(|tests| tongue.of_tests(tests.failing, tests.total)),
            clock: member.trouble.clock && symptom != Symptom::WrongTime,
            stale: member.trouble.stale && symptom != Symptom::Outdated,
            ours: member.trouble.ours,
            still: telling.cause != Cause::ComponentFailed
                && telling.changes.get(*id).is_none_or(|(from, to)| from == to),
        }
    };
    // But for its end it is an update as those before it.
    let handed_over = telling.cause == Cause::HandedOver;
    Body {
        cause: if handed_over { Cause::UpdateDue } else { telling.cause },
        handed_over: handed_over.then(|| tongue.updates(incident.unattended)),
        all: names(tongue, members.iter().map(|(_, member)| *member)),
        about: names(tongue, about.map(|(_, member)| *member)),
        affected: bad.iter().take(MOST_LINES).map(line).collect(),
        dependents: dependents(tongue, &members),
        more: bad.len().saturating_sub(MOST_LINES),
        recovered: names(tongue, recovered.iter().map(|(_, member)| *member)),
        well: names(tongue, well.iter().map(|(_, member)| *member)),
        maintenance: members
            .iter()
            .filter(|(id, _)| telling.news.has_joined(id))
            .filter_map(|(_, member)| Some((member.outlasts?, member.early)))
            .max()
            .map(|(until, early)| Outlasted { until: tongue.moment(until, zone), early }),
        // Said once, as it opens: whoever knows of the work takes the trouble for its doing.
        beyond: if telling.cause == Cause::ComponentFailed {
            Names::of(tongue, telling.worked_on.iter().map(String::as_str))
        } else {
            Names::default()
        },
        earlier: earlier(telling, tongue),
        since: tongue.moment(incident.started_at, zone),
        lasted: tongue.lasted(incident.started_at, telling.at),
        heard_at: telling.heard_at.map(|at| tongue.time(at, zone)),
        heard: telling.heard_at.is_some_and(|at| at > incident.said_at),
        next_update: tongue.exactly(telling.update_every),
        watch: watch(telling, tongue),
        relapsed: incident.relapsed,
        clock: members.iter().any(|(_, member)| member.worst_trouble.clock),
    }
}

/// The trouble that has returned: said once, as the incident opens, or as the component joins with
/// which it has returned.
fn earlier(telling: &Telling<'_>, tongue: &Tongue) -> Option<Earlier> {
    let incident = telling.incident;
    let follows = incident.follows.as_ref().filter(|_| incident.returns)?;
    let zone = incident.voice.time_zone;
    Some(Earlier {
        resolved_at: tongue.moment(follows.resolved_at, zone),
        number: (follows.number > 2).then(|| tongue.ordinal(follows.number)),
        since: tongue.moment(follows.since, zone),
    })
}

/// Whether `component` is one of those that the cause of a step speaks of.
fn is_about(telling: &Telling<'_>, component: &ComponentId, member: &Member) -> bool {
    let Some((from, to)) = telling.changes.get(component) else { return false };
    match telling.cause {
        Cause::ComponentJoined => to.is_bad() && telling.news.has_joined(component),
        Cause::GotWorse => to > from || news::shift(member) == Some(Shift::More),
        Cause::ComponentFailed => to > from,
        Cause::FailedAgain => to > from && !telling.news.has_joined(component),
        // The recovered have a sentence of their own.
        Cause::GotBetter => to < from && to.is_bad() || news::shift(member) == Some(Shift::Fewer),
        Cause::AllRecovered
        | Cause::UpdateDue
        | Cause::HandedOver
        | Cause::StayedWell
        | Cause::OperatorNoted
        | Cause::OperatorResolved => true,
    }
}

fn watch(telling: &Telling<'_>, tongue: &Tongue) -> Option<Watch> {
    let Stage::Monitoring { since, resolve_at } = telling.incident.stage else { return None };
    let zone = telling.incident.voice.time_zone;
    Some(Watch {
        since: tongue.moment(since, zone),
        lasted: tongue.lasted(telling.incident.started_at, since),
        period: tongue.period(telling.incident.started_at, since, zone),
        quiet: tongue.exactly(resolve_at.since(since)),
        resolve_at: tongue.time(resolve_at, zone),
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
/// 5. What somebody got into does answer. That it cannot be used is said only where something else
///    says so: it does not work as it should.
fn symptom(status: ComponentStatus, trouble: Trouble) -> Symptom {
    let Trouble { slow, clock, fewer, stale, slow_login, login, inside, ours, other } = trouble;
    let faulty = inside && !other && !ours;
    let other = other || ours || inside;
    let data = clock || stale;
    let only_data = data && !slow && !slow_login && !login && !other;
    let only_slow = (slow || slow_login) && !data && !login && !other;
    let only_fewer = fewer && !slow && !slow_login && !data && !login && !other;
    let only_login = login && !slow && !other;
    match status {
        ComponentStatus::Operational | ComponentStatus::UnderMaintenance => Symptom::Well,
        ComponentStatus::MajorOutage if only_data || faulty => Symptom::Faulty,
        ComponentStatus::MajorOutage if only_login => Symptom::NoLogin,
        ComponentStatus::MajorOutage => Symptom::Down,
        ComponentStatus::PartialOutage if only_data || faulty => Symptom::FaultyForSome,
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

fn names<'a>(tongue: &Tongue, members: impl Iterator<Item = &'a Member>) -> Names {
    Names::of(tongue, members.map(|member| member.name.as_str()))
}
