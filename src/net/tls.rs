//! The TLS handshake: one configuration for each setting, shared by all runs, and a witness for each who remembers the
//! certificates even when they are refused.

mod prepared;
mod staple;
mod witness;

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::{CertificateDer, InvalidDnsNameError, ServerName, UnixTime};
use rustls::time_provider::TimeProvider;
use rustls::{AlertDescription, CertificateError, RootCertStore};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::connect::our_trouble;
use super::handshake::Validity;
use super::run::Run;
use super::wire::Stream;
use crate::clock::Clock;
use crate::config::{Secrets, TlsSettings};
use crate::model::{Phase, Reason, Timestamp};
use prepared::Shelf;
use witness::{Testimony, Witness};

/// Why there can be no TLS at all in this process.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The cryptography does not support what the configuration asks for.
    #[error("cannot configure TLS: {0}")]
    Configuration(#[from] rustls::Error),
    /// The roots cannot be used to verify anything.
    #[error("cannot verify certificates: {0}")]
    Verifier(#[from] rustls::client::VerifierBuilderError),
    /// A root that was given beside the system's is no certificate.
    #[error("a root certificate cannot be used: {0}")]
    Root(rustls::Error),
}

/// Whom to shake hands with.
#[derive(Clone, Copy, Debug)]
pub struct TlsFor<'a> {
    /// The name in SNI that the certificate must be for: the configured host, whatever address
    /// the connection is pinned to.
    pub host: &'a str,
    /// The protocol to be spoken afterwards, if it has a name.
    pub alpn: Option<&'static str>,
}

/// What is said in a handshake.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hello<'a> {
    /// The name in SNI that the certificate must be for.
    pub(super) host: &'a str,
    /// The protocols that may be spoken afterwards, the best first; none if they have no name.
    pub(super) alpn: &'a [&'static str],
    /// Whom to trust and what to show, and the files that this needs; `None` as every user does.
    pub(super) with: Option<(&'a TlsSettings, &'a Secrets)>,
}

/// What all handshakes share.
#[derive(Debug)]
pub(super) struct Tls {
    clock: Clock,
    shelf: Shelf,
}

impl Tls {
    /// Trusts the host's roots, or Mozilla's where the host has none, and `extra_roots`.
    pub(super) fn new(
        clock: Clock,
        extra_roots: &[CertificateDer<'static>],
    ) -> Result<Self, TlsError> {
        let mut roots = trusted_roots();
        for root in extra_roots {
            roots.add(root.clone()).map_err(TlsError::Root)?;
        }
        Ok(Self { clock, shelf: Shelf::new(clock, roots)? })
    }

    /// Shakes hands over `stream`, and notes in `run` what was shown, whatever comes of it.
    pub(super) async fn secure<S: Stream>(
        &self,
        run: &mut Run,
        stream: S,
        hello: Hello<'_>,
    ) -> Result<TlsStream<S>, Reason> {
        let prepared = self.shelf.take(hello.with)?;
        let other = hello.with.and_then(|(settings, _)| settings.server_name.as_deref());
        let name = server_name(other.unwrap_or(hello.host))
            .map_err(|error| Reason::TlsHandshake { detail: error.to_string() })?;
        let witness = Arc::new(Witness::new(prepared.trust.clone()));
        // The copy shares all that was costly to make; only the witness is this handshake's own.
        let mut config = prepared.config.clone();
        config.dangerous().set_certificate_verifier(witness.clone());
        config.alpn_protocols = hello.alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        let handshake = TlsConnector::from(Arc::new(config)).connect(name, stream);
        let outcome = run.phase(Phase::Tls, async { Ok(handshake.await) }).await;
        let Testimony { mut seen, self_signed } = witness.testimony();
        if let Ok(Ok(stream)) = &outcome {
            let (_, session) = stream.get_ref();
            seen.version = session.protocol_version();
            seen.cipher = session.negotiated_cipher_suite().map(|suite| suite.suite());
        }
        run.note_handshake(seen);
        outcome?.map_err(|error| {
            let (now, step) = (self.clock.now(), self.clock.wall_step());
            whose_clock(refusal(&error, self_signed), seen.leaf, now, step)
        })
    }
}

/// The host's roots, or Mozilla's where the host (a bare container) has none.
pub fn trusted_roots() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    roots
}

