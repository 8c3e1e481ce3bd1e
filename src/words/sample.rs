//! Incidents that never were: one of every kind that there can be, so that whoever writes words can
//! read what they become.

use chrono_tz::Tz;

use super::template::try_tell;
use super::{
    Body, Dependents, Earlier, Flaw, Line, Names, Outlasted, Step, Symptom, Text, Title, Tongue,
    Voice, Watch, tell,
};
use crate::model::{Cause, Impact, Language, Span, Timestamp, Wording};

/// When all of them begin: 15 September 2021, 13:40 in UTC.
const BEGAN: Timestamp = Timestamp::from_secs(1_631_713_200);

/// One step of an incident that never was.
#[derive(Clone, Debug)]
pub struct Sample {
    /// What happens in it, for whoever reads the samples.
    pub about: &'static str,
    /// How bad it is.
    pub impact: Impact,
    /// Which kind of text is due.
    pub step: Step,
    /// How many components it takes: a platform that has fewer never sees the like.
    pub components: usize,
    title: Title,
    body: Body,
}

impl Sample {
    /// What farol's own words make of it.
    pub fn tell(&self, language: Language) -> Text {
        self.tell_as(language, &Wording::default())
    }

    /// What is made of it by a platform with words of its own.
    pub fn tell_as(&self, language: Language, own: &Wording) -> Text {
        tell(Voice { language, own }, self.step, self.impact, &self.title, &self.body)
    }

    /// The same.
    ///
    /// # Errors
    ///
    /// What is wrong with the platform's own words, and for which step they are.
    pub fn try_tell(&self, language: Language, own: &Wording) -> Result<Text, (Step, Flaw)> {
        try_tell(Voice { language, own }, self.step, self.impact, &self.title, &self.body)
    }

    /// The names of all facts that its templates get.
    #[cfg(test)]
    pub(super) fn facts(&self) -> Vec<String> {
        let facts = [serde_json::json!(self.title), serde_json::json!(self.body)];
        let mut names = vec!["text".to_owned(), "impact".to_owned()];
        for (name, value) in facts.iter().filter_map(|it| it.as_object()).flatten() {
            let inner = value.as_array().and_then(|list| list.first()).unwrap_or(value);
            let inner = inner.as_object().into_iter().flatten();
            names.extend(inner.map(|(key, _)| format!("{name}.{key}")));
            names.push(name.clone());
        }
        names
    }
}

/// Where the samples are, and what they are about.
#[derive(Clone, Debug)]
pub struct Stage<'a> {
    /// The language of their facts.
    pub language: Language,
    /// The zone of their times.
    pub zone: Tz,
    /// The components, by the names that the public reads; named again if there are too few.
    pub names: &'a [&'a str],
}

/// Every sample, in the order in which an incident would have them.
pub fn all(stage: &Stage<'_>) -> Vec<Sample> {
    let mut all = openings(stage);
    all.extend(changes(stage));
    all.extend(timed(stage));
    all.extend(endings(stage));
    all
}

/// These, and every symptom in the texts that are due with no news: more than anybody would read,
/// for whoever must not miss one.
pub fn every(stage: &Stage<'_>) -> Vec<Sample> {
    let mut every = all(stage);
    for symptom in Symptom::BAD {
        let (still, unheard) = (due(stage, &[symptom], Some(true)), due(stage, &[symptom], None));
        every.push(still.sample("an update is due", Impact::Major));
        every.push(unheard.sample("an update is due, and nothing was seen", Impact::Major));
    }
    every
}

