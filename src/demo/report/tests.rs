//! The scoreboard of rounds that are made up, and judged as real ones are.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::axis::Axis;
use super::{Row, Scoreboard, Story, Told, html, length, markdown, picture, thousands};
use crate::demo::judge::{Backstage, IncidentSeen, Judge, Look, UpdateSeen};
use crate::demo::scenario::{Scenario, Tempo, read, validate::Cast};
use crate::demo::stepped::{Pages, Played};
use crate::model::{ComponentStatus as S, Impact, IncidentStatus as I, Span, Timestamp};

const STORY: &str = r#"
[scenario]
id = "2021-09-15"
title = "Desk is <out> | for a while"
about = "It happened to *others*."
platform = "blip"
begins = "2021-09-15 10:00"
ends = "2021-09-15 10:30"
speed = 1

[report]
title = "Desk & co"
impact_from = "10:10"
first_post = "10:25"
resolved = "2021-09-16 02:00"
components = ["desk"]

[[event]]
at = "10:10"
says = "the <b>desk</b> & its friends"
begin = [{ id = "cut", fault = "cut" }]
symptom = true

[[expect]]
from = "10:10"
says = "Desk is out"
components = { desk = "major_outage" }
incidents = 1
status = "investigating"
impact = "major"

[[event]]
at = "10:20"
says = "it is mended"
end = ["cut"]

[[expect]]
from = "10:20"
says = "it is over"
incidents = 1
status = "resolved"
impact = "major"
"#;

const QUIET: &str = r#"
[scenario]
id = "quiet"
title = "Nothing happens"
about = "A day like any other."
platform = "blip"
begins = "2021-09-15 10:00"
ends = "2021-09-15 10:30"
speed = 1

[[event]]
at = "10:10"
says = "our own clock is set"
wall_step = "1h"
"#;

fn scenario(text: &str) -> Arc<Scenario> {
    let components: BTreeSet<String> = ["desk", "portal"].map(str::to_owned).into();
    let cast = Cast { components, time_zone: chrono_tz::America::Sao_Paulo };
    Arc::new(read("story.toml", text, |_| cast).unwrap())
}

/// A time of 15 September 2021 in São Paulo.
fn at(minute: i64, second: i64) -> Timestamp {
    Timestamp::from_secs(1_631_674_800 + 10 * 3_600 + 60 * minute + second)
}

fn look(at: Timestamp, desk: S, portal: S, incidents: &[IncidentSeen]) -> Look {
    let components = [("desk".to_owned(), desk), ("portal".to_owned(), portal)].into();
    Look { at, components, incidents: incidents.to_vec() }
}

fn incident(updates: &[(Timestamp, I, &str)]) -> IncidentSeen {
    let update = |(at, status, body): &(Timestamp, I, &str)| UpdateSeen {
        at: *at,
        status: *status,
        body: (*body).to_owned(),
    };
    IncidentSeen {
        id: "one".to_owned(),
        title: "Desk is unavailable".to_owned(),
        status: updates.last().unwrap().1,
        impact: Impact::Major,
        updates: updates.iter().rev().map(update).collect(),
    }
}

/// A round of `scenario` in which the page showed `looks`.
fn played(scenario: &Arc<Scenario>, round: u32, looks: Vec<Look>) -> Played {
    let mut judge = Judge::new(Arc::clone(scenario), Tempo::real(), Backstage::default());
    for look in &looks {
        let _ = judge.look(look.clone());
    }
    let (outcome, _) = judge.finish();
    let mut pages = Pages::default();
    pages.worst = "<p title=\"at its worst\">Desk & co</p>".to_owned();
    pages.end = "<p>at its end</p>".to_owned();
    Played { round, outcome, looks, pages, real: 100, retold: 1_100 }
}

