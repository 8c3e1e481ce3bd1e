//! `tls = "host:port"`, or a table.

use std::net::IpAddr;

use rustls::{CipherSuite, ProtocolVersion};
use toml::Spanned;

use super::super::mistake::Mistake;
use super::super::plan::Addresses;
use super::super::plan::tcp::{CertificateLimits, StapleWanted, Starttls, TlsCheck};
use super::super::reader::{Field, Key, Reader, Section};
use super::super::setting::address::HostPort;
use super::super::setting::list::OneOrMany;
use super::super::setting::server_name::ServerName;
use super::super::setting::short::Shortened;
use super::http::ADDRESSES;

const ADDRESS: Key<HostPort> = Key::new("address", "Where to connect: `host:port`.");
const SERVER_NAME: Key<ServerName> =
    Key::new("server_name", "The name that the certificate must be for, if not the host's.");
const STARTTLS: Key<Starttls> =
    Key::new("starttls", "The protocol that TLS is asked for in, where it does not come at once.");
const EXPIRES_WITHIN: Key<CertificateLimits> =
    Key::new("expires_within", "How much time the certificates may have left when it is too late.");
const MIN_VERSION: Key<ProtocolVersion> =
    Key::new("min_version", "The oldest version of TLS that the server may agree on.");
const VERSIONS: Key<OneOrMany<ProtocolVersion>> =
    Key::new("versions", "The versions of TLS that the server may agree on.");
const CIPHERS: Key<OneOrMany<CipherSuite>> =
    Key::new("ciphers", "The cipher suites that the server may agree on.");
const STAPLE: Key<StapleWanted> = Key::new(
    "staple",
    "Whether the server must staple a good and current OCSP answer, or must not staple any.",
);
const SOURCE: Key<IpAddr> =
    Key::new("source", "The address of this host that the connection comes from.");

impl Shortened for TlsCheck {
    type Short = HostPort;

    const EITHER: &'static str =
        "an address such as \"desk.example:443\", or a table such as { address = \"...\" }";

    fn of(HostPort { host, port }: HostPort) -> Self {
        Self {
            host,
            port,
            server_name: None,
            starttls: None,
            expires_within: CertificateLimits::default(),
            min_version: None,
            versions: Vec::new(),
            ciphers: Vec::new(),
            staple: None,
            addresses: Addresses::Any,
            source: None,
        }
    }
}

impl Section for TlsCheck {
    const NAME: &'static str = "`tls`";

    fn read_keys(table: &mut Reader<'_, '_, '_>) -> Option<Self> {
        let (address, server_name) = (table.require(&ADDRESS), table.take(&SERVER_NAME));
        let (starttls, limits) = (table.take(&STARTTLS), table.take(&EXPIRES_WITHIN));
        let (min_version, versions) = (table.take(&MIN_VERSION), table.take(&VERSIONS));
        let (ciphers, staple) = (table.take(&CIPHERS), table.take(&STAPLE));
        let (addresses, source) = (table.take(&ADDRESSES), table.take(&SOURCE));
        refuse_no_version(&min_version, &versions, table);
        let short = Self::of(address?.into_inner());
        Some(Self {
            server_name: server_name.optional()?.map(|name| name.0),
            starttls: starttls.optional()?,
            expires_within: limits.or(short.expires_within)?,
            min_version: min_version.optional()?,
            versions: list(versions)?,
            ciphers: list(ciphers)?,
            staple: staple.optional()?,
            addresses: addresses.or(short.addresses)?,
            source: source.optional()?,
            ..short
        })
    }
}

fn list<T>(field: Field<OneOrMany<T>>) -> Option<Vec<T>> {
    let list = field.or(OneOrMany(Vec::new()))?.0;
    Some(list.into_iter().map(Spanned::into_inner).collect())
}

/// Where there is no TLS there is nothing for `field` to say.
pub(super) fn refuse_without_tls<T>(
    field: &Field<T>,
    help: &'static str,
    table: &mut Reader<'_, '_, '_>,
) {
    if let Field::Given(value) = field {
        table.report(value.span(), Mistake::NoTls { help });
    }
}

/// With versions that are all too old nothing could ever pass.
fn refuse_no_version(
    min_version: &Field<ProtocolVersion>,
    versions: &Field<OneOrMany<ProtocolVersion>>,
    table: &mut Reader<'_, '_, '_>,
) {
    let (Field::Given(least), Field::Given(versions)) = (min_version, versions) else { return };
    let number = |version: ProtocolVersion| u16::from(version);
    let newest = versions.get_ref().0.iter().map(|version| *version.get_ref());
    let Some(newest) = newest.max_by_key(|version| number(*version)) else { return };
    if number(newest) < number(*least.get_ref()) {
        let name = |version| if version == ProtocolVersion::TLSv1_3 { "1.3" } else { "1.2" };
        let mistake = Mistake::Contradiction {
            small: "min_version",
            small_value: name(*least.get_ref()).to_owned(),
            relation: "at most",
            large: "versions",
            large_value: name(newest).to_owned(),
            why: "no version would ever pass: keep one of the two",
        };
        table.report(least.span(), mistake);
    }
}
