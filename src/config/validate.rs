//! Step two: settings weighed against each other, defaults filled in, ids made unique.

mod check;
mod depend;
mod maintenance;
pub(super) mod prober;
mod publish;
mod threshold;
mod tuning;
mod words;

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use chrono_tz::Tz;
use toml::Spanned;

use super::mistake::{Mistake, shorten};
use super::plan::{Component, Maintenance, NameServer, Platform, Publish};
use super::problem::Problems;
use super::raw::RawFile;
use super::raw::component::{PageId, RawComponent};
use super::raw::platform::RawPlatform;
use super::raw::tuning::RawTuning;
use super::reader::Field;
use super::setting::cadence::Cadence;
use super::setting::count::Whole;
use super::setting::duration::Duration;
use super::setting::id::{Id, slug};
use super::setting::short::ShortOr;
use super::setting::text::Line;
use crate::model::{ComponentId, Language, PlatformId, Publishing, Span, Wording};
use depend::Depends;

/// What holds in every part of a file.
struct Scope {
    platform: PlatformId,
    published_to: Vec<&'static str>,
    resolvers: Arc<[NameServer]>,
    defaults: RawTuning,
}

/// A platform's id and where the file says so: all that other files can collide with.
pub(super) struct Claim {
    pub(super) id: PlatformId,
    pub(super) span: Range<usize>,
}

/// Weighs the settings of one file. The plan is there only if nothing was reported; the claim to
/// an id even so.
pub(super) fn validate(
    raw: RawFile,
    file_name: &str,
    problems: &mut Problems<'_>,
) -> (Option<Claim>, Option<Platform>) {
    let header = raw.platform.as_ref().map(Spanned::span).unwrap_or_default();
    let platform = raw.platform.map(Spanned::into_inner);
    let claim =
        platform.as_ref().and_then(|platform| claim(platform, header.clone(), file_name, problems));
    let published_to = publish::named(&raw.publish);
    let defaults = match raw.defaults {
        Field::Given(defaults) => defaults.into_inner(),
        Field::Absent | Field::Wrong => RawTuning::default(),
    };
    // Once here, so that what is wrong between two defaults is not said again for every check.
    tuning::settle(&defaults, &RawTuning::default(), problems);
    let resolvers = platform.as_ref().map(resolvers).unwrap_or_default();
    // The rest of the file is looked through whether or not the platform has a good id.
    let id = claim.as_ref().map_or_else(|| PlatformId::new("unnamed"), |claim| claim.id.clone());
    let scope = Scope { platform: id, published_to, resolvers, defaults };
    if raw.components.as_ref().is_some_and(Vec::is_empty) {
        problems.report(header, Mistake::EmptyPlatform);
    }
    let components = raw.components.and_then(|components| all(components, &scope, problems));
    let zone = platform.as_ref().map_or(Tz::UTC, |it| words::given(&it.time_zone, Tz::UTC));
    let language = platform
        .as_ref()
        .map_or(Language::English, |it| words::given(&it.language, Language::English));
    let here = (&scope.platform, zone);
    let maintenances = maintenance::all(raw.maintenances, here, components.as_deref(), problems);
    let own = words::words(raw.words, (language, zone), components.as_deref(), problems);
    let publish = publish::publish(raw.publish);
    let told = || Some((own?, publish?));
    let plan = told().and_then(|told| {
        finish(platform?, claim.as_ref()?.id.clone(), told, components?, maintenances?)
    });
    (claim, plan)
}

/// What farol serves beside the platforms' pages, each of which is at `/` and its id.
const SERVED: [&str; 5] = ["api", "healthz", "metrics", "readyz", "v1"];

fn claim(
    platform: &RawPlatform,
    header: Range<usize>,
    file_name: &str,
    problems: &mut Problems<'_>,
) -> Option<Claim> {
    let (id, span) = match &platform.id {
        Field::Given(id) => (id.get_ref().0.clone(), id.span()),
        Field::Wrong => return None,
        Field::Absent => {
            let stem = Path::new(file_name).file_stem().unwrap_or_default().to_string_lossy();
            let Some(id) = slug(&stem) else {
                problems.report(header, Mistake::NoId { name: shorten(&stem) });
                return None;
            };
            (id, header)
        }
    };
    let use_of_it = if SERVED.contains(&id.as_str()) {
        Some(format!("serves something else at `/{id}`"))
    } else {
        (id == prober::PLATFORM).then(|| "calls its own checks by it".to_owned())
    };
    if let Some(use_of_it) = use_of_it {
        problems.report(span, Mistake::ReservedId { id, use_of_it });
        return None;
    }
    Some(Claim { id: PlatformId::new(id), span })
}

fn resolvers(platform: &RawPlatform) -> Arc<[NameServer]> {
    match &platform.resolvers {
        Field::Given(list) => {
            list.get_ref().iter().map(|server| server.get_ref().clone()).collect()
        }
        Field::Absent | Field::Wrong => Arc::default(),
    }
}