fn openings(stage: &Stage<'_>) -> Vec<Sample> {
    use Symptom::{
        Down, DownForSome, Faulty, FaultyForSome, Impaired, ImpairedLogin, NoLogin, NoLoginForSome,
        Outdated, Reduced, Slow, SlowLogin, WrongTime,
    };
    let of_one = [
        ("it opens: down", Impact::Critical, Down),
        ("it opens: down for some", Impact::Major, DownForSome),
        ("it opens: answers are wrong", Impact::Critical, Faulty),
        ("it opens: some answers are wrong", Impact::Major, FaultyForSome),
        ("it opens: slow", Impact::Minor, Slow),
        ("it opens: fewer servers than there should be", Impact::Minor, Reduced),
        ("it opens: nobody can log in", Impact::Critical, NoLogin),
        ("it opens: some cannot log in", Impact::Major, NoLoginForSome),
        ("it opens: logging in is slow", Impact::Minor, SlowLogin),
        ("it opens: logging in is not as it should be", Impact::Minor, ImpairedLogin),
        ("it opens: a clock is wrong", Impact::Minor, WrongTime),
        ("it opens: data is stale", Impact::Minor, Outdated),
        ("it opens: not as it should be", Impact::Minor, Impaired),
    ];
    let mut all: Vec<Sample> = of_one
        .into_iter()
        .map(|(about, impact, symptom)| Scene::new(stage, &[symptom]).sample(about, impact))
        .collect();
    let mut customers = Scene::new(stage, &[DownForSome]);
    for line in &mut customers.affected {
        line.tests = Some(Tongue::of(stage.language).of_tests(1, 3));
    }
    all.push(customers.sample("it opens: one of three customers", Impact::Major));
    let mut servers = Scene::new(stage, &[DownForSome, WrongTime]);
    for line in &mut servers.affected {
        line.servers = Some(Tongue::of(stage.language).of_servers(2, 3));
        line.clock = line.symptom == DownForSome;
        line.stale = line.symptom == WrongTime;
    }
    all.push(servers.sample("it opens: two components, some of their servers", Impact::Minor));
    let mut many = Scene::new(stage, &[Down, Slow, Down, Impaired, Down]);
    many.affected.iter_mut().for_each(|line| line.ours = true);
    many.more = 2;
    all.push(many.sample("it opens: many components, and farol itself in trouble", Impact::Major));
    for (about, count) in [
        ("it opens: one component depends on another", 2),
        ("it opens: two depend on another", 3),
        ("it opens: many depend on another", 5),
    ] {
        let mut root = Scene::new(stage, &[NoLogin, Slow, Down, Down, Down][..count]);
        (root.dependents, root.title) = (true, NoLogin);
        all.push(root.sample(about, Impact::Major));
    }
    for (about, number) in [("what was resolved returns", 2), ("it returns once more", 3)] {
        let mut again = Scene::new(stage, &[Down]);
        again.earlier = Some(number);
        all.push(again.sample(about, Impact::Critical));
    }
    all.extend(around_work(stage));
    all
}

/// Openings that have to do with a maintenance.
fn around_work(stage: &Stage<'_>) -> [Sample; 3] {
    let scene = || Scene::new(stage, &[Symptom::Down]);
    let (mut outlasted, mut early, mut beyond) = (scene(), scene(), scene());
    outlasted.maintenance = true;
    (early.maintenance, early.early) = (true, true);
    beyond.beyond = 2;
    [
        outlasted.sample("a maintenance should be over", Impact::Critical),
        early.sample("a maintenance was ended early", Impact::Critical),
        beyond.sample("something else is in maintenance", Impact::Critical),
    ]
}

fn changes(stage: &Stage<'_>) -> Vec<Sample> {
    use Symptom::{Down, DownForSome, Slow};
    let scene = |cause, symptoms: &[Symptom], about: usize| {
        let mut scene = Scene::new(stage, symptoms);
        scene.cause = cause;
        scene.about = about;
        scene.affected.iter_mut().skip(about).for_each(|line| line.still = true);
        scene
    };
    let mut better = scene(Cause::GotBetter, &[Slow, DownForSome], 1);
    better.title = Symptom::Mixed;
    let mut fewer = scene(Cause::GotBetter, &[Down], 0);
    (fewer.recovered, fewer.well) = (2, 1);
    let mut unstable = scene(Cause::FailedAgain, &[Down], 1);
    unstable.relapsed = true;
    for line in &mut unstable.affected {
        line.unstable = Some(Tongue::of(stage.language).moment(BEGAN, stage.zone));
    }
    let mut again = scene(Cause::FailedAgain, &[Down], 1);
    again.relapsed = true;
    again.well = 1;
    vec![
        scene(Cause::ComponentJoined, &[Slow, Down], 1).sample("another joins", Impact::Major),
        scene(Cause::GotWorse, &[Down], 1).sample("it gets worse", Impact::Critical),
        scene(Cause::GotWorse, &[Down, Slow], 1).sample("one gets worse", Impact::Major),
        better.sample("one gets better", Impact::Major),
        fewer.sample("some recover", Impact::Major),
        again.sample("it fails again", Impact::Critical),
        unstable.sample("it fails again and again", Impact::Critical),
    ]
}

