//! What can be wrong with a simulated platform, as scenario files write it.
//!
//! A fault is *what* goes wrong and *where*: `{ fault = "slow", delay = "1200ms", service = "crm",
//! backends = [2] }`. What is left out of *where* means all of it: without `backends` it is every
//! backend of the service, without `service` every service.

use std::time::Duration;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// One thing that is wrong, and where.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// What is wrong.
    pub what: What,
    /// Where.
    pub place: Place,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case", tag = "fault")]
pub enum What {
    /// The clock of the backends is off: what they date, and the tokens that they issue.
    Clock {
        /// How far it is ahead.
        #[serde(default, deserialize_with = "length")]
        ahead: Duration,
        /// How far it is behind.
        #[serde(default, deserialize_with = "length")]
        behind: Duration,
    },
    /// Every answer is held back.
    Slow {
        /// For so long, in real time.
        #[serde(deserialize_with = "length")]
        delay: Duration,
    },
    /// Every answer is an error.
    Error {
        /// The status code.
        #[serde(default = "unavailable")]
        status: u16,
    },
    /// The answer's head comes, and half of its body, and then nothing more.
    Stall {},
    /// Pages answer 200 and have nothing on them.
    Blank {},
    /// Pages answer 200, and their scripts do not load.
    Scripts {},
    /// Pages and interfaces answer 200 with an error message in place of what they should say.
    ErrorPage {},
    /// The login's chain of redirects breaks at the identity provider.
    Redirect {
        /// How.
        #[serde(default)]
        how: Break,
    },
    /// The conversation that is read back is not as it was.
    History {
        /// How.
        how: Loss,
    },
    /// The agents' statuses are dated in the future; whatever the clocks say.
    RecordsAhead {
        /// So far ahead of the time at which the fault began.
        #[serde(deserialize_with = "length")]
        ahead: Duration,
    },
    /// The newest record of the analytics stays what it was when the fault began.
    FeedStops {},
    /// Connections are refused.
    Refuse {},
    /// Connections wait in line before they are served.
    PileUp {
        /// For so long, in real time.
        #[serde(deserialize_with = "length")]
        wait: Duration,
    },
    /// Packets are lost: of a hundred answers so many come late, by what a retransmission takes, and
    /// so many datagrams do not come at all. Which ones is the same in every run.
    Loss {
        /// Of a hundred.
        percent: u8,
    },
    /// Of a hundred answers so many come late.
    Spikes {
        /// Of a hundred.
        percent: u8,
        /// How late, in real time.
        #[serde(deserialize_with = "length")]
        delay: Duration,
    },
    /// Nothing that the prober asks answers any more, its references neither.
    Cut {},
    /// The name server says that a service has these backends.
    Addresses {
        /// The backends, counted from 1. Three are the usual ones; there are twice as many.
        are: Vec<u8>,
    },
}

/// How a chain of redirects breaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Break {
    /// The identity provider sends people to a page of its own, which says 200, and not back.
    #[default]
    Astray,
    /// It sends them back to its own login, again and again.
    Loop,
    /// It answers with 502.
    Dead,
}

/// What is wrong with a conversation that is read back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Loss {
    /// It is another one.
    Wrong,
    /// It is there, and has no messages.
    Missing,
    /// Reading it is answered with an error.
    Error,
}

/// Where a fault is; what is empty means all of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// The services, by their host names' first label: `portal`.
    #[serde(default, deserialize_with = "one_or_more")]
    pub service: Vec<String>,
    /// The backends of each service, counted from 1 as the last number of their addresses.
    #[serde(default)]
    pub backends: Vec<u8>,
    /// The customers of the platform.
    #[serde(default)]
    pub tenants: Vec<String>,
    /// What the requests' paths begin with.
    #[serde(default)]
    pub paths: Vec<String>,
}

/// The keys of [`Place`].
const PLACE: [&str; 4] = ["service", "backends", "tenants", "paths"];

