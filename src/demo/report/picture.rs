//! A story as a picture (SVG): what went wrong, when the real status page spoke, when farol did, and
//! how each component was on the page, by the clock of the story.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::axis::Axis;
use super::{Story, Symptom, length};
use crate::demo::scenario::Event;
use crate::drawing::{self, colour, label};
use crate::model::{ComponentStatus, IncidentStatus, Timestamp};

const WIDTH: i64 = 1_100;
/// What stands to the left of the lanes.
const MARGIN: i64 = 250;
const RIGHT: i64 = WIDTH - 24;
/// Where the first lane begins.
const TOP: i64 = 78;
const LANE: i64 = 46;
const ROW: i64 = 22;
/// A line of the list of events.
const LINE: i64 = 19;
/// Marks that would be closer stand beneath each other.
const MARK: i64 = 19;
/// How many may.
const LEVELS: usize = 4;

const FAULT: &str = "#cf222e";
const MENDED: &str = "#1a7f37";
const OTHER: &str = "#0969da";

/// Draws the round of a story that came out worst.
pub fn picture(story: &Story) -> String {
    let axis = Axis::new(&moments(story), MARGIN, RIGHT);
    let marks = marks(story, &axis);
    let levels = marks.iter().map(|(_, level)| *level + 1).max().unwrap_or(1);
    let faults = (levels * MARK + 12).max(34);
    let real = story.scenario.report.as_ref().map_or(0, |_| LANE);
    let rows = rows(story);
    let bars_at = TOP + faults + real + LANE;
    let bars = i64::try_from(rows.len()).unwrap_or(0) * ROW;
    let wrong = if story.is_right() { 0 } else { ROW };
    let bottom = bars_at + bars + wrong + 6;
    let events = i64::try_from(marks.len()).unwrap_or(0) * LINE;
    let height = bottom + 74 + events + 12;

    let mut svg = drawing::begin(WIDTH, height);
    head(&mut svg, story);
    times(&mut svg, story, &axis, bottom);
    events_lane(&mut svg, story, &axis, &marks, bottom);
    real_lane(&mut svg, story, &axis, TOP + faults);
    farol_lane(&mut svg, story, &axis, TOP + faults + real);
    for (n, row) in (0..).zip(&rows) {
        component(&mut svg, story, &axis, row, bars_at + n * ROW);
    }
    if wrong > 0 {
        wrongs(&mut svg, story, &axis, bars_at + bars);
    }
    end_of_story(&mut svg, story, &axis, bottom);
    drawing::legend(&mut svg, MARGIN, bottom + 36);
    kinds(&mut svg, bottom + 58);
    list(&mut svg, story, &marks, bottom + 74);
    svg.push_str("</svg>\n");
    svg
}

/// Every time that has a place of its own.
fn moments(story: &Story) -> BTreeSet<Timestamp> {
    let scenario = &story.scenario;
    let report = scenario.report.iter();
    let report = report.flat_map(|report| [report.impact_from, report.first_post, report.resolved]);
    let updates = story.told().flat_map(|incident| &incident.updates).map(|update| update.at);
    let bars = story.components.iter().flat_map(|row| story.stretches(&row.id));
    let events = scenario.events.iter().map(|event| event.at);
    let ends = [scenario.begins, scenario.ends];
    ends.into_iter().chain(report).chain(updates).chain(events).chain(bars.map(|it| it.0)).collect()
}

/// Events, each with how far down its mark stands.
fn marks<'a>(story: &'a Story, axis: &Axis) -> Vec<(&'a Event, i64)> {
    let mut taken: Vec<i64> = Vec::new();
    let mut marks = Vec::new();
    for event in &story.scenario.events {
        let x = axis.x(event.at);
        let free = taken.iter().position(|last| x - last >= MARK);
        // Where there is no room at all they overlap: their numbers are in the list.
        let level = free.unwrap_or(taken.len()).min(LEVELS - 1);
        match taken.get_mut(level) {
            Some(last) => *last = x,
            None => taken.push(x),
        }
        marks.push((event, i64::try_from(level).unwrap_or(0)));
    }
    marks
}

