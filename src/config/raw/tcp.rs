//! `tcp = "host:port"`, or a table.

use std::sync::Arc;

use regex::bytes::Regex;
use serde_json::{Value, json};

use super::super::plan::{Addresses, TcpCheck};
use super::super::problem::Problems;
use super::super::reader::{Key, Node, Reader, Section, Setting, read_section, section_schema};
use super::super::setting::address::HostPort;

const ADDRESS: Key<HostPort> = Key::new("address", "Where to connect: `host:port`.");
const TLS: Key<bool> = Key::new("tls", "Whether TLS comes first.").or_flag(false);
const SEND: Key<String> = Key::new("send", "What is sent once connected: \"PING\\r\\n\".");
const EXPECT: Key<Regex> =
    Key::new("expect", "What the answer must match; without it, a connection is enough.");
const ADDRESSES: Key<Addresses> = Key::new(
    "addresses",
    "`any`: one address of the name, as a user's machine would. `all`: each of them on its own.",
)
.or_text("any");

impl Setting for TcpCheck {
    const EXPECTED: &'static str =
        "an address such as \"mail.example:25\", or a table such as { address = \"...\" }";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        let value = node.get_ref();
        if let Some(table) = value.as_table() {
            read_section::<Table>(node.span(), table, problems).map(|table| table.0)
        } else if value.is_str() {
            HostPort::read(node, problems).map(Self::of)
        } else {
            Self::wrong_type(node, problems)
        }
    }

    fn schema() -> Value {
        json!({ "anyOf": [HostPort::schema(), section_schema::<Table>()] })
    }
}

impl TcpCheck {
    /// What the short form means.
    fn of(HostPort { host, port }: HostPort) -> Self {
        Self { host, port, tls: false, send: None, expect: None, addresses: Addresses::Any }
    }
}

struct Table(TcpCheck);

impl Section for Table {
    const NAME: &'static str = "`tcp`";

    fn read_keys(table: &mut Reader<'_, '_, '_>) -> Option<Self> {
        let (address, tls, send) = (table.require(&ADDRESS), table.take(&TLS), table.take(&SEND));
        let (expect, addresses) = (table.take(&EXPECT), table.take(&ADDRESSES));
        let short = TcpCheck::of(address?.into_inner());
        Some(Self(TcpCheck {
            tls: tls.or(short.tls)?,
            send: send.optional()?.map(|text| Arc::from(text.into_bytes())),
            expect: expect.optional()?,
            addresses: addresses.or(short.addresses)?,
            ..short
        }))
    }
}
