//! The `tls` check: a handshake, what was agreed on in it, and the certificates that were shown.

use std::net::{IpAddr, SocketAddr};

use super::addresses::probe_each;
use super::certificate::{self, judge_staple};
use super::judgement::{Judgement, Outcome, judge_speed};
use super::tcp::starttls;
use super::tcp::talk::Talk;
use crate::config::{Check, TlsCheck};
use crate::model::{Finding, Reason, Span, Timestamp};
use crate::net::handshake::{cipher_name, version_name};
use crate::net::{Handshake, Network, Run, TlsFor};

/// Runs the check against the addresses that it asks.
pub(super) async fn probe(
    network: &Network,
    check: &Check,
    tls: &TlsCheck,
    run: Run,
) -> Vec<Finding> {
    probe_each(network, check, &tls.host, tls.addresses, run, |address, mut run| async move {
        let judgement = match exchange(network, tls, address, &mut run).await {
            Ok(()) => {
                let seen = run.tls.unwrap_or_default();
                let took = run.phases.total();
                judge(seen, tls, run.clock().now(), took, check.degraded_over)
            }
            Err(reason) => Judgement::fail(reason),
        };
        Outcome::of(run, judgement)
    })
    .await
}

async fn exchange(
    network: &Network,
    tls: &TlsCheck,
    address: IpAddr,
    run: &mut Run,
) -> Result<(), Reason> {
    let wire = network.connect(run, SocketAddr::new(address, tls.port), tls.source).await?;
    let to = TlsFor { host: tls.server_name.as_ref().unwrap_or(&tls.host), alpn: None };
    let mut talk = Talk::new(run, wire);
    if let Some(protocol) = tls.starttls {
        starttls::ask(&mut talk, protocol, to.host).await?;
    }
    talk.secure(network, to).await?;
    Ok(())
}

/// Judges a handshake that came to its end, with certificates that we trust, which are valid, and
/// for the right name: without these it fails before.
///
/// 1. The version must be one of those expected,
/// 2. then the cipher suite,
/// 3. then nothing must be revoked, and the certificates valid for longer than what fails,
/// 4. then the staple must be as expected,
/// 5. then the certificates must be valid for longer than what degrades,
/// 6. and last it must have been quick enough.
fn judge(
    seen: Handshake,
    tls: &TlsCheck,
    now: Timestamp,
    took: Span,
    degraded_over: Option<Span>,
) -> Judgement {
    let too_old = |got| tls.min_version.is_some_and(|least| u16::from(got) < u16::from(least));
    let other = |got| !tls.versions.is_empty() && !tls.versions.contains(&got);
    if let Some(version) = seen.version.filter(|got| too_old(*got) || other(*got)) {
        return Judgement::fail(Reason::TlsVersion { got: version_name(version) });
    }
    let other = |got| !tls.ciphers.is_empty() && !tls.ciphers.contains(&got);
    if let Some(cipher) = seen.cipher.filter(|got| other(*got)) {
        return Judgement::fail(Reason::TlsCipher { got: cipher_name(cipher) });
    }
    let certificate = certificate::judge(Some(seen), Some(&tls.expires_within), now);
    let staple = || judge_staple(seen.staple, tls.staple, now);
    match certificate {
        Some(judgement) if !judgement.worked() => judgement,
        other => staple().or(other).unwrap_or_else(|| judge_speed(took, degraded_over)),
    }
}

#[cfg(test)]
mod tests {
    use rustls::{CipherSuite, ProtocolVersion};

    use super::{Handshake, Judgement, TlsCheck, judge};
    use crate::config::{Addresses, CertificateLimits, StapleWanted};
    use crate::model::{Reason, Span, Timestamp};
    use crate::net::handshake::Validity;

    fn check() -> TlsCheck {
        TlsCheck {
            host: "desk.example".into(),
            port: 443,
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

    #[test]
    fn what_was_agreed_on_certificates_and_speed_are_judged_in_this_order() {
        let day = |number: i64| Timestamp::from_secs(number * 24 * 3600);
        let chain = Some(Validity { from: day(0), until: day(90) });
        let seen = Handshake {
            leaf: chain,
            shown: chain,
            chain,
            staple: None,
            version: Some(ProtocolVersion::TLSv1_2),
            cipher: Some(CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256),
        };
        let took = Span::from_secs(2);
        let judged = |tls: &TlsCheck, now| judge(seen, tls, day(now), took, Some(Span::ZERO));
        let mut tls = check();
        let expiring = Reason::TlsCertificateExpiring { at: day(90) };
        assert_eq!(judged(&tls, 1), Judgement::degraded(Reason::Slow { took }));
        assert_eq!(judged(&tls, 80), Judgement::degraded(expiring.clone()));
        tls.staple = Some(StapleWanted::Present);
        let staple = Judgement::fail(Reason::TlsStaple { got: "none".into() });
        assert_eq!(judged(&tls, 80), staple);
        assert_eq!(judged(&tls, 89), Judgement::fail(expiring));
        tls.ciphers = vec![CipherSuite::TLS13_AES_128_GCM_SHA256];
        let got = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256".to_owned();
        assert_eq!(judged(&tls, 89), Judgement::fail(Reason::TlsCipher { got }));
        let version = Judgement::fail(Reason::TlsVersion { got: "TLS 1.2".into() });
        tls.min_version = Some(ProtocolVersion::TLSv1_3);
        assert_eq!(judged(&tls, 89), version);
        tls.min_version = Some(ProtocolVersion::TLSv1_2);
        tls.versions = vec![ProtocolVersion::TLSv1_3];
        assert_eq!(judged(&tls, 89), version);
    }
}