/// A round in which all is as it should be, and the first word comes `lag` seconds after.
fn right(scenario: &Arc<Scenario>, round: u32, lag: i64) -> Played {
    let first = (at(10, lag), I::Investigating, "Desk is *not* <i>available</i>.\n\nMore soon.");
    let last = (at(20, 20), I::Resolved, "It is over.");
    let looks = vec![
        look(at(0, 0), S::Operational, S::Operational, &[]),
        look(at(10, lag), S::MajorOutage, S::Operational, &[incident(&[first])]),
        look(at(20, 20), S::Operational, S::Operational, &[incident(&[first, last])]),
        look(at(30, 0), S::Operational, S::Operational, &[incident(&[first, last])]),
    ];
    played(scenario, round, looks)
}

/// A round in which another component is blamed.
fn wrong(scenario: &Arc<Scenario>, round: u32) -> Played {
    let first = (at(10, 9), I::Investigating, "Portal is not available.");
    let looks = vec![
        look(at(0, 0), S::Operational, S::Operational, &[]),
        look(at(10, 9), S::Operational, S::PartialOutage, &[incident(&[first])]),
        look(at(12, 0), S::Operational, S::PartialOutage, &[incident(&[first])]),
        look(at(30, 0), S::Operational, S::PartialOutage, &[incident(&[first])]),
    ];
    played(scenario, round, looks)
}

fn story(scenario: &Arc<Scenario>, rounds: Vec<Played>) -> Story {
    let row = |(id, name): (&str, &str)| Row {
        id: id.to_owned(),
        name: name.to_owned(),
        group: Some("Group".to_owned()),
    };
    let components = [("desk", "Desk"), ("portal", "Portal")].map(row).into();
    Story { scenario: Arc::clone(scenario), components, rounds }
}

fn scoreboard(stories: Vec<Story>) -> Scoreboard {
    Scoreboard { command: "farol demo --all --report <FILE>.md".to_owned(), stories }
}

fn good() -> Scoreboard {
    let (incident, quiet) = (scenario(STORY), scenario(QUIET));
    let rounds = vec![right(&incident, 0, 12), right(&incident, 1, 31), right(&incident, 2, 7)];
    let calm = |second| look(at(second, 0), S::Operational, S::Operational, &[]);
    let silent = played(&quiet, 0, vec![calm(0), calm(30)]);
    scoreboard(vec![story(&incident, rounds), story(&quiet, vec![silent])])
}

fn bad() -> Scoreboard {
    let incident = scenario(STORY);
    let rounds = vec![right(&incident, 0, 12), wrong(&incident, 1)];
    scoreboard(vec![story(&incident, rounds)])
}

#[test]
fn what_came_as_it_should_is_told_in_figures() {
    let good = good();
    assert!(good.is_right(), "{:#?}", good.stories);
    insta::assert_snapshot!(markdown(&good, "scoreboard"));
}

#[test]
fn what_is_wrong_is_never_hidden() {
    let bad = bad();
    assert!(!bad.is_right());
    let text = markdown(&bad, "scoreboard");
    insta::assert_snapshot!(text);
    let page = html(&bad);
    let wrongs: Vec<String> = bad.stories[0].wrongs();
    assert!(wrongs.len() > 2, "{wrongs:?}");
    for wrong in wrongs {
        assert!(page.contains(&crate::drawing::escaped(&wrong)), "{wrong} is not in the page");
    }
    for word in ["1 of 2", "WRONG", "not in time", "Not everything came as it should"] {
        assert!(page.contains(word) && text.contains(word), "{word}");
    }
    let shown = bad.stories[0].shown().unwrap();
    assert_eq!(shown.round, 1, "the round that came out worst is the one that is shown");
    let marks = picture(&bad.stories[0]).matches("class=\"wrong\"").count();
    assert_eq!(marks, shown.outcome.wrongs.len());
}

#[test]
fn what_was_read_first_is_told_with_the_title_of_then() {
    let incident = scenario(STORY);
    let mut round = right(&incident, 0, 12);
    for later in round.looks.iter_mut().skip(2).flat_map(|look| &mut look.incidents) {
        later.title = "Desk and Portal were unavailable".to_owned();
    }
    round.outcome.incidents = round.looks[3].incidents.clone();
    let board = scoreboard(vec![story(&incident, vec![round])]);
    let text = markdown(&board, "x");
    assert!(text.contains("at 10:10:12:\n\n> **Desk is unavailable**\n>\n> Desk is"), "{text}");
    assert!(text.contains("**Desk and Portal were unavailable** (its last title; impact: major)"));
    let page = html(&board);
    assert!(page.contains("<blockquote><p><strong>Desk is unavailable</strong></p>"), "{page}");
}

