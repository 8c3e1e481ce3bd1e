//! A certificate authority of our own, and what it signs.

use std::sync::Arc;

use farol::clock::Clock;
use farol::model::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, IsCa, KeyPair,
    date_time_ymd,
};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::version::{TLS12, TLS13};
use tokio_rustls::TlsAcceptor;

/// Far enough away that no test outlives it: 2099-01-01.
pub(crate) const FAR_YEAR: i32 = 2099;
pub(crate) const FAR: Timestamp = Timestamp::from_secs(4_070_908_800);

/// From when to when a certificate is valid: dates.
pub(crate) type Dates = ((i32, u8, u8), (i32, u8, u8));

/// Valid now, and in every year that tests run in.
pub(crate) const ALWAYS: Dates = ((2020, 1, 1), (FAR_YEAR, 1, 1));

/// Valid since long, for so many days from today, to the beginning of the last of them.
pub(crate) fn for_days(days: u64) -> Dates {
    use chrono::Datelike;
    let last = Clock::start().now() + std::time::Duration::from_secs(days * 24 * 3600);
    let last = last.to_utc();
    let small = |number: u32| u8::try_from(number).unwrap();
    ((2020, 1, 1), (last.year(), small(last.month()), small(last.day())))
}

/// A certificate and its key.
pub(crate) struct Identity {
    pub(crate) chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    staple: Vec<u8>,
}

impl Identity {
    /// Shows this one as well.
    pub(crate) fn and(mut self, other: CertificateDer<'static>) -> Self {
        self.chain.push(other);
        self
    }

    /// Staples this OCSP answer.
    pub(crate) fn stapling(mut self, answer: Vec<u8>) -> Self {
        self.staple = answer;
        self
    }

    /// Its key, in DER.
    pub(crate) fn key(&self) -> &[u8] {
        self.key.secret_der()
    }

    /// Speaks one of `alpn` afterwards.
    pub(crate) fn acceptor_speaking(self, alpn: &[&str]) -> TlsAcceptor {
        let mut config = ServerConfig::clone(self.acceptor().config());
        config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        TlsAcceptor::from(Arc::new(config))
    }

    pub(crate) fn acceptor(self) -> TlsAcceptor {
        self.acceptor_of(&[&TLS12, &TLS13])
    }

    pub(crate) fn acceptor_of(
        self,
        versions: &[&'static rustls::SupportedProtocolVersion],
    ) -> TlsAcceptor {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .unwrap()
            .with_no_client_auth()
            .with_single_cert_with_ocsp(self.chain, self.key, self.staple)
            .unwrap();
        TlsAcceptor::from(Arc::new(config))
    }
}

/// A certificate authority of our own, or one below it. Roots and those whom they identify have
/// one name, rcgen's: that the issuer has the subject's name does not make a certificate one that
/// is signed by itself.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.not_after = date_time_ymd(FAR_YEAR + 1, 1, 1);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// An authority that this one vouches for.
    pub(crate) fn below(&self, dates: Dates) -> Self {
        let mut params = params("", dates);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name = named("An intermediate");
        Self(CertifiedIssuer::signed_by(params, KeyPair::generate().unwrap(), &self.0).unwrap())
    }

    pub(crate) fn root(&self) -> CertificateDer<'static> {
        self.0.der().clone()
    }

    /// An identity for `name`.
    pub(crate) fn identify(&self, name: &str, dates: Dates) -> Identity {
        let key = KeyPair::generate().unwrap();
        let certificate = params(name, dates).signed_by(&key, &self.0).unwrap();
        identity(&certificate, &key)
    }
}

/// A certificate that nobody but itself vouches for.
pub(crate) fn self_signed(name: &str, is_authority: bool) -> Identity {
    let mut params = params(name, ALWAYS);
    if is_authority {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    }
    let key = KeyPair::generate().unwrap();
    identity(&params.self_signed(&key).unwrap(), &key)
}

/// The serial number of every certificate here: an OCSP answer must name it.
pub(crate) const SERIAL: [u8; 3] = [0x7f, 0x12, 0x34];

fn params(name: &str, (from, until): Dates) -> CertificateParams {
    let names = if name.is_empty() { Vec::new() } else { vec![name.to_owned()] };
    let mut params = CertificateParams::new(names).unwrap();
    params.not_before = date_time_ymd(from.0, from.1, from.2);
    params.not_after = date_time_ymd(until.0, until.1, until.2);
    params.serial_number = Some(SERIAL.to_vec().into());
    params
}

fn named(name: &str) -> DistinguishedName {
    let mut named = DistinguishedName::new();
    named.push(DnType::CommonName, name);
    named
}

fn identity(certificate: &rcgen::Certificate, key: &KeyPair) -> Identity {
    Identity {
        chain: vec![certificate.der().clone()],
        key: PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        staple: Vec::new(),
    }
}