fn server_name(host: &str) -> Result<ServerName<'static>, InvalidDnsNameError> {
    match super::resolve::literal(host) {
        Some(address) => Ok(ServerName::IpAddress(address.into())),
        None => ServerName::try_from(host.trim_end_matches('.').to_owned()),
    }
}

/// Lets a certificate's validity be judged by the clock that everything else is judged by.
#[derive(Debug)]
struct OurTime(Clock);

impl TimeProvider for OurTime {
    fn current_time(&self) -> Option<UnixTime> {
        let since_epoch = u64::try_from(self.0.now().as_micros()).ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_micros(since_epoch)))
    }
}

/// The target is not to be blamed for a certificate that is valid by the host's clock as it is by
/// now, `step` microseconds ahead of ours: then ours was started on a wrong one.
fn whose_clock(reason: Reason, leaf: Option<Validity>, now: Timestamp, step: i64) -> Reason {
    let of_time =
        matches!(reason, Reason::TlsCertificateExpired | Reason::TlsCertificateNotYetValid);
    let theirs = Timestamp::from_micros(now.as_micros().saturating_add(step));
    // What is not the own certificate's validity is an intermediate's: nobody swaps those daily.
    let set_right = leaf.is_some_and(|leaf| leaf.contains(theirs) && !leaf.contains(now));
    if of_time && set_right { Reason::ProberClock { step } } else { reason }
}

fn refusal(error: &std::io::Error, self_signed: bool) -> Reason {
    if let Some(ours) = our_trouble(error) {
        return ours;
    }
    let source = error.get_ref().and_then(|source| source.downcast_ref::<rustls::Error>());
    match source {
        Some(rustls::Error::InvalidCertificate(why)) => distrust(why, self_signed),
        Some(rustls::Error::AlertReceived(AlertDescription::NoApplicationProtocol)) => {
            Reason::HttpVersion { got: String::from("none of those offered") }
        }
        Some(other) => Reason::TlsHandshake { detail: other.to_string() },
        None if error.kind() == ErrorKind::TimedOut => Reason::Timeout { phase: Phase::Tls },
        // The library says so when more of a message has come than it has room for.
        None if matches!(error.kind(), ErrorKind::InvalidData | ErrorKind::Other) => {
            Reason::TlsHandshake { detail: error.to_string() }
        }
        None => Reason::ConnectionClosed { phase: Phase::Tls },
    }
}

fn distrust(why: &CertificateError, self_signed: bool) -> Reason {
    use CertificateError as Why;
    if matches!(why, Why::Expired | Why::ExpiredContext { .. }) {
        return Reason::TlsCertificateExpired;
    }
    if matches!(why, Why::NotValidYet | Why::NotValidYetContext { .. }) {
        return Reason::TlsCertificateNotYetValid;
    }
    if matches!(why, Why::NotValidForName | Why::NotValidForNameContext { .. }) {
        return Reason::TlsNameMismatch;
    }
    // Whatever else it is refused for, such as that it may sign others, comes of that.
    if self_signed {
        return Reason::TlsSelfSigned;
    }
    Reason::TlsUntrusted { detail: why.to_string() }
}

#[cfg(test)]
mod tests {
    use super::{Validity, whose_clock};
    use crate::model::{Reason, Timestamp};

    #[test]
    fn a_clock_of_ours_that_was_wrong_is_not_held_against_the_target() {
        let leaf = Validity { from: Timestamp::from_secs(100), until: Timestamp::from_secs(200) };
        let name = |reason, now, step: i64| {
            let now = Timestamp::from_secs(now);
            whose_clock(reason, Some(leaf), now, step * 1_000_000).name()
        };
        let (early, late) = (Reason::TlsCertificateNotYetValid, Reason::TlsCertificateExpired);
        assert_eq!(name(early.clone(), 50, 60), "prober_clock");
        assert_eq!(name(late.clone(), 250, -60), "prober_clock");
        assert_eq!(name(early.clone(), 50, 0), "tls_certificate_not_yet_valid");
        assert_eq!(name(early, 50, 1000), "tls_certificate_not_yet_valid");
        assert_eq!(name(late, 250, 60), "tls_certificate_expired");
        assert_eq!(name(Reason::TlsNameMismatch, 50, 60), "tls_name_mismatch");
    }
}
