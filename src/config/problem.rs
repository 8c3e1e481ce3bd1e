//! Mistakes with their places, gathered while reading and shown as a report.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, Severity,
    SourceCode,
};

use super::mistake::Mistake;

/// So many problems are drawn; of a file that is wrong from end to end nobody reads more.
const SHOWN: usize = 100;

/// Lines of more bytes than this are not drawn: they would fill the terminal.
const LONGEST_LINE: usize = 500;

/// A probe file's text and the name that reports call it by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// The path, as the user gave it.
    pub name: String,
    /// What it says.
    pub text: String,
}

/// Everything that is wrong with the probe files.
#[derive(Debug)]
pub struct ConfigError {
    problems: Vec<Problem>,
}

impl ConfigError {
    pub(super) fn new(problems: Vec<Problem>) -> Self {
        Self { problems }
    }

    /// The problems, file by file and from top to bottom.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// The report for a terminal that is `width` columns wide: each problem with its file, line,
    /// caret, code and help, and their number at the end.
    pub fn render(&self, color: bool, width: usize) -> String {
        let theme = match color {
            true => GraphicalTheme::unicode(),
            false => GraphicalTheme::unicode_nocolor(),
        };
        let handler =
            GraphicalReportHandler::new_themed(theme).with_links(false).with_width(width.max(40));
        let mut text = String::new();
        for problem in self.problems.iter().take(SHOWN) {
            // Writing into a string cannot fail, and a problem that cannot be drawn still has words.
            if handler.render_report(&mut text, problem).is_err() {
                text.push_str(&problem.to_string());
            }
            text.push('\n');
        }
        if let Some(more @ 1..) = self.problems.len().checked_sub(SHOWN) {
            text.push_str(&format!("... and {more} more\n"));
        }
        text.push_str(&format!("{self}\n"));
        text
    }
}

/// How many there are.
impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.problems.len() {
            1 => f.write_str("the configuration has 1 mistake"),
            count => write!(f, "the configuration has {count} mistakes"),
        }
    }
}

impl std::error::Error for ConfigError {}

impl Diagnostic for ConfigError {
    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        Some(Box::new(self.problems.iter().map(|problem| problem as &dyn Diagnostic)))
    }
}

/// One mistake and where it was made.
#[derive(Debug)]
pub struct Problem {
    mistake: Mistake,
    file: String,
    source: Option<NamedSource<Arc<str>>>,
    drawn: bool,
    labels: Vec<LabeledSpan>,
    elsewhere: Option<Elsewhere>,
}

impl Problem {
    /// A problem with a file or directory as such.
    pub(super) fn of_path(path: &std::path::Path, mistake: Mistake) -> Self {
        let file = path.display().to_string();
        Self { mistake, file, source: None, drawn: false, labels: Vec::new(), elsewhere: None }
    }

    /// The stable code, `farol::config::unknown_key`.
    pub fn code(&self) -> String {
        self.mistake.code().map(|code| code.to_string()).unwrap_or_default()
    }

    /// How to mend it.
    pub fn help(&self) -> String {
        self.mistake.help().map(|help| help.to_string()).unwrap_or_default()
    }

    /// The file, as the user named it.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The line, counted from 1, if the problem is inside of a file.
    pub fn line(&self) -> Option<usize> {
        let text = self.source.as_ref()?.inner();
        let offset = self.labels.first()?.offset();
        let before = text.as_bytes().get(..offset)?;
        Some(before.iter().filter(|byte| **byte == b'\n').count() + 1)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Where nothing is drawn there is no frame to say where.
        match self.line() {
            Some(line) if !self.drawn => write!(f, "{}, line {line}: ", self.file)?,
            None if !self.file.is_empty() => write!(f, "{}: ", self.file)?,
            Some(_) | None => {}
        }
        self.mistake.fmt(f)
    }
}

impl std::error::Error for Problem {}

