//! What an HTTP answer must be like: patterns, paths and selectors are compiled
//! when the file is read, and only compared when a check runs.

use http::HeaderName;
use regex::bytes::Regex;
use scraper::Selector;
use serde_json::{Number, Value};
use serde_json_path::JsonPath;
use url::Url;

use super::StatusSet;
use crate::model::Span;

/// What an answer must be like. Unless more is said, a success.
#[derive(Clone, Debug, Default)]
pub struct HttpExpect {
    /// The status codes that pass.
    pub status: StatusSet,
    /// Texts that the body must contain.
    pub body_contains: Vec<String>,
    /// Patterns that the body must match.
    pub body_matches: Vec<Regex>,
    /// What its headers must be.
    pub headers: Vec<(HeaderName, HeaderExpect)>,
    /// Where the redirects must have led.
    pub final_url: Option<UrlExpect>,
    /// Texts that the body must not contain.
    pub body_excludes: Vec<String>,
    /// Patterns that the body must not match.
    pub body_not_matches: Vec<Regex>,
    /// How large the body must be.
    pub size: Option<SizeRange>,
    /// What its JSON must say.
    pub json: Vec<JsonExpect>,
    /// What its HTML must have.
    pub html: Vec<HtmlExpect>,
    /// Whether it is a page whose scripts and stylesheets must load, and which must not be blank.
    pub page: bool,
}

impl HttpExpect {
    /// Whether anything can be said only of the body.
    pub fn looks_into_the_body(&self) -> bool {
        let texts = self.body_contains.is_empty()
            && self.body_matches.is_empty()
            && self.body_excludes.is_empty()
            && self.body_not_matches.is_empty();
        let trees = self.json.is_empty() && self.html.is_empty();
        self.page || self.size.is_some() || !texts || !trees
    }
}

/// What one header must be. One that stands in several lines passes if one of them does.
#[derive(Clone, Debug)]
pub enum HeaderExpect {
    /// This, to the letter.
    Equals(String),
    /// Something that the pattern matches.
    Matches(Regex),
    /// Anything.
    Present,
    /// Not there.
    Absent,
}

/// Where redirects must have led.
#[derive(Clone, Debug)]
pub enum UrlExpect {
    /// Here.
    Equals(Url),
    /// Somewhere that the pattern matches.
    Matches(Regex),
}

/// How large a body must be, in bytes, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SizeRange {
    /// At least so many.
    pub least: u64,
    /// At most so many.
    pub most: u64,
}

/// How many of something there must be, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CountRange {
    /// At least so many.
    pub least: u64,
    /// At most so many.
    pub most: u64,
}

impl CountRange {
    /// At least one.
    pub const SOME: Self = Self { least: 1, most: u64::MAX };
    /// None at all.
    pub const NONE: Self = Self { least: 0, most: 0 };

    /// Whether `count` is as it must be.
    pub fn contains(self, count: usize) -> bool {
        u64::try_from(count).is_ok_and(|count| (self.least..=self.most).contains(&count))
    }
}

/// What the values must be that a path leads to.
#[derive(Clone, Debug)]
pub struct JsonExpect {
    /// The path, as written.
    pub written: String,
    /// The path, compiled.
    pub path: JsonPath,
    /// How many values there must be: unless the file says otherwise, a path that leads nowhere
    /// fails.
    pub count: CountRange,
    /// What each of them must be.
    pub tests: Vec<JsonTest>,
}

/// What a value must be.
#[derive(Clone, Debug)]
pub enum JsonTest {
    /// Equal to this; numbers by their value.
    Equals(Value),
    /// A text, a number or a truth value that the pattern matches.
    Matches(Regex),
    /// A number that compares so.
    Compares(Comparison, Number),
    /// A time that lies so.
    Record(RecordLimits),
}

/// How a number must compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// Less.
    Below,
    /// Less or equal.
    AtMost,
    /// More.
    Above,
    /// More or equal.
    AtLeast,
}

impl Comparison {
    /// The word for it, in files and in reasons.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Below => "below",
            Self::AtMost => "at_most",
            Self::Above => "above",
            Self::AtLeast => "at_least",
        }
    }
}

/// Where in time a record must lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordLimits {
    /// It is not older than this.
    pub max_age: Option<Span>,
    /// It is not further in the future than this.
    pub max_ahead: Option<Span>,
    /// How it is written; `None` for whichever of the formats it looks like.
    pub format: Option<TimeFormat>,
}

/// How a point in time can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeFormat {
    /// `2021-09-15T08:21:00Z`.
    Rfc3339,
    /// `Wed, 15 Sep 2021 08:21:00 GMT`, as in mails and HTTP headers.
    Rfc2822,
    /// Seconds since 1970.
    EpochSeconds,
    /// Milliseconds since 1970.
    EpochMillis,
    /// Microseconds since 1970.
    EpochMicros,
    /// Nanoseconds since 1970.
    EpochNanos,
}

/// What the elements must be that a selector selects.
#[derive(Clone, Debug)]
pub struct HtmlExpect {
    /// The selector, as written.
    pub written: String,
    /// The selector, compiled.
    pub select: Selector,
    /// How many elements there must be.
    pub count: CountRange,
    /// Texts that one of the elements must contain, not necessarily the same for each.
    pub contains: Vec<String>,
    /// Patterns that the text of one of the elements must match.
    pub matches: Vec<Regex>,
}
