//! A check's requests below each other, each with a bar that tells when its phases were. Pure.

use crate::check::{Exchange, Purpose};
use crate::model::{Finding, Observation, Phase, Phases, Span, Variant};

use super::super::print::{Tone, paint};
use super::tone;

/// What a bar can be as narrow as, where the terminal has no room.
const NARROWEST: usize = 20;

/// Room for a request's URL and for a step's name; what is longer is cut.
const URL_WIDTH: (usize, usize) = (24, 56);
const STEP_WIDTH: usize = 20;

/// What is drawn on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Paper {
    pub(super) width: usize,
    pub(super) colours: bool,
}

/// A request in the picture: its words, and what stands below it.
struct Row {
    step: String,
    request: String,
    status: String,
    offset: Span,
    phases: Phases,
    failed: bool,
    notes: Vec<String>,
}

impl Row {
    fn of(exchange: &Exchange) -> Self {
        let mark = match exchange.purpose {
            Purpose::Answer => "",
            Purpose::Part => "+ ",
            Purpose::Token => "token: ",
        };
        let status = exchange.answer.as_ref().map(|answer| answer.status.to_string());
        let redirect = exchange.redirect.iter().map(|url| format!("-> {url}"));
        let extracted = Some(exchange.extracted.join(", ")).filter(|names| !names.is_empty());
        let extracted = extracted.map(|names| format!("extracted {names}"));
        let failure = exchange.failure.iter().cloned();
        Self {
            step: exchange.step.as_deref().unwrap_or_default().to_owned(),
            request: format!("{mark}{} {}", exchange.method, exchange.url),
            status: status.unwrap_or_else(|| "---".to_owned()),
            offset: exchange.offset,
            phases: exchange.phases,
            failed: exchange.failure.is_some(),
            notes: redirect.chain(extracted).chain(failure).collect(),
        }
    }

    /// Where there is no HTTP, or it did not come so far, there are the phases.
    fn of_finding(finding: &Finding) -> Self {
        Self {
            step: String::new(),
            request: finding.address.map_or_else(String::new, |address| address.to_string()),
            status: String::new(),
            offset: Span::ZERO,
            phases: finding.phases,
            failed: finding.reason.is_some(),
            notes: Vec::new(),
        }
    }

    fn end(&self) -> u64 {
        self.offset.as_micros().saturating_add(self.phases.total().as_micros())
    }
}

/// All requests of `observation`, finding by finding, in one scale.
pub(super) fn draw(observation: &Observation, exchanges: &[Exchange], paper: Paper) -> String {
    let mut groups = Vec::new();
    let is_alone = |variant: &Option<Variant>| {
        observation.findings.iter().filter(|finding| finding.variant == *variant).count() == 1
    };
    let is_shared = |one: &&Exchange| one.entry.is_none() && !is_alone(&one.variant);
    let shared: Vec<Row> = exchanges.iter().filter(is_shared).map(Row::of).collect();
    for finding in &observation.findings {
        let is_its = |one: &&Exchange| {
            let at_its = one.entry.is_some() && one.entry == finding.address;
            one.variant == finding.variant && (at_its || is_alone(&finding.variant))
        };
        let mut rows: Vec<Row> = exchanges.iter().filter(is_its).map(Row::of).collect();
        if rows.is_empty() {
            rows.push(Row::of_finding(finding));
        }
        groups.push((finding, rows));
    }
    let all = || groups.iter().flat_map(|(_, rows)| rows).chain(&shared);
    let layout = Layout::of(all(), paper);
    let mut text = layout.head();
    for row in &shared {
        layout.row(&mut text, row);
    }
    for (finding, rows) in &groups {
        rows.iter().for_each(|row| layout.row(&mut text, row));
        text.push_str(&verdict(observation, finding, paper.colours));
    }
    text + &layout.legend()
}

/// The line that a finding ends with.
fn verdict(observation: &Observation, finding: &Finding, colours: bool) -> String {
    let word = paint(finding.verdict.as_str(), tone(finding.verdict), colours);
    let address = finding.address.map_or_else(String::new, |address| format!(" at {address}"));
    let variant = finding.variant.as_ref().map_or_else(String::new, |name| format!(" [{name}]"));
    let took = finding.phases.total();
    let mut line = format!("{word}  {}{variant}{address} in {took}", observation.check);
    if let Some(reason) = &finding.reason {
        let step = finding.step.as_ref().map_or_else(String::new, |step| format!("step {step}: "));
        line.push_str(&format!("\n      {step}{}: {reason}", reason.name()));
    }
    line + "\n"
}

/// How wide what is, and how long a letter of a bar takes.
struct Layout {
    step: usize,
    request: usize,
    bar: usize,
    scale: u64,
    colours: bool,
}