fn due<'a>(stage: &'a Stage<'a>, symptoms: &[Symptom], heard: Option<bool>) -> Scene<'a> {
    let mut scene = Scene::new(stage, symptoms);
    scene.cause = Cause::UpdateDue;
    scene.heard = heard;
    scene.affected.iter_mut().for_each(|line| line.still = true);
    scene
}

fn timed(stage: &Stage<'_>) -> Vec<Sample> {
    let mut relapsed = due(stage, &[Symptom::Down, Symptom::Slow], Some(true));
    relapsed.relapsed = true;
    relapsed.well = 1;
    let still = due(stage, &[Symptom::Down], Some(true));
    let unheard = due(stage, &[Symptom::Down], Some(false));
    let mut silent = due(stage, &[Symptom::Down], Some(true));
    silent.unattended = Some(6);
    vec![
        still.sample("an update is due", Impact::Critical),
        silent.sample("it is handed over to people", Impact::Critical),
        relapsed.sample("an update is due, after a recovery", Impact::Major),
        unheard.sample("an update is due, and nothing new was seen", Impact::Critical),
    ]
}

fn endings(stage: &Stage<'_>) -> Vec<Sample> {
    let watched = |cause, several: bool| {
        let mut scene = Scene::new(stage, &[]);
        scene.cause = cause;
        scene.step = Step::Monitoring;
        scene.recovered = if several { 2 } else { 1 };
        scene
    };
    let due = |several, stayed_well, overdue| {
        let mut scene = watched(Cause::UpdateDue, several);
        (scene.stayed_well, scene.overdue) = (stayed_well, overdue);
        scene
    };
    let ended = |several, relapsed| {
        let mut scene = watched(Cause::StayedWell, several);
        scene.step = Step::Resolved;
        (scene.relapsed, scene.clock) = (relapsed, relapsed);
        scene
    };
    let told = |watched: bool| {
        let step = if watched { Step::Resolved } else { Step::Investigating };
        let mut scene = Scene::new(stage, &[Symptom::Down]);
        (scene.cause, scene.step, scene.ended) = (Cause::OperatorResolved, step, true);
        scene
    };
    let mut silent = due(false, false, true);
    silent.unattended = Some(2);
    vec![
        silent.sample("it is handed over to people while it is watched", Impact::Major),
        watched(Cause::AllRecovered, false).sample("all is well again", Impact::Critical),
        watched(Cause::AllRecovered, true).sample("all are well again", Impact::Critical),
        due(false, true, false).sample("an update is due while it is watched", Impact::Major),
        due(false, false, false).sample("an update is due, and nothing was seen", Impact::Major),
        due(true, false, true).sample("the proof of a recovery is late", Impact::Major),
        ended(false, false).sample("it is resolved", Impact::Critical),
        ended(true, true).sample(
            "it is resolved, after a wrong clock and a recovery that did not hold",
            Impact::Major,
        ),
        told(false).sample("the operator says that it is over", Impact::Critical),
        told(true).sample("the operator says so while it is watched", Impact::Critical),
    ]
}

/// What the samples differ in.
struct Scene<'a> {
    stage: &'a Stage<'a>,
    cause: Cause,
    step: Step,
    title: Symptom,
    affected: Vec<Line>,
    about: usize,
    more: usize,
    recovered: usize,
    well: usize,
    heard: Option<bool>,
    dependents: bool,
    earlier: Option<u32>,
    maintenance: bool,
    early: bool,
    beyond: usize,
    unattended: Option<u32>,
    relapsed: bool,
    clock: bool,
    stayed_well: bool,
    overdue: bool,
    ended: bool,
}

