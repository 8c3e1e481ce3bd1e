//! Component status over time as a picture (SVG): a row for each component, in it a bar for each
//! report, and the incidents beneath.

use std::collections::BTreeSet;
use std::fmt::Write;

use crate::drawing::{self, colour};
use crate::model::{ComponentId, ComponentStatus, Timestamp};

use super::report::{Report, Stretch};

const WIDTH: i64 = 1_100;
/// What stands to the left of the bars.
const MARGIN: i64 = 250;
const BAR: i64 = 14;
const GAP: i64 = 12;
const TOP: i64 = 58;
/// About so many times are written along the top.
const TICKS: i64 = 6;

/// Draws `reports`, which are of the same time.
pub fn picture(reports: &[Report]) -> String {
    let from = reports.iter().map(|report| report.from).min().unwrap_or(Timestamp::EPOCH);
    let to = reports.iter().map(|report| report.to).max().unwrap_or(from);
    let scale = Scale { from, to };
    let components: BTreeSet<&ComponentId> =
        reports.iter().flat_map(|report| report.stretches.keys()).collect();
    let lanes = i64::try_from(reports.len()).unwrap_or(1);
    let row = lanes * BAR + GAP;
    let rows = i64::try_from(components.len()).unwrap_or(0);
    let height = TOP + (rows + 1) * row + 40;
    let mut svg = drawing::begin(WIDTH, height);
    times(&mut svg, scale, height - 40);
    for (index, component) in (0..).zip(&components) {
        let top = TOP + index * row;
        let name = reports.iter().find_map(|report| report.names.get(*component));
        let name = name.map_or_else(|| component.to_string(), Clone::clone);
        let middle = top + lanes * BAR / 2 + 4;
        let _ = writeln!(svg, r#"<text x="10" y="{middle}">{}</text>"#, drawing::label(&name, 24));
        for (lane, report) in (0..).zip(reports) {
            label(&mut svg, top + lane * BAR, &report.name);
            let stretches = report.stretches.get(*component).map(Vec::as_slice);
            bar(&mut svg, scale, top + lane * BAR, stretches.unwrap_or_default());
        }
    }
    incidents(&mut svg, scale, TOP + rows * row, reports);
    drawing::legend(&mut svg, MARGIN, height - 16);
    svg.push_str("</svg>\n");
    svg
}

/// Where a time lies across the picture.
#[derive(Clone, Copy)]
struct Scale {
    from: Timestamp,
    to: Timestamp,
}

impl Scale {
    fn x(self, at: Timestamp) -> i64 {
        let (from, to) = (i128::from(self.from.as_micros()), i128::from(self.to.as_micros()));
        let at = i128::from(at.as_micros()).clamp(from, to);
        let room = i128::from(WIDTH - MARGIN - 20);
        i64::try_from((at - from) * room / (to - from).max(1)).unwrap_or(0) + MARGIN
    }
}

fn times(svg: &mut String, scale: Scale, bottom: i64) {
    let second = |at: Timestamp| at.as_micros().div_euclid(1_000_000);
    let (from, to) = (second(scale.from), second(scale.to));
    let step = drawing::step(to - from, TICKS);
    let first = from.div_euclid(step) * step + step;
    let whole = Timestamp::from_secs(from).to_utc().format("%-d %B %Y");
    let _ = writeln!(svg, r#"<text x="10" y="20" class="quiet">From {whole}, times in UTC</text>"#);
    let form = if step >= 86_400 {
        "%-d %b"
    } else if step < 60 {
        "%H:%M:%S"
    } else {
        "%H:%M"
    };
    // No more than fit, whatever the steps are.
    for at in (first..=to).step_by(usize::try_from(step).unwrap_or(1)).take(20) {
        let at = Timestamp::from_secs(at);
        let (x, text) = (scale.x(at), at.to_utc().format(form));
        let _ = writeln!(
            svg,
            r#"<line class="grid" x1="{x}" y1="46" x2="{x}" y2="{bottom}"/><text class="quiet" x="{x}" y="40" text-anchor="middle">{text}</text>"#
        );
    }
}

fn label(svg: &mut String, top: i64, name: &str) {
    let (x, y) = (MARGIN - 8, top + BAR - 4);
    let _ = writeln!(
        svg,
        r#"<text class="quiet" x="{x}" y="{y}" text-anchor="end" font-size="10">{}</text>"#,
        drawing::label(name, 18)
    );
}

fn bar(svg: &mut String, scale: Scale, top: i64, stretches: &[Stretch]) {
    let well = Stretch { since: scale.from, status: ComponentStatus::Operational };
    let all: Vec<Stretch> = std::iter::once(well).chain(stretches.iter().copied()).collect();
    let ends = all.iter().skip(1).map(|next| next.since).chain([scale.to]);
    for (stretch, end) in all.iter().zip(ends) {
        // What lasted for a moment must be seen, too.
        let least = i64::from(stretch.status.is_bad()) * 2;
        let (x, width) =
            (scale.x(stretch.since), (scale.x(end) - scale.x(stretch.since)).max(least));
        if width > 0 {
            let (height, colour) = (BAR - 2, colour(stretch.status));
            let title = format!("{} from {} to {end}", stretch.status, stretch.since);
            let _ = writeln!(
                svg,
                r#"<rect x="{x}" y="{top}" width="{width}" height="{height}" fill="{colour}"><title>{title}</title></rect>"#
            );
        }
    }
}

fn incidents(svg: &mut String, scale: Scale, top: i64, reports: &[Report]) {
    let lanes = i64::try_from(reports.len()).unwrap_or(1);
    let middle = top + lanes * BAR / 2 + 4;
    let _ = writeln!(svg, r#"<text x="10" y="{middle}" font-weight="600">Incidents</text>"#);
    for (lane, report) in (0..).zip(reports) {
        let top = top + lane * BAR;
        label(svg, top, &report.name);
        for incident in report.incidents.values() {
            let x = scale.x(incident.opened_at);
            let width = (scale.x(incident.end(report.to)) - x).max(3);
            let _ = writeln!(
                svg,
                r##"<rect x="{x}" y="{}" width="{width}" height="{}" rx="3" fill="#8250df"><title>{}</title></rect>"##,
                top + 2,
                BAR - 6,
                drawing::label(&incident.title, 300),
            );
        }
    }
}
