//! Why a finding is not a pass: one closed set over all kinds of check, so that a metric's label
//! is bounded and every reason has a name, words for the operator and a home in the documentation.

use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::{ClockOffset, Phase, Span, Timestamp};

/// Why a finding is not a pass. The data is for the operator; [`Reason::name`] is the stable label.
///
/// Texts inside come from the target or the system, are cut to a bounded length by whoever makes
/// the reason, and never reach the public.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The name does not exist (NXDOMAIN).
    ResolveNotFound,
    /// The name exists but has no address.
    ResolveNoAddress,
    /// The name has fewer addresses than `min_addresses`.
    TooFewAddresses {
        /// How many it has.
        found: u32,
        /// How many it should have at least.
        least: u32,
    },
    /// The resolver answered with an error or could not be asked.
    ResolveFailed {
        /// What the resolver said.
        detail: String,
    },
    /// The target refused the connection.
    ConnectRefused,
    /// The target reset the connection during the handshake.
    ConnectReset,
    /// There is no way to the target.
    ConnectUnreachable,
    /// The connection failed in another way.
    ConnectFailed {
        /// What the system said.
        detail: String,
    },
    /// Our own trouble: the proxy cannot be reached.
    ProxyUnreachable {
        /// Why not.
        detail: String,
    },
    /// Our own trouble: the proxy does not take our name and password.
    ProxyAuth,
    /// Our own trouble: the proxy will not lead us to the target.
    ProxyDenied {
        /// What it said.
        detail: String,
    },
    /// Our own trouble: what the proxy said breaks its protocol, or it hung up.
    ProxyMalformed {
        /// What was wrong.
        detail: String,
    },
    /// The proxy cannot reach the target.
    ProxyFailed {
        /// What it said.
        detail: String,
    },
    /// The token that the request needs could not be asked for.
    TokenUnavailable {
        /// Why not.
        detail: String,
    },
    /// The token was refused.
    TokenRefused {
        /// The status that came instead.
        got: u16,
    },
    /// What came for a token is none.
    TokenMalformed {
        /// What is wrong with it.
        detail: String,
    },
    /// The TLS handshake failed.
    TlsHandshake {
        /// What the TLS library said.
        detail: String,
    },
    /// The certificate has expired.
    TlsCertificateExpired,
    /// The certificate is not valid yet: renewed too eagerly, or somebody's clock is wrong.
    TlsCertificateNotYetValid,
    /// The certificate is for another name.
    TlsNameMismatch,
    /// Nobody we trust signed the certificate.
    TlsUntrusted {
        /// What the TLS library said.
        detail: String,
    },
    /// The certificate is signed by itself, and is none that we trust.
    TlsSelfSigned,
    /// The certificate's issuer has revoked it, by what the target itself shows.
    TlsCertificateRevoked,
    /// The certificate will soon expire.
    TlsCertificateExpiring {
        /// When it does.
        at: Timestamp,
    },
    /// The stapled OCSP answer is not as expected.
    TlsStaple {
        /// What there was instead.
        got: String,
    },
    /// Another version of TLS was agreed on than is expected.
    TlsVersion {
        /// The version, as in `TLS 1.2`.
        got: String,
    },
    /// Another cipher suite was agreed on than is expected.
    TlsCipher {
        /// Its name.
        got: String,
    },
    /// The target does not want to change over to TLS.
    StarttlsRefused {
        /// What it said.
        got: String,
    },
    /// A phase took longer than the run had left.
    Timeout {
        /// The phase it happened in.
        phase: Phase,
    },
    /// The target closed or reset the connection in the middle.
    ConnectionClosed {
        /// The phase it happened in.
        phase: Phase,
    },
    /// The answer breaks its protocol.
    MalformedAnswer {
        /// What was wrong with it.
        detail: String,
    },
    /// The target speaks another version of HTTP than expected.
    HttpVersion {
        /// What it speaks: `1.1`.
        got: String,
    },
    /// The answer's headers are longer, or more, than we read.
    HeadersTooLarge,
    /// The answer's body is longer than `max_body`.
    BodyTooLarge,
    /// The answer's body is not in the encoding that its headers name.
    BodyEncoding {
        /// What is wrong with it.
        detail: String,
    },
    /// The first byte of the answer took longer than `first_byte_timeout`.
    FirstByteLimit {
        /// What is allowed.
        limit: Span,
    },
    /// In the middle of the answer nothing came for longer than `idle_timeout`.
    IdleLimit {
        /// What is allowed.
        limit: Span,
    },
    /// A step of a script heard nothing for longer than `expect_timeout`.
    ExpectLimit {
        /// What is allowed.
        limit: Span,
    },
    /// The status code is not one of those expected.
    Status {
        /// The code that came.
        got: u16,
    },
    /// More redirects than allowed, or a redirect that leads back.
    RedirectLimit,
    /// A redirect without a usable `Location`.
    RedirectInvalid,
    /// A redirect from a public address to a private one: a target must not make us knock there.
    RedirectRefused {
        /// The address that it leads to.
        to: IpAddr,
    },
    /// The body lacks a text it should have, or a pattern did not match.
    Body {
        /// The expectation that was not met.
        expected: String,
    },
    /// The body is smaller or larger than it should be.
    BodySize {
        /// Its size, in bytes.
        got: u64,
    },
    /// A header of the answer is not what it should be.
    Header {
        /// The expectation that was not met.
        expected: String,
        /// What came.
        got: String,
    },
    /// The redirects led elsewhere than expected.
    FinalUrl {
        /// Where they led.
        got: String,
    },
    /// A value in the body's JSON is not what it should be, or not there.
    Json {
        /// The expectation that was not met.
        expected: String,
        /// What came.
        got: String,
    },
    /// An element of the body's HTML is not what it should be, or not there.
    Html {
        /// The expectation that was not met.
        expected: String,
    },
    /// A record is older than it may be: what is shown is out of date.
    RecordStale {
        /// Where it stands in the body.
        place: String,
        /// How old it is at least.
        age: Span,
    },
    /// A record is dated further in the future than it may be.
    RecordAhead {
        /// Where it stands in the body.
        place: String,
        /// How far in the future it is at least.
        ahead: Span,
    },
    /// What should be a point in time is none.
    RecordNoTime {
        /// Where it stands in the body.
        place: String,
        /// What stands there.
        got: String,
    },
    /// The page would be blank: it has nothing to see and no root that a script would fill.
    PageBlank,
    /// A script or stylesheet that the page names does not load.
    PagePart {
        /// Which.
        url: String,
        /// What is wrong with it.
        detail: String,
    },
    /// A script or stylesheet that the page names is something else.
    PagePartType {
        /// Which.
        url: String,
        /// The type that it has.
        got: String,
    },
    /// The DNS answer has another response code than expected.
    DnsRcode {
        /// The code that came, as in `SERVFAIL`.
        got: String,
    },
    /// The DNS answer's records are not those expected.
    DnsAnswer {
        /// What came.
        got: String,
    },
    /// A record of the DNS answer may be remembered for longer, or not for as long, as expected.
    DnsTtl {
        /// What came.
        got: String,
    },
    /// The DNS answer lacks a flag that is expected.
    DnsFlag {
        /// The flag, as in `AA`.
        missing: String,
    },
    /// The DNS answer does not fit into a datagram and cannot be had over TCP either.
    DnsTruncated {
        /// What went wrong over TCP.
        detail: String,
    },
    /// The name server has an older copy of the zone than another.
    DnsSerial {
        /// Its serial.
        got: u32,
        /// The newest that was seen.
        newest: u32,
    },
    /// The zone's name servers cannot all be found.
    DnsDelegation {
        /// What is missing.
        detail: String,
    },
    /// The DNS answer's signatures are missing or wrong.
    DnssecBogus {
        /// What is wrong with them, as far as it is known.
        detail: String,
    },
    /// The DNS answer is not signed, and its parent zone says that it need not be.
    DnssecInsecure,
    /// What the TCP service said is not what was expected.
    TcpExpect {
        /// The expectation that was not met.
        #[serde(default)]
        expected: String,
        /// What came, printable.
        got: String,
    },
    /// The gRPC call ended with another status than `OK`.
    GrpcStatus {
        /// The status, and what was said with it.
        got: String,
    },
    /// The gRPC service is not serving.
    GrpcHealth {
        /// What it is instead, as in `NOT_SERVING`.
        got: String,
    },
    /// Too many echoes had no answer.
    EchoLost {
        /// How many had none.
        lost: u32,
        /// How many were sent.
        sent: u32,
    },
    /// No message over the WebSocket was the one expected.
    WebsocketExpect {
        /// The expectation that was not met.
        expected: String,
        /// The last message that came, printable.
        got: String,
    },
    /// The target closed the WebSocket in the middle, and said so.
    WebsocketClosed {
        /// The code that it gave; 1005 if none.
        code: u16,
        /// What else it said.
        detail: String,
    },
    /// The target chose none of the subprotocols that it was offered.
    WebsocketSubprotocol {
        /// What it chose instead.
        got: String,
    },
    /// A message over the WebSocket is longer than `max_message`.
    WebsocketMessageTooLarge,
    /// The target's clock is off by more than the check allows.
    ClockSkew {
        /// What is known of it.
        offset: ClockOffset,
    },
    /// It took longer than `degraded_over`.
    Slow {
        /// How long it took.
        took: Span,
    },
    /// One phase took longer than `degraded_over` lets it.
    SlowPhase {
        /// The phase.
        phase: Phase,
        /// How long it took.
        took: Span,
    },
    /// Our own trouble: the process or host ran out of file descriptors, ports or memory.
    ProberExhausted {
        /// What the system said.
        detail: String,
    },
    /// Our own trouble: this host has no network to speak of.
    ProberOffline {
        /// What the system said.
        detail: String,
    },
    /// Our own trouble: a certificate that is valid by the host's clock is not by ours, since the
    /// host's clock has been set while we ran.
    ProberClock {
        /// How far the host's clock is ahead of ours, in microseconds.
        step: i64,
    },
    /// Our own trouble: something that the check needs was not given to this process.
    ProberMisconfigured {
        /// What is missing.
        detail: String,
    },
}