fn finish(
    raw: RawPlatform,
    id: PlatformId,
    (words, (publish, publishing)): (Wording, (Vec<Publish>, Publishing)),
    components: Vec<Component>,
    maintenances: Vec<Maintenance>,
) -> Option<Platform> {
    let cadence = raw.update_every.or(ShortOr(Cadence::default()))?.0;
    Some(Platform {
        id,
        name: raw.name?.into_inner().0,
        time_zone: raw.time_zone.or(Tz::UTC)?,
        language: raw.language.or(Language::English)?,
        words,
        publish,
        publishing,
        group_within: raw.group_within.or(Duration(Span::from_secs(600)))?.0,
        group_interval: raw.group_interval.or(Duration(Span::from_secs(10)))?.0,
        dependency_wait: raw.dependency_wait.or(Duration(Span::ZERO))?.0,
        resolve_after: raw.resolve_after.or(Duration(Span::from_secs(300)))?.0,
        maintenance_grace: raw.maintenance_grace.or(Duration(Span::ZERO))?.0,
        reopen_within: raw.reopen_within.or(Duration(Span::from_secs(3600)))?.0,
        update_every: cadence.every.unwrap_or(Span::from_secs(1800)),
        update_by_impact: cadence.by_impact,
        max_unattended_updates: raw.max_unattended_updates.or(Whole(6))?.0,
        components,
        maintenances,
    })
}

/// Every component, all of them looked at before any is given up.
fn all(
    raw: Vec<Spanned<RawComponent>>,
    scope: &Scope,
    problems: &mut Problems<'_>,
) -> Option<Vec<Component>> {
    let mut ids = Ids::new("components");
    let mut depends = Depends::default();
    let mut pages = BTreeMap::new();
    let components: Vec<Option<Component>> = raw
        .into_iter()
        .map(|raw| {
            let span = raw.span();
            publish::no_id_twice(&raw.get_ref().page_ids, &mut pages, problems);
            component(raw.into_inner(), span, scope, (&mut ids, &mut depends), problems)
        })
        .collect();
    depends.validate(problems);
    components.into_iter().collect()
}

fn component(
    raw: RawComponent,
    span: Range<usize>,
    scope: &Scope,
    (ids, depends): (&mut Ids, &mut Depends),
    problems: &mut Problems<'_>,
) -> Option<Component> {
    let id = ids.make(&raw.id, raw.name.as_ref(), problems);
    depends.note(id.as_deref(), &raw.depends_on);
    publish::an_id_for_each(&raw.page_ids, &scope.published_to, &span, problems);
    // Its checks are looked through whether or not it has a good id.
    let id = id.map(|id| ComponentId::of(&scope.platform, &id));
    let within = id.clone().unwrap_or_else(|| ComponentId::new("unnamed"));
    if raw.checks.as_ref().is_some_and(Vec::is_empty) {
        problems.report(span, Mistake::NoChecks);
    }
    let mut check_ids = Ids::new("checks of a component");
    let checks: Option<Vec<_>> = raw.checks.map(|checks| {
        let checks = checks.into_iter().map(Spanned::into_inner);
        checks.map(|raw| check::check(raw, &within, scope, &mut check_ids, problems)).collect()
    });
    let [statuspage, cachet, incident_io, instatus] = raw.page_ids;
    let id_at = |page: PageId| Some(page.id.optional()?.map(|id| id.0));
    Some(Component {
        id: id?,
        name: raw.name?.into_inner().0,
        group: raw.group.optional()?.map(|line| line.0),
        description: raw.description.optional()?.map(|line| line.0),
        depends_on: depend::ids(&scope.platform, raw.depends_on)?,
        major_when: raw.major_when.optional()?,
        statuspage_id: id_at(statuspage)?,
        cachet_id: id_at(cachet)?,
        incident_io_id: id_at(incident_io)?,
        instatus_id: id_at(instatus)?,
        checks: checks?.into_iter().collect::<Option<_>>()?,
    })
}

/// The ids of one kind within one parent.
struct Ids {
    what: &'static str,
    taken: BTreeMap<String, Range<usize>>,
}

impl Ids {
    fn new(what: &'static str) -> Self {
        Self { what, taken: BTreeMap::new() }
    }

    /// The id that is given, or the one that the name makes; reports it if it is taken.
    fn make(
        &mut self,
        id: &Field<Id>,
        name: Option<&Spanned<Line<200>>>,
        problems: &mut Problems<'_>,
    ) -> Option<String> {
        let (id, span) = match id {
            Field::Given(id) => (id.get_ref().0.clone(), id.span()),
            Field::Wrong => return None,
            Field::Absent => {
                let name = name?;
                let Some(id) = slug(&name.get_ref().0) else {
                    let mistake = Mistake::NoId { name: shorten(&name.get_ref().0) };
                    problems.report(name.span(), mistake);
                    return None;
                };
                (id, name.span())
            }
        };
        self.take(id, span, problems)
    }

    /// The id that stands at `span`, or comes of what does; reports it if it is taken.
    fn take(
        &mut self,
        id: String,
        span: Range<usize>,
        problems: &mut Problems<'_>,
    ) -> Option<String> {
        if let Some(first) = self.taken.get(&id) {
            let places = [(span, Some("again")), (first.clone(), Some("first"))];
            let mistake = Mistake::DuplicateId { what: self.what, id, source_of_id: "the name" };
            problems.report_all(places, mistake);
            return None;
        }
        self.taken.insert(id.clone(), span);
        Some(id)
    }
}
