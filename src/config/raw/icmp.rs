//! `icmp = "host"`, or a table.

use super::super::mistake::Mistake;
use super::super::plan::{Addresses, IcmpCheck, LossLimits};
use super::super::reader::{Field, Key, Reader, Section};
use super::super::setting::count::Whole;
use super::super::setting::host::Host;
use super::super::setting::short::Shortened;
use super::http::ADDRESSES;
use super::http_client::{FAMILY, SOURCE};

/// The most echoes of a run.
const MOST: u32 = 10;
/// As `ping` has them.
const SIZE: u16 = 56;
const COUNT: u16 = 3;

/// A number of echoes.
type Echoes = Whole<1, MOST>;
/// The least is the mark that an answer is known by.
type Bytes = Whole<16, 65_000>;
type Hops = Whole<1, 255>;

const HOST: Key<Host> = Key::new("host", "Who is asked: a name or an address.");
const ECHOES: Key<Echoes> =
    Key::new("count", "How many echoes are sent in a run, one after the other.")
        .or_number(COUNT as u32);
const LOST: Key<RawLoss> = Key::new("lost", "How many of them may be lost.");
const DEGRADED: Key<Echoes> =
    Key::new("degraded", "With so many lost the check is degraded.").or_number(1);
const FAILED: Key<Echoes> =
    Key::new("failed", "With so many lost the check fails; without it, with all.");
const BYTES: Key<Bytes> =
    Key::new("size", "How many bytes of payload each has.").or_number(SIZE as u32);
const TTL: Key<Hops> =
    Key::new("ttl", "How many routers each may pass; without it, the system's number.");

impl Shortened for IcmpCheck {
    type Short = Host;

    const EITHER: &'static str =
        "a host such as \"gateway.example\", or a table such as { host = \"...\" }";

    fn of(Host(host): Host) -> Self {
        Self {
            host,
            addresses: Addresses::Any,
            family: None,
            source: None,
            count: COUNT,
            lost: LossLimits { degraded: 1, failed: COUNT },
            size: SIZE,
            ttl: None,
        }
    }
}

impl Section for IcmpCheck {
    const NAME: &'static str = "`icmp`";

    fn read_keys(table: &mut Reader<'_, '_, '_>) -> Option<Self> {
        let (host, addresses) = (table.require(&HOST), table.take(&ADDRESSES));
        let (family, source) = (table.take(&FAMILY), table.take(&SOURCE));
        let (count, lost) = (table.take(&ECHOES), table.take(&LOST));
        let (size, ttl) = (table.take(&BYTES), table.take(&TTL));
        let count = number(count, COUNT);
        let lost = settle(lost, count, table);
        let short = Self::of(host?.into_inner());
        Some(Self {
            addresses: addresses.or(short.addresses)?,
            family: family.optional()?,
            source: source.optional()?,
            count: count?,
            lost: lost?,
            size: number(size, short.size)?,
            ttl: ttl.optional()?.and_then(|hops| u8::try_from(hops.0).ok()),
            ..short
        })
    }
}

/// What `lost` says.
struct RawLoss {
    degraded: Field<Echoes>,
    failed: Field<Echoes>,
}

impl Section for RawLoss {
    const NAME: &'static str = "the echoes that may be lost";

    fn read_keys(table: &mut Reader<'_, '_, '_>) -> Option<Self> {
        Some(Self { degraded: table.take(&DEGRADED), failed: table.take(&FAILED) })
    }
}

/// The limits, which must be such that both can be met: `degraded`, then `failed`, then all.
fn settle(
    lost: Field<RawLoss>,
    count: Option<u16>,
    table: &mut Reader<'_, '_, '_>,
) -> Option<LossLimits> {
    let lost = match lost {
        Field::Wrong => return None,
        Field::Absent => RawLoss { degraded: Field::Absent, failed: Field::Absent },
        Field::Given(lost) => lost.into_inner(),
    };
    let spans = [span(&lost.degraded), span(&lost.failed)];
    let (given, count) = (spans[1].is_some(), count?);
    let limits =
        LossLimits { degraded: number(lost.degraded, 1)?, failed: number(lost.failed, count)? };
    let (small, large) = if limits.failed > count {
        (("lost.failed", limits.failed, &spans[1]), ("count", count))
    } else if limits.degraded > limits.failed {
        let large = if given { "lost.failed" } else { "count" };
        (("lost.degraded", limits.degraded, &spans[0]), (large, limits.failed))
    } else {
        return Some(limits);
    };
    let mistake = Mistake::Contradiction {
        small: small.0,
        small_value: small.1.to_string(),
        relation: "at most",
        large: large.0,
        large_value: large.1.to_string(),
        why: "so many would never be lost before: lower it, or raise the other",
    };
    if let Some(span) = small.2 {
        table.report(span.clone(), mistake);
    }
    None
}

fn span<T>(field: &Field<T>) -> Option<std::ops::Range<usize>> {
    match field {
        Field::Given(value) => Some(value.span()),
        Field::Absent | Field::Wrong => None,
    }
}

fn number<const LEAST: u32, const MOST: u32>(
    field: Field<Whole<LEAST, MOST>>,
    default: u16,
) -> Option<u16> {
    u16::try_from(field.or(Whole(default.into()))?.0).ok()
}

#[cfg(test)]
mod tests {
    use super::super::super::plan::{Addresses, Family, IcmpCheck, LossLimits};
    use super::super::super::setting::short::ShortOr;
    use super::super::super::setting::tests::read;

    #[test]
    fn every_key_has_its_place_in_the_plan() {
        let text = "{ host = 'gateway.example', count = 5, lost = { degraded = 2, failed = 4 },
            size = 1400, ttl = 9, addresses = 'all', family = 'ipv6', source = '::1' }"
            .replace('\n', "");
        let full = IcmpCheck {
            host: "gateway.example".into(),
            addresses: Addresses::All,
            family: Some(Family::Ipv6),
            source: Some("::1".parse().unwrap()),
            count: 5,
            lost: LossLimits { degraded: 2, failed: 4 },
            size: 1400,
            ttl: Some(9),
        };
        assert_eq!(read(&text), Ok(full));
        let short = read::<ShortOr<IcmpCheck>>("'::1'").map(|icmp| icmp.0);
        assert_eq!(read::<ShortOr<IcmpCheck>>("{ host = '::1' }").map(|icmp| icmp.0), short);
        assert_eq!(short.unwrap().lost, LossLimits { degraded: 1, failed: 3 });
    }

    #[test]
    fn limits_that_could_never_be_met_are_mistakes() {
        let words = |keys: &str| {
            let read = read::<ShortOr<IcmpCheck>>(&format!("{{ host = '::1', {keys} }}"))
                .map(|icmp| icmp.0);
            read.map(|icmp| icmp.lost).unwrap_err()
        };
        for (keys, small, large) in [
            ("lost = { failed = 4 }", "`lost.failed` (4)", "`count` (3)"),
            ("count = 1, lost = { degraded = 2 }", "`lost.degraded` (2)", "`count` (1)"),
            ("lost = { degraded = 3, failed = 2 }", "`lost.degraded` (3)", "`lost.failed` (2)"),
        ] {
            let wanted = format!("contradiction: {small} must be at most {large}");
            assert_eq!(words(keys), wanted, "{keys}");
        }
        for keys in ["count = 0", "count = 11", "size = 15", "size = 65001", "ttl = 256"] {
            assert!(words(keys).starts_with("out_of_range"), "{keys}");
        }
        assert!(words("lost = { failed = 0 }").starts_with("out_of_range"));
        assert!(words("lost = 3").starts_with("wrong_type"));
    }
}