#[test]
fn a_false_alarm_on_a_quiet_day_is_told() {
    let quiet = scenario(QUIET);
    let first = (at(12, 0), I::Investigating, "Desk is not available.");
    let alarm = look(at(12, 0), S::MajorOutage, S::Operational, &[incident(&[first])]);
    let story = story(&quiet, vec![played(&quiet, 0, vec![alarm])]);
    assert_eq!(story.published(), "1 incident, of Desk");
    let board = scoreboard(vec![story]);
    assert!(markdown(&board, "x").contains("| **1 incident, of Desk** | 1,200 | **0 of 1** |"));
    assert!(
        html(&board).contains("<td class=\"bad\" data-column=\"published\">1 incident, of Desk")
    );
}

#[test]
fn figures_are_those_of_the_worst_round() {
    let board = good();
    let one = &board.stories[0];
    assert_eq!(one.first_word(), Some(Told::After(Span::from_secs(31))));
    assert_eq!(one.real_lag().map(length).unwrap(), "15 min");
    assert_eq!((one.runs(), board.runs()), ((3_600, 300), (4_800, 400)));
    assert_eq!((board.rounds(), board.wrong_rounds(), bad().wrong_rounds()), (4, 0, 1));
    let two = &bad().stories[0];
    assert_eq!(two.slowest(), Some(Told::Never));
    let score = two.score();
    assert!(score.right.is_empty(), "it was right in one round only: {score:?}");
    assert!(score.missing.contains("desk") && score.wrong.contains("portal"));
}

/// Every element that is opened is closed, in order, and no text holds markup.
fn well_formed(markup: &str) {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = markup;
    while let Some(start) = rest.find('<') {
        assert!(!rest[..start].contains('>'), "a loose > in {:?}", &rest[..start]);
        let end = start + rest[start..].find('>').unwrap();
        let tag = &rest[start + 1..end];
        let name = tag.split([' ', '\n']).next().unwrap();
        if let Some(closed) = name.strip_prefix('/') {
            assert_eq!(open.pop(), Some(closed));
        } else if !tag.ends_with('/') {
            open.push(name);
        }
        assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
        rest = &rest[end + 1..];
    }
    assert!(open.is_empty(), "{open:?}");
}

#[test]
fn a_picture_has_everything_and_no_markup_of_a_storys() {
    for board in [good(), bad()] {
        let svg = picture(&board.stories[0]);
        well_formed(&svg);
        assert_eq!(svg.matches("<g class=\"event\">").count(), 2);
        assert!(!svg.contains("<b>") && !svg.contains("<i>"), "no markup of theirs");
        let event = "the &lt;b&gt;desk&lt;/b&gt; &amp; its friends";
        assert!(svg.contains(&format!("<title>10:10:00 {event}</title>")), "at its mark");
        assert!(svg.contains(&format!("</tspan>  {event}</text>")), "in the list");
        assert!(svg.contains("silent for 15 min") && svg.contains("resolved 16 Sep 02:00<"));
        let shown = board.stories[0].shown().unwrap();
        let updates: usize = shown.outcome.incidents.iter().map(|it| it.updates.len()).sum();
        assert_eq!(svg.matches("<g class=\"update\">").count(), updates);
        assert_eq!(svg.matches("class=\"squeezed\"").count(), 1, "the real page's long night");
    }
    let quiet = picture(&good().stories[1]);
    well_formed(&quiet);
    assert!(quiet.contains("published nothing") && quiet.contains("All 2 components"));
    assert!(!quiet.contains("The real status page"));
}

