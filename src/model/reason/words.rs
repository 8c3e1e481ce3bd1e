//! Reasons in the operator's words.

use std::fmt;

use super::Reason;
use super::offset;
use crate::model::Span;

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
            Self::RedirectLoop => write!(f, "the redirects lead back to where they have been"),
            Self::RedirectHost { expected, got } => {
                write!(f, "the redirects should {expected}, and went by {got}")
            }
            Self::FormNotFound { sought } => write!(f, "the page has no {sought}"),
            Self::ExtractMissing { name } => write!(f, "the answer has nothing to be `{name}`"),
            Self::ExtractDiffers { name } => write!(f, "`{name}` is not what it must be"),
            Self::Cookie { expected } => write!(f, "expected {expected}"),
            Self::TokenClaim { detail } => write!(f, "the token is not right: {detail}"),
            Self::TokenTime { detail } => write!(f, "the token's times are off: {detail}"),
            Self::CredentialsRejected { account } => {
                write!(f, "the credentials of account {account} were not accepted")
            }
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
            Self::ClockSkew { offset, against } => {
                write!(f, "the clock is {}", offset::describe(*offset, *against))
            }
            Self::ClockJump { by } => {
                let sense = if *by < 0 { "back" } else { "forward" };
                write!(f, "the clock was set {sense} by {}", Span::from_micros(by.unsigned_abs()))
            }
            Self::ClockDrift { rate } => {
                let sense = if *rate < 0 { "slow" } else { "fast" };
                write!(f, "the clock runs {sense} by {} ppm", rate.unsigned_abs())
            }
            Self::ClockUnreadable { detail } => write!(f, "its clock cannot be read: {detail}"),
            Self::NtpUnsynchronized { detail } => {
                write!(f, "the NTP server is not synchronised: {detail}")
            }
            Self::NtpRefused { code } => write!(f, "the NTP server refuses to answer: {code}"),
            Self::Slow { took } => write!(f, "took {took}"),
            Self::SlowQuantile { quantile, took, limit } => {
                write!(
                    f,
                    "the slowest {}% of the runs took {took} or more, over {limit}",
                    100 - quantile.min(&100)
                )
            }
            Self::SlowPhase { phase, took } => write!(f, "took {took} in phase {phase}"),
            Self::ProberExhausted { detail } => write!(f, "the prober is exhausted: {detail}"),
            Self::ProberOffline { detail } => write!(f, "the prober has no network: {detail}"),
            Self::ProberBlip => {
                f.write_str("several platforms failed at once, and the next run passed")
            }
            Self::ProberClock { step } => {
                let size = Span::from_micros(step.unsigned_abs());
                let sense = if *step < 0 { "back" } else { "forward" };
                write!(f, "the prober's host has set its clock {sense} by {size}: restart it")
            }
            Self::ProberClockUnsure => f.write_str("nobody can tell for certain what the time is"),
            Self::ProberClockOff { offset, against } => {
                write!(f, "the prober's clock is {}", offset::describe(*offset, *against))
            }
            Self::ProberBusy { took, added } => {
                write!(f, "took {took}, but {added} of that may be the prober's own load")
            }
            Self::ProberResolver { detail } => {
                write!(f, "the prober's resolver fails where another answers: {detail}")
            }
            Self::OwnTrouble { detail } => write!(f, "the prober's own trouble: {detail}"),
            Self::ProberMisconfigured { detail } => write!(f, "the prober lacks {detail}"),
        }
    }
}
