//! The only place that writes to the terminal. A reader that has gone away (`farol check | head`)
//! is no error.

use std::io::{IsTerminal, Write, stderr, stdout};

use crate::config::ConfigError;

/// How wide reports are laid out.
const WIDTH: usize = 100;

/// Prints a line to standard output.
pub(super) fn line(text: &str) {
    let _ = writeln!(stdout(), "{text}");
}

/// Prints text to standard output as it is.
pub(super) fn raw(text: &str) {
    let _ = stdout().write_all(text.as_bytes());
    let _ = stdout().flush();
}

/// Prints an error to standard error.
pub(super) fn error(text: &str) {
    let _ = writeln!(stderr(), "farol: {text}");
}

/// Where a command says what is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Complaints {
    /// On standard error, for people.
    Terminal,
    /// In the log: where a machine reads that, nothing else may stand between its lines.
    Log,
}

impl Complaints {
    /// Says that something is wrong.
    pub(super) fn error(self, text: &str) {
        match self {
            Self::Terminal => error(text),
            Self::Log => tracing::error!("{text}"),
        }
    }

    /// Says everything that is wrong with a configuration.
    pub(super) fn mistakes(self, found: &ConfigError) {
        match self {
            Self::Terminal => {
                let _ = writeln!(stderr(), "{}", found.render(error_colours(), WIDTH));
            }
            Self::Log => {
                for problem in found.problems() {
                    let (code, help) = (problem.code(), problem.help());
                    tracing::error!(code, help, "{problem}");
                }
            }
        }
    }
}

/// How far something long has come, on a line of standard error that is written over; where that is
/// no terminal, nothing.
pub(super) struct Progress {
    what: &'static str,
    total: u64,
    done: u64,
    told: u64,
}

impl Progress {
    pub(super) fn new(what: &'static str, total: u64) -> Self {
        Self { what, total, done: 0, told: 0 }
    }

    /// So much more is done.
    pub(super) fn advance(&mut self, by: usize) {
        self.done += u64::try_from(by).unwrap_or(0);
        let hundredths = self.done.saturating_mul(100) / self.total.max(1);
        if hundredths != self.told && stderr().is_terminal() {
            self.told = hundredths;
            let (done, total, what) = (self.done, self.total.max(self.done), self.what);
            let _ = write!(stderr(), "\r{done} of {total} {what} ({}%)", hundredths.min(100));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.told > 0 {
            let _ = write!(stderr(), "\r\u{1b}[K");
        }
    }
}

/// How wide standard output is.
pub(super) fn width() -> usize {
    let size = terminal_size::terminal_size_of(stdout());
    size.map_or(WIDTH, |(width, _)| usize::from(width.0))
}

/// Whether standard output is a terminal that wants colours (<https://no-color.org>).
pub(super) fn colours() -> bool {
    stdout().is_terminal() && colours_wanted()
}

/// Whether standard error is a terminal that wants colours.
pub(super) fn error_colours() -> bool {
    stderr().is_terminal() && colours_wanted()
}

fn colours_wanted() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// What a piece of text means, for terminals that show colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    Good,
    Warning,
    Bad,
    Quiet,
    Strong,
}

/// `text` in the colour of `tone`, if `colours`.
pub(super) fn paint(text: &str, tone: Tone, colours: bool) -> String {
    if !colours {
        return text.to_owned();
    }
    let code = match tone {
        Tone::Good => "32",
        Tone::Warning => "33",
        Tone::Bad => "31",
        Tone::Quiet => "2",
        Tone::Strong => "1",
    };
    format!("\u{1b}[{code}m{text}\u{1b}[0m")
}
