//! The words of mistakes that take some putting together.

use super::{Mistake, VariableMistake};

impl Mistake {
    /// An unknown key, with what it was probably meant as.
    pub(in super::super) fn unknown_key(
        key: &str,
        section: &'static str,
        near: Option<&str>,
        known: &[&str],
    ) -> Self {
        let known = list(known);
        let help = match near {
            Some(near) => format!("did you mean `{near}`? Known here: {known}"),
            None => format!("known here: {known}"),
        };
        Self::UnknownKey { key: shorten(key), section, help }
    }

    /// A variable that is not among those of the matrix, which are `known`.
    pub(in super::super) fn unknown_variable(got: String, known: &str) -> Self {
        let help = if known.is_empty() {
            format!("give the check one: matrix = {{ {got} = [\"...\", \"...\"] }}")
        } else {
            format!("known here: {known}")
        };
        Self::OfVariables(VariableMistake::UnknownInMatrix { got, help })
    }

    /// A break of the syntax, in the parser's words.
    pub(in super::super) fn syntax(message: &str) -> Self {
        let help = if message.starts_with("duplicate key") {
            "keep one of the two; a list of tables has double brackets: `[[component]]`"
        } else {
            "texts stand in quotes, `[table]` on a line of its own; see https://toml.io"
        };
        Self::Syntax { message: message.to_owned(), help }
    }

    /// Whether it may only seem so because a part of the file could not be read.
    pub(in super::super) const fn is_absence(&self) -> bool {
        matches!(
            self,
            Self::MissingKey { .. }
                | Self::NoneOf { .. }
                | Self::EmptyPlatform
                | Self::NoChecks
                | Self::NoPageId { .. }
        )
    }

    /// Whether it is about the text, before any key has been looked at.
    pub(in super::super) const fn is_syntax(&self) -> bool {
        matches!(self, Self::Syntax { .. })
    }
}

/// As much of what the user wrote as fits in a line.
pub(in super::super) fn shorten(text: &str) -> String {
    const MOST: usize = 60;
    let mut short: String =
        text.chars().take(MOST).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(MOST).is_some() {
        short.push_str("...");
    }
    short
}

/// `a`, `b`, `c`.
pub(in super::super) fn list(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

pub(super) fn one_or_two(count: usize) -> &'static str {
    if count == 1 { "a single reference" } else { "two references" }
}

pub(super) fn article(word: &str) -> String {
    let vowel = word.starts_with(['a', 'e', 'i', 'o', 'u', 'A']);
    format!("{} {word}", if vowel { "an" } else { "a" })
}

pub(super) fn with_units(got: &str, units: &[&str]) -> String {
    units.iter().map(|unit| format!("\"{got}{unit}\"")).collect::<Vec<_>>().join(" or ")
}

pub(super) fn perhaps(suggestion: &Option<String>) -> String {
    suggestion.as_ref().map(|it| format!(": \"{it}\", perhaps")).unwrap_or_default()
}
