//! `[[component.check]]`.

use toml::Spanned;
use toml::de::DeTable;

use super::super::plan::{
    ClockCheck, DnsCheck, GrpcCheck, HttpCheck, IcmpCheck, ProberCheck, TcpCheck, TlsCheck,
    WebsocketCheck,
};
use super::super::reader::{Field, Key, Reader, Section};
use super::super::setting::choice::AtWorst;
use super::super::setting::count::AtLeast;
use super::super::setting::id::Id;
use super::super::setting::matrix::{Matrix, filled};
use super::super::setting::short::ShortOr;
use super::super::setting::text::Line;
use super::login::RawLogin;
use super::tuning::RawTuning;
use crate::model::Variant;

const ID: Key<Id> = Key::new("id", "The check's id; without it, made from the name.");
const NAME: Key<Line<200>> = Key::new("name", "What the check finds out, for the operator.");
const HTTP: Key<ShortOr<HttpCheck>> =
    Key::new("http", "An HTTP exchange: a URL, or a table with more to say.");
const DNS: Key<ShortOr<DnsCheck>> =
    Key::new("dns", "A DNS query: a name, or a table with more to say.");
const TCP: Key<ShortOr<TcpCheck>> =
    Key::new("tcp", "A TCP connection: `host:port`, or a table with more to say.");
const TLS: Key<ShortOr<TlsCheck>> =
    Key::new("tls", "A TLS handshake and its certificates: `host:port`, or a table.");
const ICMP: Key<ShortOr<IcmpCheck>> =
    Key::new("icmp", "ICMP echoes (ping): a host, or a table with more to say.");
const GRPC: Key<ShortOr<GrpcCheck>> =
    Key::new("grpc", "A question about a gRPC server's health: a URL, or a table.");
const WEBSOCKET: Key<ShortOr<WebsocketCheck>> =
    Key::new("websocket", "A WebSocket: a URL, or a table with more to say.");
const CLOCK: Key<ShortOr<ClockCheck>> =
    Key::new("clock", "A clock, over HTTP or by NTP: a URL, or a table with more to say.");
const PROBER: Key<ProberCheck> = Key::new(
    "prober",
    "The prober's own trouble: `\"all\"`, or a list of `clock`, `network`, `load`, `exhausted`, \
     `resolver`, `store`.",
);
const MATRIX: Key<Matrix> = Key::new(
    "matrix",
    "Runs the check once for each of these values, which stand in its texts as `{{matrix.name}}`.",
);
const LOGIN: Key<RawLogin> = Key::new("login", "A login: what a customer does, step by step.");
const KINDS: &[&str] =
    &["http", "dns", "tcp", "tls", "icmp", "grpc", "websocket", "clock", "login", "prober"];
const MIN_ADDRESSES: Key<AtLeast> = Key::new(
    "min_addresses",
    "A run that finds fewer addresses behind the name is degraded, whatever they answer.",
);
const MAKES: Key<AtWorst> = Key::new(
    "makes",
    "What it makes of its component when it fails, however few of its addresses or variants do.",
);

/// `[[component.check]]`.
pub(in super::super) struct RawCheck {
    pub(in super::super) id: Field<Id>,
    pub(in super::super) name: Option<Spanned<Line<200>>>,
    pub(in super::super) tuning: RawTuning,
    pub(in super::super) min_addresses: Field<AtLeast>,
    pub(in super::super) makes: Field<AtWorst>,
    /// What is asked; with a matrix, in each of its variants.
    pub(in super::super) kinds: Vec<(Option<Variant>, RawKinds)>,
}

/// What is asked, by one of these.
pub(in super::super) struct RawKinds {
    pub(in super::super) http: Field<ShortOr<HttpCheck>>,
    pub(in super::super) dns: Field<ShortOr<DnsCheck>>,
    pub(in super::super) tcp: Field<ShortOr<TcpCheck>>,
    pub(in super::super) tls: Field<ShortOr<TlsCheck>>,
    pub(in super::super) icmp: Field<ShortOr<IcmpCheck>>,
    pub(in super::super) grpc: Field<ShortOr<GrpcCheck>>,
    pub(in super::super) websocket: Field<ShortOr<WebsocketCheck>>,
    pub(in super::super) clock: Field<ShortOr<ClockCheck>>,
    pub(in super::super) login: Field<RawLogin>,
    pub(in super::super) prober: Field<ProberCheck>,
}

impl Section for RawCheck {
    const NAME: &'static str = "[[component.check]]";

    fn read_keys(table: &mut Reader<'_, '_, '_>) -> Option<Self> {
        table.exactly_one(KINDS);
        Some(Self {
            id: table.take(&ID),
            name: table.require(&NAME),
            min_addresses: table.take(&MIN_ADDRESSES),
            makes: table.take(&MAKES),
            kinds: RawKinds::each(table),
            tuning: RawTuning::ask(table),
        })
    }
}

impl RawKinds {
    /// What is asked, where nothing of it varies.
    pub(super) fn once(table: &mut Reader<'_, '_, '_>) -> Self {
        table.exactly_one(KINDS);
        Self::ask(table)
    }

    fn ask(table: &mut Reader<'_, '_, '_>) -> Self {
        Self {
            http: table.take(&HTTP),
            dns: table.take(&DNS),
            tcp: table.take(&TCP),
            tls: table.take(&TLS),
            icmp: table.take(&ICMP),
            grpc: table.take(&GRPC),
            websocket: table.take(&WEBSOCKET),
            clock: table.take(&CLOCK),
            login: table.take(&LOGIN),
            prober: table.take(&PROBER),
        }
    }

    /// What is asked in each variant of the matrix, or once if there is none.
    fn each(table: &mut Reader<'_, '_, '_>) -> Vec<(Option<Variant>, Self)> {
        let matrix = table.take(&MATRIX);
        let (written, problems) = table.parts();
        let given = match &matrix {
            Field::Given(matrix) => Some(matrix.get_ref()),
            Field::Absent | Field::Wrong => None,
        };
        let is_wrong = matches!(matrix, Field::Wrong);
        if is_wrong || !Matrix::check(given, written, KINDS, problems) {
            // What the texts are to be is not known, and so neither what is wrong with them.
            let _ = table.ask_each(&[DeTable::new()], Self::ask);
            return Vec::new();
        }
        let Some(matrix) = given else { return vec![(None, Self::ask(table))] };
        let variants = matrix.variants();
        let tables: Vec<DeTable<'_>> =
            variants.iter().map(|(_, values)| filled(written, KINDS, values)).collect();
        let names = variants.into_iter().map(|(name, _)| Some(name));
        names.zip(table.ask_each(&tables, Self::ask)).collect()
    }
}

#[cfg(test)]
mod tests;
