//! Mistakes about what a platform tells the public in its own words.

use miette::Diagnostic;
use thiserror::Error;

/// A mistake about `[words]`.
#[derive(Clone, Debug, PartialEq, Eq, Error, Diagnostic)]
pub(in super::super) enum WordingMistake {
    /// A template that fails, or comes to what cannot be published.
    #[error("`{key}` {what}{}", so_in(.sample))]
    #[diagnostic(
        code(farol::config::words),
        help("docs/words.md has what a template is given; `farol preview` shows what it comes to")
    )]
    Fails { key: &'static str, what: String, sample: String },
    /// A text tells customers what is not for them.
    #[error("`{key}` says `{said}`, {what}, to the public{}", so_in(.sample))]
    #[diagnostic(
        code(farol::config::words_say),
        help(
            "take it out: customers need to know what does not work, since when, and what comes next"
        )
    )]
    Says { key: &'static str, said: String, what: &'static str, sample: String },
}

/// In which sample it shows.
fn so_in(sample: &str) -> String {
    if sample.is_empty() { String::new() } else { format!(" (shown by the sample \"{sample}\")") }
}