impl Layout {
    fn of<'r>(rows: impl Iterator<Item = &'r Row> + Clone, paper: Paper) -> Self {
        let longest = |text: fn(&Row) -> &String, most: usize| {
            rows.clone().map(|row| text(row).chars().count()).max().unwrap_or(0).min(most)
        };
        let step = longest(|row| &row.step, STEP_WIDTH);
        // Status and time, and two spaces between any two columns.
        let rest = 3 + 7 + 2 * 3 + if step > 0 { step + 2 } else { 0 };
        let room = paper.width.saturating_sub(rest + NARROWEST).clamp(URL_WIDTH.0, URL_WIDTH.1);
        let request = longest(|row| &row.request, room).max("REQUEST".len());
        Self {
            step,
            request,
            bar: paper.width.saturating_sub(rest + request).max(NARROWEST),
            scale: rows.map(Row::end).max().unwrap_or(0).max(1),
            colours: paper.colours,
        }
    }

    /// The cells of a line, without its bar.
    fn cells(&self, [step, request, status, took]: [&str; 4]) -> String {
        let step = match self.step {
            0 => String::new(),
            width => format!("{:width$}  ", cut(step, width)),
        };
        let width = self.request;
        format!("{step}{:width$}  {status:>3}  {took:>7}  ", cut(request, width))
    }

    fn head(&self) -> String {
        let end = Span::from_micros(self.scale).to_string();
        let cells = self.cells(["STEP", "REQUEST", "", "TOOK"]);
        let line = format!("{cells}0{end:>width$}", width = self.bar.saturating_sub(1));
        paint(&line, Tone::Strong, self.colours) + "\n"
    }

    fn row(&self, text: &mut String, row: &Row) {
        let took = row.phases.total().to_string();
        let cells = self.cells([&row.step, &row.request, &row.status, &took]);
        let bad = if row.failed { paint(&cells, Tone::Bad, self.colours) } else { cells };
        let line = format!("{bad}{}", self.bar(row));
        text.push_str(line.trim_end());
        text.push('\n');
        let indent = if self.step > 0 { self.step + 2 } else { 0 };
        for note in &row.notes {
            text.push_str(&paint(&format!("{:indent$}  {note}", ""), Tone::Quiet, self.colours));
            text.push('\n');
        }
    }

    /// Each letter is what the middle of its time belongs to.
    fn bar(&self, row: &Row) -> String {
        let cells = u64::try_from(self.bar).unwrap_or(u64::MAX).max(1);
        let phase_at = |cell: u64| {
            let middle = (2 * cell + 1).saturating_mul(self.scale) / (2 * cells);
            let mut end = row.offset.as_micros();
            if middle < end {
                return None;
            }
            row.phases.iter().map(|(phase, took)| (phase, took.as_micros())).find_map(
                |(phase, took)| {
                    end = end.saturating_add(took);
                    (middle < end).then_some(phase)
                },
            )
        };
        let mut bar: Vec<Option<Phase>> = (0..cells).map(phase_at).collect();
        if bar.iter().all(Option::is_none) {
            // What is too short for a letter was there all the same.
            let at = row.offset.as_micros().saturating_mul(cells) / self.scale;
            let longest = row.phases.iter().max_by_key(|(_, took)| *took).map(|(phase, _)| phase);
            let at = usize::try_from(at).unwrap_or(usize::MAX).min(bar.len() - 1);
            bar[at] = longest;
        }
        let runs = bar.chunk_by(|one, other| one == other);
        runs.map(|run| match run.first().copied().flatten() {
            None => " ".repeat(run.len()),
            Some(phase) => {
                let (letter, tone) = sign(phase);
                paint(&letter.repeat(run.len()), tone, self.colours)
            }
        })
        .collect()
    }

    fn legend(&self) -> String {
        let phases = Phase::ALL.map(|phase| {
            let (letter, tone) = sign(phase);
            format!("{} {phase}", paint(letter, tone, self.colours))
        });
        format!("\n{}\n", phases.join("   "))
    }
}

/// How a phase is drawn, legible without colours.
const fn sign(phase: Phase) -> (&'static str, Tone) {
    match phase {
        Phase::Resolve => ("r", Tone::Quiet),
        Phase::Connect => ("c", Tone::Quiet),
        Phase::Tls => ("t", Tone::Quiet),
        Phase::Send => ("s", Tone::Quiet),
        Phase::FirstByte => (".", Tone::Warning),
        Phase::Transfer => ("=", Tone::Good),
    }
}

/// `text` in at most `width` characters: of a URL the end is what differs.
fn cut(text: &str, width: usize) -> String {
    let length = text.chars().count();
    if length <= width {
        return text.to_owned();
    }
    let kept = width.saturating_sub(1);
    let front = kept * 2 / 3;
    let start: String = text.chars().take(front).collect();
    let end: String = text.chars().skip(length - (kept - front)).collect();
    format!("{start}…{end}")
}