impl<'a> Scene<'a> {
    /// An incident that opens with a component for each of `symptoms`.
    fn new(stage: &'a Stage<'a>, symptoms: &[Symptom]) -> Self {
        let tongue = Tongue::of(stage.language);
        let names = stage.names.iter().cycle();
        let line = |(symptom, name): (&Symptom, &&str)| Line {
            name: tongue.name(name),
            symptom: *symptom,
            unstable: None,
            servers: None,
            tests: None,
            clock: false,
            stale: false,
            ours: false,
            still: false,
        };
        let title = match symptoms {
            [] => Symptom::Down,
            [first, rest @ ..] if rest.iter().all(|other| other == first) => *first,
            _ => Symptom::Mixed,
        };
        Self {
            stage,
            cause: Cause::ComponentFailed,
            step: Step::Investigating,
            title,
            affected: symptoms.iter().zip(names).map(line).collect(),
            about: symptoms.len(),
            more: 0,
            recovered: 0,
            well: 0,
            heard: Some(true),
            dependents: false,
            earlier: None,
            maintenance: false,
            early: false,
            beyond: 0,
            unattended: None,
            relapsed: false,
            clock: false,
            stayed_well: false,
            overdue: false,
            ended: false,
        }
    }

    fn names(&self, from: usize, count: usize) -> Names {
        let names = self.stage.names.iter().cycle().skip(from).take(count);
        Names::of(Tongue::of(self.stage.language), names.copied())
    }

    fn dependents(&self) -> Option<Dependents> {
        let tongue = Tongue::of(self.stage.language);
        let names: Vec<String> =
            self.affected.iter().skip(1).map(|line| line.name.clone()).collect();
        self.dependents.then(|| Dependents {
            root: self.names(0, 1).list,
            list: (names.len() < 3).then(|| tongue.list(&names, 2)),
            number: tongue.numeral(names.len()),
            several: names.len() > 1,
        })
    }

    fn sample(self, about: &'static str, impact: Impact) -> Sample {
        let Stage { language, zone, .. } = *self.stage;
        let tongue = Tongue::of(language);
        let bad = self.affected.len();
        let all = self.names(0, bad + self.more + self.recovered + self.well);
        let later =
            |minutes: i64| Timestamp::from_secs(BEGAN.as_micros() / 1_000_000 + minutes * 60);
        let dependents = self.dependents();
        let watch = (self.step != Step::Investigating).then(|| Watch {
            since: tongue.moment(later(110), zone),
            lasted: tongue.lasted(BEGAN, later(110)),
            period: tongue.period(BEGAN, later(110), zone),
            quiet: tongue.exactly(Span::from_secs(900).to_duration()),
            resolve_at: tongue.time(later(125), zone),
            overdue: self.overdue,
            update_first: self.overdue,
            stayed_well: self.stayed_well,
        });
        Sample {
            about,
            impact,
            step: if self.ended { Step::Resolved } else { self.step },
            components: bad + self.more + self.recovered + self.well + self.beyond,
            title: Title {
                about: if self.dependents { self.names(0, 1) } else { all.clone() },
                symptom: self.title,
                dependents: dependents.clone(),
            },
            body: Body {
                cause: self.cause,
                handed_over: self.unattended.map(|number| tongue.updates(number)),
                dependents,
                earlier: self.earlier.map(|number| Earlier {
                    resolved_at: tongue.moment(later(-40), zone),
                    number: (number > 2).then(|| tongue.ordinal(number)),
                    since: tongue.moment(later(-300), zone),
                }),
                maintenance: self.maintenance.then(|| Outlasted {
                    until: tongue.moment(later(-15), zone),
                    early: self.early,
                }),
                beyond: self.names(bad, self.beyond),
                all,
                about: self.names(0, self.about),
                more: self.more,
                recovered: self.names(bad, self.recovered),
                well: self.names(bad + self.recovered, self.well),
                affected: self.affected,
                since: tongue.moment(BEGAN, zone),
                lasted: tongue.lasted(BEGAN, later(65)),
                heard_at: self.heard.map(|_| tongue.time(later(65), zone)),
                heard: self.heard == Some(true),
                next_update: tongue.exactly(Span::from_secs(1800).to_duration()),
                watch,
                relapsed: self.relapsed,
                clock: self.clock,
            },
        }
    }
}
