//! `update_every`: `"30m"` for every incident, or `{ minor = "60m", critical = "15m" }`.

use std::collections::BTreeMap;

use super::super::reader::{Key, Reader, Section};
use super::duration::{DAY, Duration};
use super::short::Shortened;
use crate::model::{Impact, Span};

/// Below a second an incident would be nothing but updates.
pub(in super::super) type UpdateEvery = Duration<1_000, { 7 * DAY }>;

const MINOR: Key<UpdateEvery> = Key::new("minor", "The same for an impact that is minor.");
const MAJOR: Key<UpdateEvery> = Key::new("major", "The same for an impact that is major.");
const CRITICAL: Key<UpdateEvery> = Key::new("critical", "The same for an impact that is critical.");

/// How long an open incident may go without an update.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in super::super) struct Cadence {
    /// Whatever its impact is, if there is one for all.
    pub(in super::super) every: Option<Span>,
    /// By its impact.
    pub(in super::super) by_impact: BTreeMap<Impact, Span>,
}

impl Section for Cadence {
    const NAME: &'static str = "`update_every`";

    fn read_keys(table: &mut Reader<'_, '_, '_>) -> Option<Self> {
        let keys =
            [(Impact::Minor, &MINOR), (Impact::Major, &MAJOR), (Impact::Critical, &CRITICAL)];
        let read = keys.map(|(impact, key)| (impact, table.take(key)));
        let mut by_impact = BTreeMap::new();
        for (impact, every) in read {
            if let Some(every) = every.optional()? {
                by_impact.insert(impact, every.0);
            }
        }
        Some(Self { every: None, by_impact })
    }
}

impl Shortened for Cadence {
    type Short = UpdateEvery;

    const EITHER: &'static str = "a length of time such as \"30m\", or { minor = \"60m\", major = \"30m\", critical = \"15m\" }";

    fn of(short: UpdateEvery) -> Self {
        Self { every: Some(short.0), by_impact: BTreeMap::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::super::short::ShortOr;
    use super::super::tests::read;
    use super::Cadence;
    use crate::model::{Impact, Span};

    #[test]
    fn one_for_all_or_one_for_each_impact() {
        let read = |text: &str| read::<ShortOr<Cadence>>(text).map(|cadence| cadence.0);
        let all = read("'30m'").unwrap();
        assert_eq!((all.every, all.by_impact.len()), (Some(Span::from_secs(1800)), 0));
        let some = read("{ critical = '15m', minor = '1h' }").unwrap();
        let minutes = |minutes: u64| Span::from_secs(60 * minutes);
        assert_eq!(some.every, None);
        assert!(
            some.by_impact
                .into_iter()
                .eq([(Impact::Minor, minutes(60)), (Impact::Critical, minutes(15)),])
        );
        assert!(read("{ none = '15m' }").unwrap_err().starts_with("unknown_key"));
        assert!(read("{ minor = '15' }").unwrap_err().starts_with("no_unit"));
        assert!(read("30").unwrap_err().starts_with("wrong_type"));
    }
}
