//! The reader of scenarios: what it makes of a file, and what it says of mistakes.

use super::read;
use super::validate::Cast;
use crate::model::Timestamp;

fn cast() -> Cast {
    let components = ["desk", "portal", "crm"].map(str::to_owned).into();
    Cast { components, time_zone: chrono_tz::America::Sao_Paulo }
}

fn mistakes(text: &str) -> String {
    read("story.toml", text, |_| cast()).map_or_else(|error| error.to_string(), |_| String::new())
}

const HEAD: &str = r#"[scenario]
id = "story"
title = "A story"
about = "For the reader."
platform = "blip"
begins = "2021-09-15 10:00"
ends = "2021-09-15 12:00"
speed = 60
"#;

#[test]
fn a_story_is_read_with_its_times_in_the_customers_zone() {
    let text = format!(
        r#"{HEAD}
[report]
title = "Degraded performance"
impact_from = "10:40"
first_post = "10:48"
resolved = "2021-09-16 13:00"
components = ["desk"]

[[speed]]
from = "10:30"
speed = 10

[[event]]
at = "10:40"
says = "the network is cut"
begin = [{{ id = "cut", fault = "cut" }}]
symptom = true

[[event]]
at = "11:00:30"
says = "the network is there, and the clock is set"
end = ["cut"]
wall_step = "-1h"

[[expect]]
from = "10:40"
says = "Desk is out"
components = {{ desk = "major_outage" }}
incidents = 1
status = "investigating"
impact = "critical"
"#
    );
    let story = read("story.toml", &text, |_| cast()).unwrap();
    // Three hours behind Greenwich.
    let at = |hour: i64, minute: i64| {
        Timestamp::from_secs(1_631_664_000 + 3_600 * (hour + 3) + 60 * minute)
    };
    assert_eq!(story.begins, at(10, 0));
    assert_eq!(story.events[0].at, at(10, 40));
    assert_eq!(story.report.as_ref().unwrap().resolved, at(24 + 13, 0));
    assert_eq!(story.faults_at(at(10, 39)).len(), 0);
    assert_eq!(story.faults_at(at(10, 40)).len(), 1);
    assert_eq!(story.faults_at(at(11, 1)).len(), 0);
    let seconds = |secs| crate::model::Span::from_secs(secs);
    assert_eq!(story.wall_steps(), [(at(11, 0) + seconds(30), -3_600_000_000)]);
    assert_eq!(story.tempo.speed_at(at(10, 29)), 60);
    assert_eq!(story.tempo.speed_at(at(10, 30)), 10);
    assert_eq!(story.affected_until(at(10, 39)).len(), 0);
    assert_eq!(story.affected_until(at(10, 40)).len(), 1);
    assert!(!story.is_silent());
}

#[test]
fn every_table_tells_its_own_mistake() {
    let text = format!(
        r#"{HEAD}
[reports]
title = "no such table"

[[event]]
at = "10:10"
says = "a key that nobody knows"
begin = [{{ id = "cut", fault = "cut" }}]
sympton = true

[[event]]
at = "10:20"
says = "a fault that nobody knows"
begin = [{{ id = "x", fault = "meteor" }}, {{ fault = "cut" }}]

[[event]]
at = "10:30"
says = "a key that the fault does not have"
begin = [{{ id = "y", fault = "cut", percent = 2 }}]

[[expect]]
from = "10:10"
says = "a number that is none"
incidents = "one"
"#
    );
    insta::assert_snapshot!(mistakes(&text));
}

#[test]
fn what_does_not_hang_together_is_told_all_at_once() {
    let text = format!(
        r#"{HEAD}
never = ["(unclosed"]

[[speed]]
from = "10:50"
speed = 0

[[event]]
at = "10:30"
says = "ends what has not begun"
end = ["cut"]

[[event]]
at = "10:20"
says = "is earlier than the one before"
begin = [{{ id = "cut", fault = "cut" }}, {{ id = "cut", fault = "cut" }}]

[[event]]
at = "13:00"
says = "is after the end"
end = ["cut "]
wall_step = "one hour"
symptom = true

[[event]]
at = "noon"
says = "does nothing"

[[expect]]
from = "10:30"
within = "soon"
says = "names what is not there"
components = {{ desks = "major_outage", portal = "broken" }}
incidents = 1
status = "investigating"

[[expect]]
from = "11:00"
within = "20m"
says = "takes too long"
incidents = 0
impact = "huge"

[[expect]]
from = "11:10"
says = "is the next"
incidents = 0
"#
    );
    insta::assert_snapshot!(mistakes(&text));
}

#[test]
fn what_is_no_toml_or_no_story_is_told() {
    insta::assert_snapshot!(
        [
            mistakes("[scenario\nid = 1"),
            mistakes("[[event]]\nat = \"10:00\"\nsays = \"x\"\nend = []"),
            mistakes(&HEAD.replace("2021-09-15 10:00", "10:00")),
            mistakes(&HEAD.replace("2021-09-15 12:00", "09:00")),
            mistakes(&HEAD.replace("blip", "blop")),
            mistakes(&HEAD.replace("\"story\"", "\"\"")),
            mistakes(&HEAD.replace("\"story\"", "\"../a story\"")),
            mistakes(&format!("{HEAD}\n[speed]\nfrom = \"10:10\"")),
        ]
        .join("\n\n")
    );
}
