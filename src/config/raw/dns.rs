//! `dns = "desk.example"`, or a table.

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::{Name, RecordType};

use super::super::mistake::Mistake;
use super::super::plan::{DnsCheck, DnsMatches, DnsServers, Dnssec, NameServer, TtlLimits};
use super::super::reader::{Field, Key, Reader, Section};
use super::super::setting::choice::WhichServers;
use super::super::setting::count::Whole;
use super::super::setting::list::OneOrMany;
use super::super::setting::short::Shortened;
use super::dns_expect::{Expect, report_wrong_addresses};

const NAME: Key<Name> = Key::new("name", "The name that is asked for.");
const TYPE: Key<RecordType> =
    Key::new("type", "The type of record, or `TYPE` and its number.").or_text("A");
const SERVER: Key<NameServer> =
    Key::new("server", "The server that is asked; without it, the platform's first resolver.");
const SERVERS: Key<WhichServers> = Key::new(
    "servers",
    "`all` asks every authoritative server of the name's zone, each address on its own; their SOA \
     serials must agree. Who they are, `server` or the platform's resolvers say.",
)
.or_text("one");
const PORT: Key<Whole<1, 65_535>> = Key::new(
    "port",
    "Where the zone's servers listen, with `servers = \"all\"`; without it, at 53.",
);
const MAX_SERIAL_LAG: Key<Whole<0, 0x7fff_ffff>> = Key::new(
    "max_serial_lag",
    "By how much a server's SOA serial may be behind the newest, with `servers = \"all\"`; without \
     it, by nothing.",
);
const RCODE: Key<OneOrMany<ResponseCode>> =
    Key::new("rcode", "The response codes that pass.").or_text("NOERROR");
const EXPECT: Key<Expect> = Key::new(
    "expect",
    "Records that must all be in the answer, or a table; without it, any answer with a record \
     passes.",
);
const MATCHES: Key<DnsMatches> = Key::new(
    "matches",
    "Patterns that must each match at least one record in presentation form, or a table.",
);
const TTL: Key<TtlLimits> = Key::new("ttl", "For how long the records may be remembered.");
const AUTHORITATIVE: Key<bool> =
    Key::new("authoritative", "Whether the answer must have the flag AA.").or_flag(false);
const AUTHENTICATED: Key<bool> =
    Key::new("authenticated", "Whether the answer must have the flag AD.").or_flag(false);
const RECURSION_DESIRED: Key<bool> =
    Key::new("recursion_desired", "Whether the question has the flag RD.").or_flag(true);
const DNSSEC: Key<Dnssec> = Key::new(
    "dnssec",
    "Whether the answer's signatures must lead to a trusted key: the root's, or those of a file.",
)
.or_flag(false);

impl Shortened for DnsCheck {
    type Short = Name;

    const EITHER: &'static str = "a name in quotes, or a table such as { name = \"...\" }";

    fn of(name: Name) -> Self {
        Self::of(name)
    }
}

impl Section for DnsCheck {
    const NAME: &'static str = "`dns`";

    fn read_keys(table: &mut Reader<'_, '_, '_>) -> Option<Self> {
        let (name, record_type) = (table.require(&NAME), table.take(&TYPE));
        let (server, servers) = (table.take(&SERVER), table.take(&SERVERS));
        let (port, max_serial_lag) = (table.take(&PORT), table.take(&MAX_SERIAL_LAG));
        let rcode = read_rcode(table);
        let (expect, matches, ttl) = (table.take(&EXPECT), table.take(&MATCHES), table.take(&TTL));
        let flags = [AUTHORITATIVE, AUTHENTICATED, RECURSION_DESIRED].map(|key| table.take(&key));
        let dnssec = table.take(&DNSSEC);
        match &servers {
            Field::Given(which) if *which.get_ref() == WhichServers::All => {
                refuse_validated_by_servers(&flags[1], table);
            }
            Field::Given(_) | Field::Absent => {
                refuse_for_one_server("port", &port, table);
                refuse_for_one_server("max_serial_lag", &max_serial_lag, table);
            }
            Field::Wrong => {}
        }
        let short = Self::of(name?.into_inner());
        let record_type = record_type.or(short.record_type)?;
        let expect = expect.or(Expect::default())?;
        report_wrong_addresses(&expect, record_type, table);
        let [authoritative, authenticated, recursion_desired] = flags;
        let (port, max_serial_lag) = (port.or(Whole(53))?.0, max_serial_lag.or(Whole(0))?.0);
        Some(Self {
            name: short.name,
            record_type,
            server: server.optional()?,
            servers: match servers.or(WhichServers::One)? {
                WhichServers::One => DnsServers::One,
                WhichServers::All => {
                    DnsServers::All { port: u16::try_from(port).ok()?, max_serial_lag }
                }
            },
            rcode: rcode?.unwrap_or(short.rcode),
            expect: expect.into_plan(),
            matches: matches.or(short.matches)?,
            ttl: ttl.or(short.ttl)?,
            authoritative: authoritative.or(false)?,
            authenticated: authenticated.or(false)?,
            recursion_desired: recursion_desired.or(true)?,
            dnssec: dnssec.or(Dnssec::Off)?,
        })
    }
}

/// What is about a zone's servers means nothing where they are not asked.
fn refuse_for_one_server<T>(key: &'static str, field: &Field<T>, table: &mut Reader<'_, '_, '_>) {
    if let Field::Given(value) = field {
        let trouble = "is about the servers of a zone, and one server is asked";
        let help = "add `servers = \"all\"`, or remove this";
        table.report(value.span(), Mistake::WithoutEffect { key, trouble, help });
    }
}

/// AD is set by a resolver that has validated the answer; a zone's own servers validate nothing.
fn refuse_validated_by_servers(authenticated: &Field<bool>, table: &mut Reader<'_, '_, '_>) {
    if let Field::Given(wanted) = authenticated
        && *wanted.get_ref()
    {
        let mistake = Mistake::WithoutEffect {
            key: "authenticated",
            trouble: "asks for a flag that the servers of a zone never set",
            help: "use `dnssec = true`, which validates the answers here, or ask a resolver",
        };
        table.report(wanted.span(), mistake);
    }
}

/// The response codes, if any are given; a list that nothing can satisfy is reported.
fn read_rcode(table: &mut Reader<'_, '_, '_>) -> Option<Option<Vec<ResponseCode>>> {
    let given = match table.take(&RCODE) {
        Field::Given(given) => given,
        Field::Absent => return Some(None),
        Field::Wrong => return None,
    };
    let span = given.span();
    let codes: Vec<ResponseCode> =
        given.into_inner().0.into_iter().map(toml::Spanned::into_inner).collect();
    if codes.is_empty() {
        let (expected, found) = ("at least one response code", "empty list");
        table.report(span, Mistake::WrongType { expected, found });
        return None;
    }
    Some(Some(codes))
}