impl Reason {
    /// The stable name: the `reason` label of the metrics and the heading in the documentation.
    #[expect(clippy::too_many_lines, reason = "a line for each reason, and nothing else")]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::ResolveNotFound => "resolve_not_found",
            Self::ResolveNoAddress => "resolve_no_address",
            Self::TooFewAddresses { .. } => "too_few_addresses",
            Self::ResolveFailed { .. } => "resolve_failed",
            Self::ConnectRefused => "connect_refused",
            Self::ConnectReset => "connect_reset",
            Self::ConnectUnreachable => "connect_unreachable",
            Self::ConnectFailed { .. } => "connect_failed",
            Self::ProxyUnreachable { .. } => "proxy_unreachable",
            Self::ProxyAuth => "proxy_auth",
            Self::ProxyDenied { .. } => "proxy_denied",
            Self::ProxyMalformed { .. } => "proxy_malformed",
            Self::ProxyFailed { .. } => "proxy_failed",
            Self::TokenUnavailable { .. } => "token_unavailable",
            Self::TokenRefused { .. } => "token_refused",
            Self::TokenMalformed { .. } => "token_malformed",
            Self::TlsHandshake { .. } => "tls_handshake",
            Self::TlsCertificateExpired => "tls_certificate_expired",
            Self::TlsCertificateNotYetValid => "tls_certificate_not_yet_valid",
            Self::TlsNameMismatch => "tls_name_mismatch",
            Self::TlsUntrusted { .. } => "tls_untrusted",
            Self::TlsSelfSigned => "tls_self_signed",
            Self::TlsCertificateRevoked => "tls_certificate_revoked",
            Self::TlsCertificateExpiring { .. } => "tls_certificate_expiring",
            Self::TlsStaple { .. } => "tls_staple",
            Self::TlsVersion { .. } => "tls_version",
            Self::TlsCipher { .. } => "tls_cipher",
            Self::StarttlsRefused { .. } => "starttls_refused",
            Self::Timeout { phase } => match phase {
                Phase::Resolve => "resolve_timeout",
                Phase::Connect => "connect_timeout",
                Phase::Tls => "tls_timeout",
                Phase::Send => "send_timeout",
                Phase::FirstByte => "first_byte_timeout",
                Phase::Transfer => "transfer_timeout",
            },
            Self::ConnectionClosed { phase } => match phase {
                Phase::Resolve => "resolve_closed",
                Phase::Connect => "connect_closed",
                Phase::Tls => "tls_closed",
                Phase::Send => "send_closed",
                Phase::FirstByte => "first_byte_closed",
                Phase::Transfer => "transfer_closed",
            },
            Self::MalformedAnswer { .. } => "malformed_answer",
            Self::HttpVersion { .. } => "http_version",
            Self::HeadersTooLarge => "headers_too_large",
            Self::BodyTooLarge => "body_too_large",
            Self::BodyEncoding { .. } => "body_encoding",
            Self::FirstByteLimit { .. } => "first_byte_limit",
            Self::IdleLimit { .. } => "idle_limit",
            Self::ExpectLimit { .. } => "expect_limit",
            Self::Status { .. } => "status",
            Self::RedirectLimit => "redirect_limit",
            Self::RedirectInvalid => "redirect_invalid",
            Self::RedirectRefused { .. } => "redirect_refused",
            Self::Body { .. } => "body",
            Self::BodySize { .. } => "body_size",
            Self::Header { .. } => "header",
            Self::FinalUrl { .. } => "final_url",
            Self::Json { .. } => "json",
            Self::Html { .. } => "html",
            Self::RecordStale { .. } => "record_stale",
            Self::RecordAhead { .. } => "record_ahead",
            Self::RecordNoTime { .. } => "record_no_time",
            Self::PageBlank => "page_blank",
            Self::PagePart { .. } => "page_part",
            Self::PagePartType { .. } => "page_part_type",
            Self::DnsRcode { .. } => "dns_rcode",
            Self::DnsAnswer { .. } => "dns_answer",
            Self::DnsTtl { .. } => "dns_ttl",
            Self::DnsFlag { .. } => "dns_flag",
            Self::DnsTruncated { .. } => "dns_truncated",
            Self::DnsSerial { .. } => "dns_serial",
            Self::DnsDelegation { .. } => "dns_delegation",
            Self::DnssecBogus { .. } => "dnssec_bogus",
            Self::DnssecInsecure => "dnssec_insecure",
            Self::TcpExpect { .. } => "tcp_expect",
            Self::GrpcStatus { .. } => "grpc_status",
            Self::GrpcHealth { .. } => "grpc_health",
            Self::EchoLost { .. } => "echo_lost",
            Self::WebsocketExpect { .. } => "websocket_expect",
            Self::WebsocketClosed { .. } => "websocket_closed",
            Self::WebsocketSubprotocol { .. } => "websocket_subprotocol",
            Self::WebsocketMessageTooLarge => "websocket_message_too_large",
            Self::ClockSkew { .. } => "clock_skew",
            Self::Slow { .. } => "slow",
            Self::SlowPhase { phase, .. } => match phase {
                Phase::Resolve => "resolve_slow",
                Phase::Connect => "connect_slow",
                Phase::Tls => "tls_slow",
                Phase::Send => "send_slow",
                Phase::FirstByte => "first_byte_slow",
                Phase::Transfer => "transfer_slow",
            },
            Self::ProberExhausted { .. } => "prober_exhausted",
            Self::ProberOffline { .. } => "prober_offline",
            Self::ProberClock { .. } => "prober_clock",
            Self::ProberMisconfigured { .. } => "prober_misconfigured",
        }
    }

    /// Whether the trouble is ours, so that it must not be held against the target.
    pub const fn is_ours(&self) -> bool {
        matches!(
            self,
            Self::ProberExhausted { .. }
                | Self::ProberOffline { .. }
                | Self::ProberClock { .. }
                | Self::ProberMisconfigured { .. }
                | Self::ProxyUnreachable { .. }
                | Self::ProxyAuth
                | Self::ProxyDenied { .. }
                | Self::ProxyMalformed { .. }
        )
    }
}

