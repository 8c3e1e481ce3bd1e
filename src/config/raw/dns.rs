//! `dns = "desk.example"`, or a table.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use hickory_proto::rr::{Name, RecordType};
use serde_json::{Value, json};
use toml::Spanned;

use super::super::mistake::{Mistake, shorten};
use super::super::plan::DnsCheck;
use super::super::problem::Problems;
use super::super::reader::{Key, Node, Reader, Section, Setting, read_section, section_schema};
use super::super::setting::list::OneOrMany;
use super::super::setting::text::Line;

/// What a record may take in presentation form.
type Record = Line<4096>;

const NAME: Key<Name> = Key::new("name", "The name that is asked for.");
const TYPE: Key<RecordType> = Key::new("type", "The type of record.").or_text("A");
const SERVER: Key<SocketAddr> =
    Key::new("server", "The server that is asked; without it, the platform's first resolver.");
const EXPECT: Key<OneOrMany<Record>> = Key::new(
    "expect",
    "Records that must all be in the answer; without it, any answer with a record passes.",
);

impl Setting for DnsCheck {
    const EXPECTED: &'static str = "a name in quotes, or a table such as { name = \"...\" }";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        let value = node.get_ref();
        if let Some(table) = value.as_table() {
            read_section::<Table>(node.span(), table, problems).map(|table| table.0)
        } else if value.is_str() {
            Name::read(node, problems).map(Self::of)
        } else {
            Self::wrong_type(node, problems)
        }
    }

    fn schema() -> Value {
        json!({ "anyOf": [Name::schema(), section_schema::<Table>()] })
    }
}

impl DnsCheck {
    /// What the short form means.
    const fn of(name: Name) -> Self {
        Self { name, record_type: RecordType::A, server: None, expect: Vec::new() }
    }
}

struct Table(DnsCheck);

impl Section for Table {
    const NAME: &'static str = "`dns`";

    fn read_keys(table: &mut Reader<'_, '_, '_>) -> Option<Self> {
        let (name, record_type) = (table.require(&NAME), table.take(&TYPE));
        let (server, expect) = (table.take(&SERVER), table.take(&EXPECT));
        let short = DnsCheck::of(name?.into_inner());
        let record_type = record_type.or(short.record_type)?;
        let expect = expect.or(OneOrMany(Vec::new()))?.0;
        for record in &expect {
            if let Some(mistake) = not_a_record(record_type, &record.get_ref().0) {
                table.report(record.span(), mistake);
            }
        }
        Some(Self(DnsCheck {
            name: short.name,
            record_type,
            server: server.optional()?,
            expect: expect.into_iter().map(Spanned::into_inner).map(|record| record.0).collect(),
        }))
    }
}

/// Addresses are the records that most checks expect, and the ones that can be told from others.
fn not_a_record(record_type: RecordType, text: &str) -> Option<Mistake> {
    let got = shorten(text);
    if record_type == RecordType::A && text.parse::<Ipv4Addr>().is_err() {
        Some(Mistake::InvalidRecord { got, record_type: "A", example: "\"192.0.2.1\"" })
    } else if record_type == RecordType::AAAA && text.parse::<Ipv6Addr>().is_err() {
        Some(Mistake::InvalidRecord { got, record_type: "AAAA", example: "\"2001:db8::1\"" })
    } else {
        None
    }
}
