//! The TLS handshake: one configuration for all runs, and a witness for each who remembers the
//! certificates even when they are refused.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, InvalidDnsNameError, ServerName, UnixTime};
use rustls::time_provider::TimeProvider;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::connect::our_trouble;
use super::run::Run;
use crate::clock::Clock;
use crate::model::{Phase, Reason, Timestamp};

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

/// The configuration that all handshakes start from.
#[derive(Debug)]
pub(super) struct Tls {
    config: ClientConfig,
    verifier: Arc<WebPkiServerVerifier>,
}

impl Tls {
    /// Trusts the host's roots, or Mozilla's where the host has none, and `extra_roots`.
    pub(super) fn new(
        clock: Clock,
        extra_roots: &[CertificateDer<'static>],
    ) -> Result<Self, TlsError> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if roots.is_empty() {
            roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        }
        for root in extra_roots {
            roots.add(root.clone()).map_err(TlsError::Root)?;
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone())
                .build()?;
        let mut config = ClientConfig::builder_with_details(provider, Arc::new(OurTime(clock)))
            .with_safe_default_protocol_versions()?
            .with_webpki_verifier(verifier.clone())
            .with_no_client_auth();
        // A new user has no session to resume, and a resumed one shows no certificate.
        config.resumption = rustls::client::Resumption::disabled();
        Ok(Self { config, verifier })
    }

    /// Shakes hands over `stream`, and notes in `run` when the shown certificates expire.
    pub(super) async fn secure(
        &self,
        run: &mut Run,
        stream: TcpStream,
        to: TlsFor<'_>,
    ) -> Result<TlsStream<TcpStream>, Reason> {
        let name = server_name(to.host)
            .map_err(|error| Reason::TlsHandshake { detail: error.to_string() })?;
        let witness =
            Arc::new(Witness { verifier: self.verifier.clone(), expires_at: OnceLock::new() });
        // The copy shares all that was costly to make; only the witness is this handshake's own.
        let mut config = self.config.clone();
        config.dangerous().set_certificate_verifier(witness.clone());
        config.alpn_protocols = to.alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        let handshake = TlsConnector::from(Arc::new(config)).connect(name, stream);
        let outcome =
            run.phase(Phase::Tls, async { handshake.await.map_err(|error| refusal(&error)) }).await;
        if let Some(at) = witness.expires_at.get() {
            run.note_certificate(*at);
        }
        outcome
    }
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

/// Verifies as usual, but remembers first when the certificates expire: rustls forgets those that
/// it refuses, and exactly then the operator wants to know.
#[derive(Debug)]
struct Witness {
    verifier: Arc<WebPkiServerVerifier>,
    expires_at: OnceLock<Timestamp>,
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let shown = std::iter::once(end_entity).chain(intermediates);
        if let Some(first) = shown.filter_map(not_after).min() {
            // A handshake shows its certificates once.
            let _ = self.expires_at.set(first);
        }
        self.verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}

fn not_after(certificate: &CertificateDer<'_>) -> Option<Timestamp> {
    let (_, parsed) = x509_parser::parse_x509_certificate(certificate).ok()?;
    Some(Timestamp::from_secs(parsed.validity().not_after.timestamp()))
}

fn refusal(error: &std::io::Error) -> Reason {
    if let Some(ours) = our_trouble(error) {
        return ours;
    }
    let source = error.get_ref().and_then(|source| source.downcast_ref::<rustls::Error>());
    match source {
        Some(rustls::Error::InvalidCertificate(why)) => distrust(why),
        Some(other) => Reason::TlsHandshake { detail: other.to_string() },
        None if error.kind() == std::io::ErrorKind::TimedOut => {
            Reason::Timeout { phase: Phase::Tls }
        }
        None => Reason::ConnectionClosed { phase: Phase::Tls },
    }
}

fn distrust(why: &CertificateError) -> Reason {
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
    Reason::TlsUntrusted { detail: why.to_string() }
}