impl Diagnostic for Problem {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.mistake.code()
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.mistake.help()
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.as_ref().filter(|_| self.drawn).map(|source| source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().filter(|_| self.drawn).cloned()))
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        let elsewhere = self.elsewhere.as_ref()?;
        Some(Box::new(std::iter::once(elsewhere as &dyn Diagnostic)))
    }
}

/// The other file that a problem is about.
#[derive(Debug)]
struct Elsewhere {
    source: NamedSource<Arc<str>>,
    label: LabeledSpan,
}

impl fmt::Display for Elsewhere {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the other one")
    }
}

impl std::error::Error for Elsewhere {}

impl Diagnostic for Elsewhere {
    fn severity(&self) -> Option<Severity> {
        Some(Severity::Advice)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(std::iter::once(self.label.clone())))
    }
}

/// What has been found in one file so far.
#[derive(Debug)]
pub(super) struct Problems<'f> {
    file: &'f SourceFile,
    found: Vec<Found>,
    hidden: Vec<Range<usize>>,
    forgiven: Vec<Range<usize>>,
}

#[derive(Debug)]
struct Found {
    mistake: Mistake,
    labels: Vec<LabeledSpan>,
    other_file: Option<(usize, LabeledSpan)>,
}

impl<'f> Problems<'f> {
    pub(super) fn new(file: &'f SourceFile) -> Self {
        Self { file, found: Vec::new(), hidden: Vec::new(), forgiven: Vec::new() }
    }

    /// A mistake at `span`.
    pub(super) fn report(&mut self, span: Range<usize>, mistake: Mistake) {
        self.report_all([(span, None)], mistake);
    }

    /// A mistake that several places make together; the first is where it is counted.
    pub(super) fn report_all<'l>(
        &mut self,
        places: impl IntoIterator<Item = (Range<usize>, Option<&'l str>)>,
        mistake: Mistake,
    ) {
        let mut labels: Vec<LabeledSpan> =
            places.into_iter().map(|(span, label)| self.label(span, label)).collect();
        // What is told of a part of such a text is not an echo but what it echoes.
        let echoes =
            |label: &LabeledSpan| self.forgiven.iter().any(|span| span.start == label.offset());
        if labels.first().is_some_and(echoes) {
            return;
        }
        if let Some(first) = labels.first_mut() {
            let label = first.label().map(str::to_owned);
            *first = LabeledSpan::new_primary_with_span(label, *first.inner());
        }
        self.found.push(Found { mistake, labels, other_file: None });
    }

    /// A mistake at `span` that the file with the index `other` makes together with this one.
    pub(super) fn report_with_file(
        &mut self,
        span: Range<usize>,
        (other, other_label): (usize, LabeledSpan),
        mistake: Mistake,
    ) {
        let labels = vec![self.label(span, None)];
        self.found.push(Found { mistake, labels, other_file: Some((other, other_label)) });
    }

    /// How many mistakes there are so far, for [`Problems::forget_repeats`].
    pub(super) fn count(&self) -> usize {
        self.found.len()
    }

    /// Of the mistakes since there were `before`, keeps one of each kind for each place: what is
    /// read once for each of several values is wrong in the same way each time.
    pub(super) fn forget_repeats(&mut self, before: usize) {
        let mut known = std::collections::BTreeSet::new();
        let new = self.found.split_off(before.min(self.found.len()));
        self.found.extend(new.into_iter().filter(|found| {
            let at = found.labels.first().map(LabeledSpan::offset);
            known.insert((at, found.mistake.code().map(|code| code.to_string())))
        }));
    }

    /// Keeps a secret that was written in plain text out of every report about this file.
    pub(super) fn hide(&mut self, span: Range<usize>) {
        self.hidden.push(span);
    }

    /// Takes whatever will be wrong at `span` for an echo of what has been told already.
    pub(super) fn forgive(&mut self, span: Range<usize>) {
        self.forgiven.push(span);
    }