/// What stands in the rows beneath: components by their ids, and how they are called; those that
/// were well throughout in one.
fn rows(story: &Story) -> Vec<(Option<&str>, String)> {
    let expected = story.scenario.affected_until(story.scenario.ends);
    let is_told = |id: &str| expected.contains(id) || story.stretches(id).len() > 1;
    let told = story.components.iter().filter(|row| is_told(&row.id));
    let mut rows: Vec<(Option<&str>, String)> =
        told.map(|row| (Some(row.id.as_str()), story.name(row))).collect();
    let others = story.components.len() - rows.len();
    let name = match (rows.len(), others) {
        (_, 0) => return rows,
        (0, all) => format!("All {all} components"),
        (_, 1) => "The other component".to_owned(),
        (_, others) => format!("The other {others} components"),
    };
    rows.push((None, name));
    rows
}

fn head(svg: &mut String, story: &Story) {
    let (title, day) = (label(&story.scenario.title, 110), story.day());
    let zone = story.scenario.time_zone;
    let _ = writeln!(
        svg,
        r#"<text x="10" y="24" font-size="15" font-weight="600">{title}</text>
<text x="10" y="43" class="quiet">{day}, times of {zone}</text>"#
    );
}

fn times(svg: &mut String, story: &Story, axis: &Axis, bottom: i64) {
    for tick in axis.ticks(story.scenario.time_zone) {
        let (x, clock) = (tick.x, tick.clock);
        let _ = writeln!(
            svg,
            r#"<line class="grid" x1="{x}" y1="66" x2="{x}" y2="{bottom}"/><text class="quiet" x="{x}" y="60" text-anchor="middle">{clock}</text>"#
        );
        if let Some(day) = tick.day {
            let _ = writeln!(
                svg,
                r#"<text class="quiet" x="{x}" y="44" text-anchor="middle">{day}</text>"#
            );
        }
    }
    for piece in axis.pieces().iter().filter(|piece| piece.is_squeezed) {
        let (left, right) = (piece.x + 5, piece.x + piece.width - 5);
        let (middle, lasts) = (piece.x + piece.width / 2, piece.until.since(piece.from));
        let _ = writeln!(
            svg,
            r#"<g class="squeezed"><title>drawn short: {lasts}</title><text class="quiet" x="{middle}" y="{below}" text-anchor="middle" font-size="10.5">{lasts}</text><path class="ink" fill="none" stroke-dasharray="2 3" d="M{left} 66V{bottom}M{right} 66V{bottom}"/><path class="ink" fill="none" d="M{left} 66l8 -4l8 8l8 -8l8 8l8 -8L{right} 66"/></g>"#,
            lasts = length(lasts.into()),
            below = bottom + 12,
        );
    }
}

/// The colour of an event's mark: red for what begins, green for what is mended, and another for
/// both at once and for neither.
fn tone(event: &Event) -> &'static str {
    match (event.begin.is_empty(), event.end.is_empty()) {
        (false, true) => FAULT,
        (true, false) => MENDED,
        (false, false) | (true, true) => OTHER,
    }
}

fn mark(svg: &mut String, x: i64, y: i64, n: usize, event: &Event) {
    let (tone, below) = (tone(event), y + 4);
    let _ = writeln!(
        svg,
        r##"<circle cx="{x}" cy="{y}" r="8" fill="{tone}"/><text x="{x}" y="{below}" text-anchor="middle" font-size="10" font-weight="600" style="fill:#fff">{n}</text>"##
    );
}

fn events_lane(svg: &mut String, story: &Story, axis: &Axis, marks: &[(&Event, i64)], bottom: i64) {
    lane(svg, TOP, "What happens", &[]);
    for (n, (event, level)) in (1..).zip(marks) {
        let (x, y) = (axis.x(event.at), TOP + 12 + level * MARK);
        let title = format!("{} {}", story.clock(event.at), event.says);
        let _ = writeln!(
            svg,
            r#"<g class="event"><title>{}</title><line x1="{x}" y1="{y}" x2="{x}" y2="{bottom}" stroke="{}" stroke-opacity="0.45"/>"#,
            label(&title, 300),
            tone(event),
        );
        mark(svg, x, y, n, event);
        svg.push_str("</g>\n");
    }
}

