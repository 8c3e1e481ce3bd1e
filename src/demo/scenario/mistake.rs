//! What is wrong with a scenario file, and where.

use std::fmt::{self, Write as _};
use std::ops::Range;

/// Everything that is wrong with one file.
#[derive(Clone, Debug)]
pub struct ScenarioError {
    name: String,
    text: String,
    mistakes: Vec<ScenarioMistake>,
}

/// One mistake and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScenarioMistake {
    /// Where in the text.
    pub span: Range<usize>,
    /// What is wrong, and how to mend it.
    pub what: String,
}

impl ScenarioMistake {
    pub(super) fn new(span: Range<usize>, what: impl Into<String>) -> Self {
        Self { span, what: what.into() }
    }
}

impl ScenarioError {
    pub(super) fn new(name: &str, text: &str, mut mistakes: Vec<ScenarioMistake>) -> Self {
        mistakes.sort_by_key(|mistake| mistake.span.start);
        Self { name: name.to_owned(), text: text.to_owned(), mistakes }
    }

    /// The line of a place, counted from 1, what it says, and where in it the place is.
    fn line_of(&self, span: &Range<usize>) -> (usize, &str, usize, usize) {
        let start = span.start.min(self.text.len());
        let before = self.text.get(..start).unwrap_or_default();
        let number = before.matches('\n').count() + 1;
        let begins = before.rfind('\n').map_or(0, |at| at + 1);
        let line = self.text.get(begins..).and_then(|rest| rest.lines().next()).unwrap_or_default();
        let column = start - begins;
        let length = span.len().min(line.len().saturating_sub(column)).max(1);
        (number, line, column, length)
    }
}

/// Each mistake with its file and line, what the line says, and a caret under the place.
impl fmt::Display for ScenarioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        for mistake in &self.mistakes {
            let (number, line, column, length) = self.line_of(&mistake.span);
            let caret = "^".repeat(length);
            writeln!(text, "{}, line {number}: {}", self.name, mistake.what)?;
            writeln!(text, "    {line}\n    {:column$}{caret}", "")?;
        }
        f.write_str(text.trim_end())
    }
}

impl std::error::Error for ScenarioError {}
