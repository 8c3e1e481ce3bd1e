//! The configurations that handshakes start from: one for each distinct setting of the probe
//! files, made when it is first needed and kept.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::WebPkiServerVerifier;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, RootCertStore};

use super::witness::Trust;
use super::{OurTime, TlsError};
use crate::clock::Clock;
use crate::config::{SecretRef, Secrets, TlsSettings};
use crate::model::Reason;

/// What a handshake starts from.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) config: ClientConfig,
    pub(super) trust: Trust,
}

/// All of them.
#[derive(Debug)]
pub(super) struct Shelf {
    clock: Clock,
    roots: Arc<RootCertStore>,
    usual: Arc<Prepared>,
    /// Grows with the configuration's settings and not with time.
    built: Mutex<BTreeMap<TlsSettings, Arc<Prepared>>>,
}

impl Shelf {
    /// Whatever says nothing else trusts `roots`.
    pub(super) fn new(clock: Clock, roots: RootCertStore) -> Result<Self, TlsError> {
        let roots = Arc::new(roots);
        let usual = Prepared::new(clock, roots.clone(), None, &TlsSettings::default())?;
        Ok(Self { clock, roots, usual: Arc::new(usual), built: Mutex::default() })
    }

    /// What `settings` with their `files` come to.
    pub(super) fn take(
        &self,
        with: Option<(&TlsSettings, &Secrets)>,
    ) -> Result<Arc<Prepared>, Reason> {
        let Some((settings, files)) = with else { return Ok(self.usual.clone()) };
        // Asked for in each handshake, whatever is trusted.
        let key = TlsSettings { server_name: None, ..settings.clone() };
        if key == TlsSettings::default() {
            return Ok(self.usual.clone());
        }
        let mut built = self.built.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(prepared) = built.get(&key) {
            return Ok(prepared.clone());
        }
        let prepared = Arc::new(self.build(&key, files)?);
        built.insert(key, prepared.clone());
        Ok(prepared)
    }

    fn build(&self, settings: &TlsSettings, files: &Secrets) -> Result<Prepared, Reason> {
        let roots = match &settings.ca_file {
            None => self.roots.clone(),
            Some(path) => {
                let mut roots = RootCertStore::empty();
                for root in certificates(path, files)? {
                    roots.add(root).map_err(|error| unusable("authorities", &error))?;
                }
                Arc::new(roots)
            }
        };
        let identity = match &settings.identity {
            None => None,
            Some(identity) => {
                let key = PrivateKeyDer::from_pem_slice(pem(&identity.key_file, files)?)
                    .map_err(|error| unusable("a key", &error))?;
                Some((certificates(&identity.cert_file, files)?, key))
            }
        };
        Prepared::new(self.clock, roots, identity, settings)
            .map_err(|error| unusable("TLS settings", &error))
    }
}

impl Prepared {
    fn new(
        clock: Clock,
        roots: Arc<RootCertStore>,
        identity: Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>,
        settings: &TlsSettings,
    ) -> Result<Self, TlsError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier =
            WebPkiServerVerifier::builder_with_provider(roots.clone(), provider.clone()).build()?;
        let algorithms = provider.signature_verification_algorithms.all;
        let versions: &[_] = if settings.only_1_3 { &[&TLS13] } else { &[&TLS13, &TLS12] };
        let builder = ClientConfig::builder_with_details(provider, Arc::new(OurTime(clock)))
            .with_protocol_versions(versions)?
            .with_webpki_verifier(verifier.clone());
        let mut config = match identity {
            None => builder.with_no_client_auth(),
            Some((chain, key)) => builder.with_client_auth_cert(chain, key)?,
        };
        // A new user has no session to resume, and a resumed one shows no certificate.
        config.resumption = rustls::client::Resumption::disabled();
        let trust = Trust { roots, algorithms, verifier, skip_verify: settings.skip_verify };
        Ok(Self { config, trust })
    }
}

fn unusable(what: &str, error: &dyn std::error::Error) -> Reason {
    Reason::ProberMisconfigured { detail: format!("{what} that can be used: {error}") }
}

fn pem<'a>(path: &Path, files: &'a Secrets) -> Result<&'a [u8], Reason> {
    let text = files.get(&SecretRef::File(path.to_owned()));
    let missing = || Reason::ProberMisconfigured { detail: format!("the file {}", path.display()) };
    text.map(|text| text.reveal().as_bytes()).ok_or_else(missing)
}

fn certificates(path: &Path, files: &Secrets) -> Result<Vec<CertificateDer<'static>>, Reason> {
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem(path, files)?).collect();
    all.map_err(|error| unusable("certificates", &error))
}
