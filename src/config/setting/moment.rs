//! Points in time: `2024-11-20 02:00` by the platform's clocks, or with an offset of its own.

use chrono::{DateTime, NaiveDateTime};
use chrono_tz::Tz;
use serde_json::{Value, json};
use toml::de::DeValue;

use super::super::mistake::{Mistake, shorten};
use super::super::problem::Problems;
use super::super::reader::{Node, Setting};
use crate::model::{Timestamp, to_instant};

/// A point in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Moment {
    /// By the clocks of a zone that stands elsewhere.
    Local(NaiveDateTime),
    /// Whatever the clocks show.
    Exact(Timestamp),
}

impl Moment {
    /// When that is, where local times are those of `zone`.
    pub(in super::super) fn at(self, zone: Tz) -> Timestamp {
        match self {
            Self::Local(local) => to_instant(local, zone),
            Self::Exact(at) => at,
        }
    }

    /// What the clocks of `zone` show then.
    pub(in super::super) fn local(self, zone: Tz) -> NaiveDateTime {
        match self {
            Self::Local(local) => local,
            Self::Exact(at) => at.to_utc().with_timezone(&zone).naive_local(),
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let text = text.trim().replacen(' ', "T", 1);
        if let Ok(exact) = DateTime::parse_from_rfc3339(&text) {
            return Some(Self::Exact(exact.to_utc().into()));
        }
        let forms = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"];
        let local = forms.iter().find_map(|form| NaiveDateTime::parse_from_str(&text, form).ok());
        local.map(Self::Local)
    }
}

/// TOML has dates and times of its own, with and without an offset; a text may leave the seconds
/// out.
impl Setting for Moment {
    const EXPECTED: &'static str = "a point in time such as \"2024-11-20 02:00\"";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        let text = match node.get_ref() {
            DeValue::String(text) => text.to_string(),
            DeValue::Datetime(time) => time.to_string(),
            DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Array(_)
            | DeValue::Table(_) => return Self::wrong_type(node, problems),
        };
        let moment = Self::parse(&text);
        if moment.is_none() {
            problems.report(node.span(), Mistake::InvalidMoment { got: shorten(&text) });
        }
        moment
    }

    fn schema() -> Value {
        json!({ "type": "string", "examples": ["2024-11-20 02:00", "2024-11-20T05:00:00Z"] })
    }
}

#[cfg(test)]
mod tests {
    use chrono_tz::Tz;

    use super::super::tests::read;
    use super::Moment;

    #[test]
    fn local_times_and_times_with_an_offset() {
        let utc = |text: &str| {
            let moment = read::<Moment>(text).unwrap();
            moment.at(Tz::America__Sao_Paulo).to_rfc3339()
        };
        for text in [
            "'2024-11-20 02:00'",
            "'2024-11-20T02:00:00'",
            "2024-11-20T02:00:00",
            "2024-11-20 02:00:00",
            "'2024-11-20T05:00:00Z'",
            "2024-11-20T06:00:00+01:00",
        ] {
            assert_eq!(utc(text), "2024-11-20T05:00:00.000Z", "{text}");
        }
        let local = |text: &str| read::<Moment>(text).unwrap().local(Tz::America__Sao_Paulo);
        assert_eq!(local("'2024-11-20T05:00:00Z'"), local("'2024-11-20 02:00'"));
    }

    #[test]
    fn what_is_no_point_in_time_is_refused() {
        for text in ["'tomorrow'", "2024-11-20", "'2024-13-01 00:00'", "'02:00'", "02:00:00"] {
            let error = read::<Moment>(text).unwrap_err();
            assert!(error.starts_with("invalid_moment: "), "{text}: {error}");
        }
        assert!(read::<Moment>("20241120").unwrap_err().starts_with("wrong_type"));
    }
}