#[test]
fn the_bars_are_as_the_page_was() {
    let svg = picture(&good().stories[0]);
    assert!(svg.contains("major_outage from 10:10:31 to 10:20:20"), "of the slowest round: {svg}");
    assert!(svg.contains("The other component"), "Portal was well throughout");
    assert!(picture(&bad().stories[0]).contains("partial_outage from 10:10:09 to 10:30:00"));
}

#[test]
fn the_page_needs_nothing_beside_it_and_lets_nothing_in() {
    let page = html(&good());
    for loads in ["<script", "<link", " src=", "url(", "@import"] {
        assert!(!page.contains(loads), "{loads}");
    }
    assert!(page.contains("Desk is &lt;out&gt; | for a while") && !page.contains("<out>"));
    assert_eq!(page.matches("<iframe sandbox ").count(), 4);
    let inner = "srcdoc=\"&lt;p title=&quot;at its worst&quot;&gt;Desk &amp; co&lt;/p&gt;\"";
    assert_eq!(page.matches(inner).count(), 2);
    assert!(page.contains("<code>farol demo --all --report &lt;FILE&gt;.md</code>"));
}

#[test]
fn an_axis_is_honest_about_what_it_squeezes() {
    let moments: BTreeSet<Timestamp> =
        [0, 3_600, 7_200, 50_000, 53_600].map(Timestamp::from_secs).into();
    let axis = Axis::new(&moments, 100, 1_056);
    let pieces: Vec<_> = axis.pieces().iter().map(|it| (it.x, it.width, it.is_squeezed)).collect();
    assert_eq!(pieces, [(100, 600, false), (700, 56, true), (756, 300, false)]);
    let places = [0, 1_800, 3_600, 7_200, 28_600, 50_000, 53_600, 99_999];
    let places = places.map(|at| axis.x(Timestamp::from_secs(at)));
    assert_eq!(places, [100, 250, 400, 700, 728, 756, 1_056, 1_056]);
    let ticks = axis.ticks(chrono_tz::America::Sao_Paulo);
    let clocks: Vec<_> = ticks.iter().map(|it| (it.clock.as_str(), it.day.as_deref())).collect();
    let expected = [
        ("21:00", None),
        ("21:30", None),
        ("22:00", None),
        ("22:30", None),
        ("23:00", None),
        ("11:00", Some("1 Jan")),
        ("11:30", None),
    ];
    assert_eq!(clocks, expected);
    let hours: BTreeSet<Timestamp> = (0..10).map(|it| Timestamp::from_secs(it * 3_600)).collect();
    let narrow = Axis::new(&hours, 0, 200).ticks(chrono_tz::UTC);
    let apart = narrow.windows(2).all(|two| two[1].x - two[0].x >= 48);
    assert!(narrow.len() > 2 && apart, "no time is written over another: {narrow:?}");
    let alone = Axis::new(&[Timestamp::EPOCH].into(), 0, 10);
    assert_eq!((alone.x(Timestamp::EPOCH), alone.ticks(chrono_tz::UTC).len()), (0, 0));
}

#[test]
fn numbers_and_lengths_are_for_people() {
    let numbers = [0, 999, 1_000, 12_213, 1_234_567].map(thousands);
    assert_eq!(numbers, ["0", "999", "1,000", "12,213", "1,234,567"]);
    let lengths = [25, 480, 7_200, 12_900].map(|secs| length(Span::from_secs(secs)));
    assert_eq!(lengths, ["25s", "8 min", "2 h", "3 h 35 min"]);
    assert_eq!(super::bound(), Span::from(Duration::from_secs(35)));
}

#[test]
fn components_of_the_same_name_are_told_apart() {
    let rows = Row::all_of(crate::demo::world::Kind::Iadvize);
    let incident = scenario(STORY);
    let mut one = story(&incident, vec![right(&incident, 0, 12)]);
    one.components = rows;
    let mut named: BTreeMap<String, usize> = BTreeMap::new();
    for row in &one.components {
        *named.entry(one.name(row)).or_default() += 1;
    }
    assert!(named.len() > 10, "{named:?}");
    assert!(named.values().all(|count| *count == 1), "{named:?}");
}
