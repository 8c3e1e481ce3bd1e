//! `tcp = "host:port"`, or a table.

use std::net::IpAddr;

use regex::bytes::Regex;

use super::super::mistake::Mistake;
use super::super::plan::Addresses;
use super::super::plan::tcp::{Security, Starttls, Step, TcpCheck};
use super::super::reader::{Field, Key, Reader, Section};
use super::super::setting::address::HostPort;
use super::super::setting::server_name::ServerName;
use super::super::setting::short::Shortened;
use super::http::{ADDRESSES, CERTIFICATE};
use super::script::{OverTcp, Script, read_script};
use super::tls::refuse_without_tls;

const ADDRESS: Key<HostPort> = Key::new("address", "Where to connect: `host:port`.");
const TLS: Key<bool> = Key::new("tls", "Whether TLS comes first.").or_flag(false);
const STARTTLS: Key<Starttls> =
    Key::new("starttls", "The protocol that TLS is asked for in, before anything else is said.");
const SERVER_NAME: Key<ServerName> =
    Key::new("server_name", "The name that the certificate must be for, if not the host's.");
const SEND: Key<String> = Key::new("send", "What is sent once connected: \"PING\\r\\n\".");
const EXPECT: Key<Regex> =
    Key::new("expect", "What the answer must match; without it, a connection is enough.");
const SCRIPT: Key<Script<OverTcp>> = Key::new("script", "What is sent and expected, step by step.");
const SOURCE: Key<IpAddr> =
    Key::new("source", "The address of this host that the connection comes from.");

impl Shortened for TcpCheck {
    type Short = HostPort;

    const EITHER: &'static str =
        "an address such as \"mail.example:25\", or a table such as { address = \"...\" }";

    fn of(HostPort { host, port }: HostPort) -> Self {
        Self {
            host,
            port,
            security: Security::Plain,
            server_name: None,
            script: Vec::new(),
            addresses: Addresses::Any,
            source: None,
            certificate: None,
        }
    }
}

impl Section for TcpCheck {
    const NAME: &'static str = "`tcp`";

    fn read_keys(table: &mut Reader<'_, '_, '_>) -> Option<Self> {
        let (address, addresses) = (table.require(&ADDRESS), table.take(&ADDRESSES));
        let (tls, starttls) = (table.take(&TLS), table.take(&STARTTLS));
        let (server_name, certificate) = (table.take(&SERVER_NAME), table.take(&CERTIFICATE));
        let (send, expect, script) = (table.take(&SEND), table.take(&EXPECT), table.take(&SCRIPT));
        let source = table.take(&SOURCE);
        let security = security(tls, starttls, table);
        let script = read_script(send, expect, script, security.unwrap_or(Security::Plain), table);
        let (security, script) = (security?, script?);
        let in_plain = security == Security::Plain
            && !script.iter().any(|step| matches!(step, Step::Starttls));
        if in_plain {
            let help = "add `tls = true` or `starttls`, or remove this";
            refuse_without_tls(&certificate, help, table);
            refuse_without_tls(&server_name, help, table);
        }
        let short = Self::of(address?.into_inner());
        Some(Self {
            security,
            server_name: server_name.optional()?.map(|name| name.0),
            script,
            addresses: addresses.or(short.addresses)?,
            source: source.optional()?,
            certificate: certificate.optional()?,
            ..short
        })
    }
}

fn security(
    tls: Field<bool>,
    starttls: Field<Starttls>,
    table: &mut Reader<'_, '_, '_>,
) -> Option<Security> {
    let tls = tls.or(false)?;
    match starttls {
        Field::Wrong => None,
        Field::Absent if tls => Some(Security::Tls),
        Field::Absent => Some(Security::Plain),
        Field::Given(protocol) if tls => {
            table.report(protocol.span(), Mistake::TlsTwice);
            None
        }
        Field::Given(protocol) => Some(Security::Starttls(protocol.into_inner())),
    }
}