impl What {
    /// The keys of [`Place`] that mean something for it.
    fn takes(&self) -> &'static [&'static str] {
        match self {
            Self::Clock { .. } | Self::Refuse {} | Self::PileUp { .. } => &["service", "backends"],
            Self::Slow { .. }
            | Self::Error { .. }
            | Self::Stall {}
            | Self::Blank {}
            | Self::Scripts {}
            | Self::ErrorPage {} => &PLACE,
            Self::Redirect { .. } => &["tenants"],
            Self::History { .. } => &["service", "tenants", "backends"],
            Self::RecordsAhead { .. }
            | Self::FeedStops {}
            | Self::Loss { .. }
            | Self::Spikes { .. }
            | Self::Addresses { .. } => &["service"],
            Self::Cut {} => &[],
        }
    }
}

impl<'de> Deserialize<'de> for Fault {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut what = toml::Table::deserialize(deserializer)?;
        let mut place = toml::Table::new();
        for key in PLACE {
            place.extend(what.remove(key).map(|value| (key.to_owned(), value)));
        }
        let keys: Vec<String> = place.keys().cloned().collect();
        let what: What = what.try_into().map_err(D::Error::custom)?;
        let place = place.try_into().map_err(D::Error::custom)?;
        if let Some(key) = keys.iter().find(|key| !what.takes().contains(&key.as_str())) {
            let known = what.takes().join(", ");
            let text = format!("`{key}` means nothing for this fault, which takes: {known}");
            return Err(D::Error::custom(text));
        }
        Ok(Self { what, place })
    }
}

fn unavailable() -> u16 {
    503
}

fn length<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    humantime::parse_duration(&text).map_err(|error| {
        D::Error::custom(format!("`{text}` is not a length of time such as \"800ms\": {error}"))
    })
}

fn one_or_more<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum OneOrMore {
        One(String),
        More(Vec<String>),
    }
    Ok(match OneOrMore::deserialize(deserializer)? {
        OneOrMore::One(one) => vec![one],
        OneOrMore::More(more) => more,
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde::Deserialize;

    use super::{Break, Fault, What};

    fn read(text: &str) -> Result<Fault, String> {
        #[derive(Deserialize)]
        struct File {
            it: Fault,
        }
        let file: Result<File, _> = toml::from_str(&format!("it = {{ {text} }}"));
        file.map(|file| file.it).map_err(|error| error.message().to_owned())
    }

    #[test]
    fn faults_are_what_and_where() {
        let slow =
            read("fault = 'slow', service = 'crm', delay = '1200ms', backends = [2]").unwrap();
        assert_eq!(slow.what, What::Slow { delay: Duration::from_millis(1_200) });
        assert_eq!((slow.place.service, slow.place.backends), (vec!["crm".to_owned()], vec![2]));
        let redirect = read("fault = 'redirect', tenants = ['acme']").unwrap();
        assert_eq!(redirect.what, What::Redirect { how: Break::Astray });
        let error = read("fault = 'error', service = ['crm', 'core']").unwrap();
        assert_eq!(error.what, What::Error { status: 503 });
        assert_eq!(error.place.service, ["crm", "core"]);
    }

    #[test]
    fn what_is_not_understood_is_told() {
        for (text, told) in [
            ("fault = 'sloth'", "unknown variant `sloth`"),
            ("fault = 'slow'", "missing field `delay`"),
            ("fault = 'slow', delay = '3'", "`3` is not a length of time"),
            ("fault = 'stall', delay = '3s'", "unknown field `delay`"),
            ("fault = 'cut', service = 'crm'", "`service` means nothing for this fault"),
            ("fault = 'redirect', backends = [1]", "`backends` means nothing for this fault"),
        ] {
            let words = read(text).unwrap_err();
            assert!(words.contains(told), "{text}: {words}");
        }
    }
}