/// One line for the operator, with the data.
impl fmt::Display for Reason {
    #[expect(clippy::too_many_lines, reason = "every reason has its arm")]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ResolveNotFound => write!(f, "the name does not exist (NXDOMAIN)"),
            Self::ResolveNoAddress => write!(f, "the name has no address"),
            Self::TooFewAddresses { found, least } => {
                write!(f, "the name has {found} of at least {least} addresses")
            }
            Self::ResolveFailed { detail } => write!(f, "the name could not be resolved: {detail}"),
            Self::ConnectRefused => write!(f, "connection refused"),
            Self::ConnectReset => write!(f, "connection reset during the handshake"),
            Self::ConnectUnreachable => write!(f, "no route to the address"),
            Self::ConnectFailed { detail } => write!(f, "connection failed: {detail}"),
            Self::ProxyUnreachable { detail } => write!(f, "the proxy cannot be reached: {detail}"),
            Self::ProxyAuth => write!(f, "the proxy does not take our name and password"),
            Self::ProxyDenied { detail } => write!(f, "the proxy will not go there: {detail}"),
            Self::ProxyMalformed { detail } => write!(f, "the proxy talks nonsense: {detail}"),
            Self::ProxyFailed { detail } => {
                write!(f, "the proxy cannot reach the target: {detail}")
            }
            Self::TokenUnavailable { detail } => write!(f, "no token can be asked for: {detail}"),
            Self::TokenRefused { got } => write!(f, "no token was given: status {got}"),
            Self::TokenMalformed { detail } => write!(f, "what came is no token: {detail}"),
            Self::TlsHandshake { detail } => write!(f, "TLS handshake failed: {detail}"),
            Self::TlsCertificateExpired => write!(f, "the certificate has expired"),
            Self::TlsCertificateNotYetValid => {
                write!(f, "the certificate is not valid yet, or a clock is wrong, theirs or ours")
            }
            Self::TlsNameMismatch => write!(f, "the certificate is for another name"),
            Self::TlsUntrusted { detail } => write!(f, "the certificate is not trusted: {detail}"),
            Self::TlsSelfSigned => write!(f, "the certificate is signed by itself"),
            Self::TlsCertificateRevoked => write!(f, "the certificate has been revoked"),
            Self::TlsCertificateExpiring { at } => write!(f, "the certificate expires at {at}"),
            Self::TlsStaple { got } => write!(f, "unexpected OCSP staple: {got}"),
            Self::TlsVersion { got } => write!(f, "unexpected protocol version {got}"),
            Self::TlsCipher { got } => write!(f, "unexpected cipher suite {got}"),
            Self::StarttlsRefused { got } => write!(f, "no change over to TLS: {got}"),
            Self::Timeout { phase } => write!(f, "timed out in phase {phase}"),
            Self::ConnectionClosed { phase } => write!(f, "closed by the target in phase {phase}"),
            Self::MalformedAnswer { detail } => write!(f, "malformed answer: {detail}"),
            Self::HttpVersion { got } => write!(f, "HTTP in an unexpected version: {got}"),
            Self::HeadersTooLarge => write!(f, "the answer's headers are too large"),
            Self::BodyTooLarge => write!(f, "the answer's body is larger than max_body"),
            Self::BodyEncoding { detail } => write!(f, "the answer's body is {detail}"),
            Self::FirstByteLimit { limit } => {
                write!(f, "no answer began within first_byte_timeout, {limit}")
            }
            Self::IdleLimit { limit } => {
                write!(f, "the answer stalled for longer than idle_timeout, {limit}")
            }
            Self::ExpectLimit { limit } => {
                write!(f, "nothing came within expect_timeout, {limit}")
            }
            Self::Status { got } => write!(f, "unexpected status {got}"),
            Self::RedirectLimit => write!(f, "too many redirects"),
            Self::RedirectInvalid => write!(f, "a redirect without a usable Location"),
            Self::RedirectRefused { to } => write!(f, "a redirect to the private address {to}"),
            Self::Body { expected } => write!(f, "the body does not satisfy: {expected}"),
            Self::BodySize { got } => write!(f, "the body has {got} bytes"),
            Self::Header { expected, got } => write!(f, "expected {expected}, got {got}"),
            Self::FinalUrl { got } => write!(f, "the redirects led to {got}"),
            Self::Json { expected, got } => write!(f, "expected {expected}, got {got}"),
            Self::Html { expected } => write!(f, "the HTML does not satisfy: {expected}"),
            Self::RecordStale { place, age } => write!(f, "the record at {place} is {age} old"),
            Self::RecordAhead { place, ahead } => {
                write!(f, "the record at {place} is dated {ahead} in the future")
            }
            Self::RecordNoTime { place, got } => {
                write!(f, "the record at {place} has no time but {got}")
            }
            Self::PageBlank => write!(f, "the page is blank"),
            Self::PagePart { url, detail } => write!(f, "the page's {url} does not load: {detail}"),
            Self::PagePartType { url, got } => write!(f, "the page's {url} is of type {got}"),
            Self::DnsRcode { got } => write!(f, "unexpected response code {got}"),
            Self::DnsAnswer { got } => write!(f, "unexpected records: {got}"),
            Self::DnsTtl { got } => write!(f, "unexpected time to live: {got}"),
            Self::DnsFlag { missing } => write!(f, "the answer lacks the flag {missing}"),
            Self::DnsTruncated { detail } => {
                write!(f, "the answer is truncated, and over TCP: {detail}")
            }
            Self::DnsSerial { got, newest } => {
                write!(f, "serial {got}, but the newest is {newest}")
            }
            Self::DnsDelegation { detail } => {
                write!(f, "the zone's name servers cannot be found: {detail}")
            }
            Self::DnssecBogus { detail } => write!(f, "the signatures are not valid: {detail}"),
            Self::DnssecInsecure => write!(f, "the answer is not signed"),
            Self::TcpExpect { expected, got } | Self::WebsocketExpect { expected, got } => {
                write!(f, "expected {expected}, heard: {got}")
            }
            Self::GrpcStatus { got } => write!(f, "the call ended with {got}"),
            Self::GrpcHealth { got } => write!(f, "the service is {got}"),
            Self::EchoLost { lost, sent } => write!(f, "{lost} of {sent} echoes had no answer"),
            Self::WebsocketClosed { code, detail } if detail.is_empty() => {
                write!(f, "the WebSocket was closed with code {code}")
            }
            Self::WebsocketClosed { code, detail } => {
                write!(f, "the WebSocket was closed with code {code}: {detail}")
            }
            Self::WebsocketSubprotocol { got } => write!(f, "unexpected subprotocol: {got}"),
            Self::WebsocketMessageTooLarge => write!(f, "a message is larger than max_message"),
            Self::ClockSkew { offset } => write!(f, "the clock is {}", describe(*offset)),
            Self::Slow { took } => write!(f, "took {took}"),
            Self::SlowPhase { phase, took } => write!(f, "took {took} in phase {phase}"),
            Self::ProberExhausted { detail } => write!(f, "the prober is exhausted: {detail}"),
            Self::ProberOffline { detail } => write!(f, "the prober has no network: {detail}"),
            Self::ProberClock { step } => {
                let size = Span::from_micros(step.unsigned_abs());
                let sense = if *step < 0 { "back" } else { "forward" };
                write!(f, "the prober's host has set its clock {sense} by {size}: restart it")
            }
            Self::ProberMisconfigured { detail } => write!(f, "the prober lacks {detail}"),
        }
    }
}

fn describe(offset: ClockOffset) -> String {
    let middle = offset.middle();
    // To the second: the interval is no finer, and a day less a moment should read as a day.
    let seconds = middle.unsigned_abs().saturating_add(500_000) / 1_000_000;
    let size = Span::from_secs(seconds);
    format!("{size} {}", if middle < 0 { "behind" } else { "ahead" })
}