/// The name of a lane, and what is told of it.
fn lane(svg: &mut String, top: i64, name: &str, told: &[String]) {
    let y = top + 14;
    let _ = writeln!(svg, r#"<text x="10" y="{y}" font-weight="600">{}</text>"#, label(name, 34));
    for (n, line) in (0..).zip(told) {
        let (y, line) = (y + 13 + n * 12, label(line, 44));
        let _ =
            writeln!(svg, r#"<text class="quiet" x="10" y="{y}" font-size="10.5">{line}</text>"#);
    }
}

/// The real page: silent until its first word, then speaking until it called it resolved.
fn real_lane(svg: &mut String, story: &Story, axis: &Axis, top: i64) {
    let Some(report) = &story.scenario.report else { return };
    // People wrote these times down, to the minute.
    let minute = |at| {
        let clock = story.clock(at);
        clock.strip_suffix(":00").map_or_else(|| clock.clone(), str::to_owned)
    };
    let (first, resolved) = (minute(report.first_post), minute(report.resolved));
    let after = story.real_lag().map(length).unwrap_or_default();
    let told = [format!("first word {first}, after {after}"), format!("resolved {resolved}")];
    lane(svg, top, "The real status page", &told);
    let [from, spoke, until] =
        [report.impact_from, report.first_post, report.resolved].map(|at| axis.x(at));
    let (y, silent, speaking) = (top + 20, spoke - from, until - spoke);
    let _ = writeln!(
        svg,
        r##"<g class="real"><title>{}</title><line x1="{from}" y1="{y}" x2="{spoke}" y2="{y}" stroke="{FAULT}" stroke-width="2" stroke-dasharray="3 4"/><rect x="{spoke}" y="{}" width="{}" height="6" rx="3" fill="#8c959f"/>"##,
        label(&report.title, 300),
        y - 3,
        speaking.max(2),
    );
    dot(svg, spoke, y, IncidentStatus::Investigating);
    dot(svg, until, y, IncidentStatus::Resolved);
    if silent > 60 {
        let (x, y) = (from + silent / 2, y - 7);
        let _ = writeln!(
            svg,
            r#"<text class="quiet" x="{x}" y="{y}" text-anchor="middle" font-size="10.5">silent for {after}</text>"#
        );
    }
    svg.push_str("</g>\n");
}

/// Farol's page: a bar for each incident, a mark for each update.
fn farol_lane(svg: &mut String, story: &Story, axis: &Axis, top: i64) {
    let mut told = Vec::new();
    let symptom = story.shown().and_then(|round| round.outcome.symptoms.first());
    if let Some((_, update)) = story.read_first() {
        let lag = symptom.and_then(Symptom::lag);
        let after = lag.map_or_else(String::new, |lag| format!(", after {lag}"));
        told.push(format!("first word {}{after}", story.clock(update.at)));
    }
    let last = story.told().last().and_then(|incident| incident.updates.first());
    match last {
        Some(last) => told.push(format!("{} {}", last.status, story.clock(last.at))),
        None => told.push("published nothing".to_owned()),
    }
    lane(svg, top, "Farol", &told);
    let y = top + 20;
    for incident in story.told() {
        let (Some(last), Some(first)) = (incident.updates.first(), incident.updates.last()) else {
            continue;
        };
        let is_over = incident.status == IncidentStatus::Resolved;
        let end = if is_over { last.at } else { story.scenario.ends };
        let (from, until) = (axis.x(first.at), axis.x(end));
        let _ = writeln!(
            svg,
            r##"<g class="incident"><title>{}</title><rect x="{from}" y="{}" width="{}" height="6" rx="3" fill="#8250df" fill-opacity="0.55"/></g>"##,
            label(&incident.title, 300),
            y - 3,
            (until - from).max(2),
        );
        for update in incident.updates.iter().rev() {
            let title = format!("{} {}: {}", story.clock(update.at), update.status, update.body);
            let _ = writeln!(svg, r#"<g class="update"><title>{}</title>"#, label(&title, 600));
            dot(svg, axis.x(update.at), y, update.status);
            svg.push_str("</g>\n");
        }
    }
}

/// A word on a status page: each status has its own shape and colour.
fn dot(svg: &mut String, x: i64, y: i64, status: IncidentStatus) {
    let edge = r##"stroke="#fff""##;
    let _ = match status {
        IncidentStatus::Investigating => {
            writeln!(svg, r#"<circle cx="{x}" cy="{y}" r="5.5" fill="{FAULT}" {edge}/>"#)
        }
        IncidentStatus::Identified => {
            writeln!(svg, r##"<path d="M{x} {}l6 6l-6 6l-6 -6z" fill="#bc4c00" {edge}/>"##, y - 6)
        }
        IncidentStatus::Monitoring => writeln!(
            svg,
            r#"<rect x="{}" y="{}" width="10" height="10" fill="{OTHER}" {edge}/>"#,
            x - 5,
            y - 5
        ),
        IncidentStatus::Resolved => {
            writeln!(svg, r#"<path d="M{} {}h12l-6 -11z" fill="{MENDED}" {edge}/>"#, x - 6, y + 5)
        }
    };
}

/// How thick the bar of a status is, so that the worse is seen without its colour, too.
const fn thickness(status: ComponentStatus) -> i64 {
    match status {
        ComponentStatus::Operational => 3,
        ComponentStatus::UnderMaintenance => 7,
        ComponentStatus::DegradedPerformance => 9,
        ComponentStatus::PartialOutage => 12,
        ComponentStatus::MajorOutage => 16,
    }
}

fn component(
    svg: &mut String,
    story: &Story,
    axis: &Axis,
    (id, name): &(Option<&str>, String),
    top: i64,
) {
    let middle = top + ROW / 2;
    let _ = writeln!(svg, r#"<text x="10" y="{}">{}</text>"#, middle + 4, label(name, 36));
    // Those that were well throughout are drawn as one that is not there.
    let stretches = story.stretches(id.unwrap_or_default());
    let ends = stretches.iter().skip(1).map(|(at, _)| *at).chain([story.scenario.ends]);
    for ((from, status), until) in stretches.iter().zip(ends) {
        // What lasted for a moment must be seen, too.
        let least = if status.is_bad() { 2 } else { 0 };
        let x = axis.x(*from);
        let (width, thick) = ((axis.x(until) - x).max(least), thickness(*status));
        if width > 0 {
            let (from, until) = (story.clock(*from), story.clock(until));
            let _ = writeln!(
                svg,
                r#"<rect x="{x}" y="{}" width="{width}" height="{thick}" fill="{}"><title>{status} from {from} to {until}</title></rect>"#,
                middle - thick / 2,
                colour(*status),
            );
        }
    }
}

/// When something was found that is not as it should be.
fn wrongs(svg: &mut String, story: &Story, axis: &Axis, top: i64) {
    let y = top + ROW / 2;
    let _ = writeln!(
        svg,
        r#"<text x="10" y="{}" font-weight="600" style="fill:{FAULT}">Not as it should be</text>"#,
        y + 4
    );
    let all = story.shown().into_iter().flat_map(|round| &round.outcome.wrongs);
    for wrong in all {
        let (x, title) = (axis.x(wrong.at), format!("{}: {}", story.clock(wrong.at), wrong.what));
        let _ = writeln!(
            svg,
            r#"<path class="wrong" d="M{} {}l10 10m0 -10l-10 10" stroke="{FAULT}" stroke-width="3"><title>{}</title></path>"#,
            x - 5,
            y - 5,
            label(&title, 600),
        );
    }
}

/// Where the real page spoke on after the story was over, the bars end sooner than the axis.
fn end_of_story(svg: &mut String, story: &Story, axis: &Axis, bottom: i64) {
    let ends = story.scenario.ends;
    if moments(story).last().is_some_and(|last| *last > ends) {
        let x = axis.x(ends);
        let _ = writeln!(
            svg,
            r#"<line class="ink" x1="{x}" y1="66" x2="{x}" y2="{bottom}" stroke-dasharray="1 3"><title>here the story ends</title></line>"#
        );
    }
}

/// What the shapes are.
fn kinds(svg: &mut String, y: i64) {
    let mut x = MARGIN;
    for status in IncidentStatus::ALL {
        dot(svg, x + 6, y - 4, status);
        let _ = writeln!(svg, r#"<text class="quiet" x="{}" y="{y}">{status}</text>"#, x + 17);
        x += 165;
    }
}

/// The events in words.
fn list(svg: &mut String, story: &Story, marks: &[(&Event, i64)], top: i64) {
    for (n, (event, _)) in (1..).zip(marks) {
        let y = top + i64::try_from(n).unwrap_or(0) * LINE - 4;
        mark(svg, 18, y - 4, n, event);
        let (clock, says) = (story.clock(event.at), label(&event.says, 140));
        let _ = writeln!(
            svg,
            r#"<text x="36" y="{y}"><tspan class="quiet">{clock}</tspan>  {says}</text>"#
        );
    }
}
