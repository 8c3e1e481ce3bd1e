//! Unbound, a resolver that validates: its word for it, over every transport.

use std::net::SocketAddr;
use std::path::Path;

use farol::model::{Finding, Phase, Reason};

use crate::asking::only;
use crate::certificates::{ALWAYS, Authority};
use crate::knot::{past_expiry, zone};
use crate::probing::{observe, why};
use crate::process::free_address;
use crate::servers::names::{Signed, knot_with, sign, unbound};
use crate::servers::{Server, write_identity};

/// Unbound in front of knot, with the zone as it is after `change`.
struct Resolver {
    unbound: Server,
    _knot: Server,
    authority: Authority,
    plain: SocketAddr,
    tls: SocketAddr,
    https: SocketAddr,
    signed: Signed,
}

impl Resolver {
    async fn start(dir: &Path, policy: &str, change: impl Fn(&str) -> String) -> Self {
        let [knot, plain, tls, https] = [(); 4].map(|()| free_address());
        let signed = sign(dir, knot, &zone(1, ""), policy);
        let server = knot_with(dir, "knot", knot, &change(&signed.zone), "");
        if policy == "short" {
            past_expiry(&signed.zone).await;
        }
        let authority = Authority::new();
        let papers = write_identity(dir, "dns", &authority.identify("dns.farol.test", ALWAYS));
        let unbound = unbound(dir, [plain, tls, https], knot, &signed.key, &papers);
        Self { unbound, _knot: server, authority, plain, tls, https, signed }
    }

    async fn ask(&self, platform: &str, check: &str) -> Finding {
        only(observe(platform, check, &[self.authority.root()]).await)
    }

    async fn dns(&self, server: &str, more: &str) -> Finding {
        let check = format!("dns = {{ name = 'www.farol.test', server = '{server}'{more} }}");
        self.ask("", &check).await
    }
}

#[tokio::test]
#[ignore = "needs unbound and knot"]
async fn what_is_validated_has_the_flag() {
    let dir = tempfile::tempdir().unwrap();
    let resolver = Resolver::start(dir.path(), "default", str::to_owned).await;
    let (plain, tls) = (resolver.plain, resolver.tls);
    let key = resolver.signed.key.display();
    let wanted = ", expect = '127.88.0.1', authenticated = true";
    for (server, connects) in [
        (format!("{plain}"), false),
        (format!("tcp://{plain}"), true),
        (format!("tls://{tls}#dns.farol.test"), true),
    ] {
        let finding = resolver.dns(&server, wanted).await;
        assert_eq!(finding.reason, None, "{server}");
        assert_eq!(finding.phases.get(Phase::Connect).is_some(), connects, "{server}");
        // Validated once more, here.
        let here = format!(", dnssec = {{ trust_anchors = '{key}' }}");
        assert_eq!(resolver.dns(&server, &here).await.reason, None, "{server}");
    }
    let finding = resolver.dns(&format!("tls://{tls}"), "").await;
    assert_eq!(finding.reason, Some(Reason::TlsNameMismatch));
    let flag = Some(Reason::DnsFlag { missing: "AA".into() });
    assert_eq!(resolver.dns(&plain.to_string(), ", authoritative = true").await.reason, flag);
    let said = resolver.unbound.said();
    assert!(said.contains("127.0.0.1 www.farol.test. A IN"), "{said}");
}

#[tokio::test]
#[ignore = "needs unbound and knot"]
async fn a_platforms_names_are_resolved_over_https() {
    let dir = tempfile::tempdir().unwrap();
    let resolver = Resolver::start(dir.path(), "default", str::to_owned).await;
    // The name in the URL is the zone's own, and its resolver is asked over UDP.
    let port = resolver.https.port();
    let check = format!(
        "dns = {{ name = 'www.farol.test', server = 'https://dns.farol.test:{port}', \
         expect = '127.88.0.1', authenticated = true }}"
    );
    let finding = resolver.ask(&format!("resolvers = ['{}']", resolver.plain), &check).await;
    assert_eq!(finding.reason, None);
    for phase in [Phase::Resolve, Phase::Connect, Phase::Tls] {
        assert!(finding.phases.get(phase).is_some(), "{phase:?}");
    }
    // A resolver of the platform, with a name that is looked up by itself.
    let dot = format!("resolvers = ['tls://{}#dns.farol.test']", resolver.tls);
    let check = format!("tcp = 'dns.farol.test:{}'", resolver.plain.port());
    assert_eq!(resolver.ask(&dot, &check).await.reason, None);
    let check = format!("tcp = 'gone.farol.test:{}'", resolver.plain.port());
    assert_eq!(why(&resolver.ask(&dot, &check).await), "resolve_not_found");
}

#[tokio::test]
#[ignore = "needs unbound and knot"]
async fn what_is_bogus_is_not_told() {
    for (policy, words) in [("default", "signature crypto failed"), ("short", "signature expired")]
    {
        let dir = tempfile::tempdir().unwrap();
        let change = |zone: &str| match policy {
            "short" => zone.to_owned(),
            _ => zone.replace("127.88.0.1", "127.88.0.66"),
        };
        let resolver = Resolver::start(dir.path(), policy, change).await;
        let server = resolver.plain.to_string();
        let refused = Some(Reason::DnsRcode { got: "SERVFAIL".into() });
        assert_eq!(resolver.dns(&server, "").await.reason, refused, "{policy}");
        let said = resolver.unbound.said();
        assert!(said.contains("validation failure <www.farol.test. A IN>"), "{said}");
        assert!(said.contains(words), "{said}");
        // Asked for its signatures to be validated here, the resolver tells all.
        let key = resolver.signed.key.display();
        let here = format!(", dnssec = {{ trust_anchors = '{key}' }}");
        assert_eq!(why(&resolver.dns(&server, &here).await), "dnssec_bogus", "{policy}");
        // And names of other hosts cannot be resolved by it.
        let resolvers = format!("resolvers = ['{server}']");
        let finding = resolver.ask(&resolvers, "tcp = 'www.farol.test:9'").await;
        assert_eq!(why(&finding), "resolve_failed", "{:?}", finding.reason);
    }
}
