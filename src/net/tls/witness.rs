//! The verifier of one handshake: verifies as usual, and remembers what was shown and by which
//! chain it was verified. rustls forgets certificates that it refuses, and exactly then the
//! operator wants to know of them.

use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::pki_types::{CertificateDer, ServerName, SignatureVerificationAlgorithm, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{DigitallySignedStruct, RootCertStore, SignatureScheme};
use webpki::{EndEntityCert, KeyUsage};
use x509_parser::certificate::X509Certificate;

use super::super::handshake::{Handshake, Validity, first};
use super::staple;
use crate::model::Timestamp;

/// What all handshakes that trust the same roots verify with.
#[derive(Clone, Debug)]
pub(super) struct Trust {
    pub(super) roots: Arc<RootCertStore>,
    pub(super) algorithms: &'static [&'static dyn SignatureVerificationAlgorithm],
    /// Trusts the same; its words for what is wrong are everybody's.
    pub(super) verifier: Arc<WebPkiServerVerifier>,
    /// Whether it matters to nobody what is wrong; what is shown is remembered all the same.
    pub(super) skip_verify: bool,
}

/// What the witness of one handshake remembers.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Testimony {
    /// What was shown, and verified by.
    pub(super) seen: Handshake,
    /// Whether a certificate that was refused has signed itself.
    pub(super) self_signed: bool,
}

/// Verifies and remembers.
#[derive(Debug)]
pub(super) struct Witness {
    trust: Trust,
    testimony: Mutex<Testimony>,
}

impl Witness {
    pub(super) fn new(trust: Trust) -> Self {
        Self { trust, testimony: Mutex::default() }
    }

    /// What it remembers.
    pub(super) fn testimony(&self) -> Testimony {
        *self.testimony.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, change: impl FnOnce(&mut Testimony)) {
        change(&mut self.testimony.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn note_shown(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        ocsp_response: &[u8],
    ) {
        let shown = intermediates.iter().map(|certificate| validity(certificate));
        let shown = shown.fold(None, first);
        self.note(|testimony| {
            testimony.seen.shown = shown;
            let Some(leaf) = parse(end_entity) else { return };
            let own = Some(validity_of(&leaf));
            testimony.seen.leaf = own;
            testimony.seen.shown = first(own, shown);
            testimony.seen.staple = staple::read(ocsp_response, leaf.raw_serial());
        });
    }

    /// Verifies the chain, and gives the validity of the certificate in it that expires first;
    /// `None` if no chain leads to a root.
    fn chain(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Option<Option<Validity>> {
        let leaf = EndEntityCert::try_from(end_entity).ok()?;
        let path = leaf
            .verify_for_usage(
                self.trust.algorithms,
                &self.trust.roots.roots,
                intermediates,
                now,
                KeyUsage::server_auth(),
                None,
                None,
            )
            .ok()?;
        let needed =
            path.intermediate_certificates().map(|certificate| validity(&certificate.der()));
        Some(first(validity(end_entity), needed.fold(None, first)))
    }

    /// Whether a certificate names itself as its issuer, and its signature is by its own key:
    /// that the names agree alone may be carelessness.
    fn signed_by_itself(&self, certificate: &CertificateDer<'_>) -> bool {
        let (Some(parsed), Ok(key)) = (parse(certificate), EndEntityCert::try_from(certificate))
        else {
            return false;
        };
        let (message, signature) = (parsed.tbs_certificate.as_ref(), &parsed.signature_value.data);
        let mut algorithms = self.trust.algorithms.iter();
        parsed.issuer() == parsed.subject()
            && algorithms.any(|one| key.verify_signature(*one, message, signature).is_ok())
    }
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
        self.note_shown(end_entity, intermediates, ocsp_response);
        let chain = self.chain(end_entity, intermediates, now);
        if self.trust.skip_verify {
            self.note(|testimony| testimony.seen.chain = chain.flatten());
            return Ok(ServerCertVerified::assertion());
        }
        let Some(chain) = chain else {
            // Once more, for its words: what is refused may cost twice.
            let verifier = &self.trust.verifier;
            let self_signed = self.signed_by_itself(end_entity);
            self.note(|testimony| testimony.self_signed = self_signed);
            return verifier.verify_server_cert(
                end_entity,
                intermediates,
                server_name,
                ocsp_response,
                now,
            );
        };
        self.note(|testimony| testimony.seen.chain = chain);
        verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.trust.verifier.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.trust.verifier.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.trust.verifier.supported_verify_schemes()
    }
}

fn parse<'a>(certificate: &'a CertificateDer<'_>) -> Option<X509Certificate<'a>> {
    Some(x509_parser::parse_x509_certificate(certificate).ok()?.1)
}

fn validity(certificate: &CertificateDer<'_>) -> Option<Validity> {
    parse(certificate).as_ref().map(validity_of)
}

fn validity_of(certificate: &X509Certificate<'_>) -> Validity {
    let validity = certificate.validity();
    Validity {
        from: Timestamp::from_secs(validity.not_before.timestamp()),
        until: Timestamp::from_secs(validity.not_after.timestamp()),
    }
}