    /// The text at `span`, as it stands in the file.
    pub(super) fn text(&self, span: Range<usize>) -> &'f str {
        self.file.text.get(span).unwrap_or_default()
    }

    /// Forgets mistakes that may only be there because the syntax is broken at `errors`:
    ///
    /// 1. what seems missing may stand in the part that could not be read;
    /// 2. what is wrong on a broken line is not what its author wrote;
    /// 3. if a table's header is broken, what follows it was read into the wrong table.
    pub(super) fn forget_echoes_of(&mut self, errors: &[Range<usize>]) {
        let text = self.file.text.as_str();
        let line_start =
            |at: usize| text.get(..at).and_then(|s| s.rfind('\n')).map_or(0, |at| at + 1);
        let lines: std::collections::BTreeSet<usize> =
            errors.iter().map(|span| line_start(span.start.min(text.len()))).collect();
        let header_broken = lines
            .iter()
            .any(|at| text.get(*at..).is_some_and(|line| line.trim_start().starts_with('[')));
        self.found.retain(|found| {
            let at = found.labels.first().map_or(0, |label| line_start(label.offset()));
            found.mistake.is_syntax()
                || !(header_broken || found.mistake.is_absence() || lines.contains(&at))
        });
    }

    /// A label that stays inside of the text and of one line: carets under half of a file help
    /// nobody.
    pub(super) fn label(&self, span: Range<usize>, label: Option<&str>) -> LabeledSpan {
        let text = self.file.text.as_str();
        let start = floor_char_boundary(text, span.start);
        let end = floor_char_boundary(text, span.end).max(start);
        let line = text.get(start..end).and_then(|part| part.lines().next()).unwrap_or_default();
        LabeledSpan::new(label.map(str::to_owned), start, line.len())
    }

    /// Whether the line of this label and the two around it can be shown.
    fn is_drawable(&self, label: &LabeledSpan) -> bool {
        let text = self.file.text.as_str();
        let (before, after) = text.split_at_checked(label.offset()).unwrap_or_default();
        let above = before.rsplit('\n').nth(1).unwrap_or_default();
        let begun = before.rsplit('\n').next().unwrap_or_default();
        let mut rest = after.split('\n');
        let line = begun.len() + rest.next().unwrap_or_default().len();
        let below = rest.next().unwrap_or_default();
        above.len().max(line).max(below.len()) <= LONGEST_LINE
    }

    /// The file as it may be shown: every secret masked, and nothing left that a terminal would
    /// obey. Byte for byte, so that places stay where they are.
    fn masked(&self) -> NamedSource<Arc<str>> {
        let shown =
            |c: char| if c.is_ascii_control() && !c.is_ascii_whitespace() { '?' } else { c };
        let mut text: String = self.file.text.chars().map(shown).collect();
        for span in &self.hidden {
            if let Some(secret) = text.get(span.clone()) {
                let mask: String = secret
                    .bytes()
                    .map(|byte| if byte.is_ascii_whitespace() { char::from(byte) } else { '*' })
                    .collect();
                text.replace_range(span.clone(), &mask);
            }
        }
        NamedSource::new(&self.file.name, Arc::from(text))
    }
}

/// What all files' problems come to, in the order of the files and from top to bottom.
pub(super) fn collect(files: Vec<Problems<'_>>) -> Vec<Problem> {
    let sources: Vec<_> = files.iter().map(Problems::masked).collect();
    let mut problems = Vec::new();
    for (mut file, source) in files.into_iter().zip(&sources) {
        file.found.sort_by_key(|found| found.labels.first().map(LabeledSpan::offset));
        let found = std::mem::take(&mut file.found);
        problems.extend(found.into_iter().map(|found| Problem {
            mistake: found.mistake,
            file: file.file.name.clone(),
            source: Some(source.clone()),
            drawn: found.labels.iter().all(|label| file.is_drawable(label)),
            labels: found.labels,
            elsewhere: found.other_file.and_then(|(other, label)| {
                Some(Elsewhere { source: sources.get(other)?.clone(), label })
            }),
        }));
    }
    problems
}

fn floor_char_boundary(text: &str, at: usize) -> usize {
    let at = at.min(text.len());
    (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}
