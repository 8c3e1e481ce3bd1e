//! Why a finding is not a pass: one closed set over all kinds of check, so that a metric's label
//! is bounded and every reason has a name, words for the operator and a home in the documentation.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::{ClockOffset, ClockReference, Phase, Span, Timestamp};

mod name;
mod network;
mod offset;
mod words;

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
    /// More redirects than allowed.
    RedirectLimit,
    /// A redirect back to what was asked before.
    RedirectLoop,
    /// The redirects of a step did not go where they should.
    RedirectHost {
        /// What was expected of them.
        expected: String,
        /// The hosts that they went by.
        got: String,
    },
    /// The page has no such form, or no field of this name in it.
    FormNotFound {
        /// What was sought.
        sought: String,
    },
    /// What a later step needs is not in the answer.
    ExtractMissing {
        /// The variable.
        name: String,
    },
    /// What was extracted is not what it must be: a state that was lost on the way.
    ExtractDiffers {
        /// The variable.
        name: String,
    },
    /// A cookie is not set, or not as it must be.
    Cookie {
        /// The expectation that was not met; never its value.
        expected: String,
    },
    /// A token is none, or says something else than it must.
    TokenClaim {
        /// What is wrong with it; never the token.
        detail: String,
    },
    /// A token's times are off: not good yet, no longer, or of another year.
    TokenTime {
        /// What is wrong with them.
        detail: String,
    },
    /// The credentials were not accepted.
    CredentialsRejected {
        /// Whose, as the file calls the account.
        account: String,
    },
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
        /// What is known of it, against the reference.
        offset: ClockOffset,
        /// Against what.
        #[serde(default, skip_serializing_if = "ClockReference::is_host")]
        against: ClockReference,
    },
    /// The target's clock was set: between two runs it went further than time did.
    ClockJump {
        /// How much further, at least; negative if it was set back. In microseconds.
        by: i64,
    },
    /// The target's clock runs too fast or too slow.
    ClockDrift {
        /// How much at least, in parts per million.
        rate: i64,
    },
    /// The target says nothing of its clock that can be used.
    ClockUnreadable {
        /// What is wrong with what it says.
        detail: String,
    },
    /// The NTP server says that its own clock is not synchronised.
    NtpUnsynchronized {
        /// What it says.
        detail: String,
    },
    /// The NTP server sent a kiss of death: it does not want to be asked.
    NtpRefused {
        /// The code, as in `RATE`.
        code: String,
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
    /// Of several runs together, too many took too long.
    SlowQuantile {
        /// Of a hundred runs, how many took no longer than `took`.
        quantile: u8,
        /// The quantile.
        took: Span,
        /// What it may be.
        limit: Span,
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
    /// Our own trouble, as it seems: several platforms failed at once, and this one passed when it
    /// was asked again.
    ProberBlip,
    /// Our own trouble: a certificate that is valid by the host's clock is not by ours, since the
    /// host's clock has been set while we ran.
    ProberClock {
        /// How far the host's clock is ahead of ours, in microseconds.
        step: i64,
    },
    /// Those who could tell what the time is are too few, or contradict each other.
    ProberClockUnsure,
    /// Our own trouble: our clock is not what others agree on.
    ProberClockOff {
        /// How far it is ahead of them.
        offset: ClockOffset,
        /// Who they are.
        against: ClockReference,
    },
    /// Our own trouble: the run took longer since we did not get to run.
    ProberBusy {
        /// How long it took.
        took: Span,
        /// How much of that we may have added ourselves.
        added: Span,
    },
    /// Our own trouble: the name is found, but not by our resolver.
    ProberResolver {
        /// What our resolver said.
        detail: String,
    },
    /// Our own trouble, as that of a component which stands for ourselves: there it counts.
    OwnTrouble {
        /// What is wrong with us.
        detail: String,
    },
    /// Our own trouble: something that the check needs was not given to this process.
    ProberMisconfigured {
        /// What is missing.
        detail: String,
    },
}
