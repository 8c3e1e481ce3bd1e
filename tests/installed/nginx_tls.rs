//! nginx as most sites have it: HTTP/2 over TLS, compressed bodies, several sites on an address,
//! clients that must show who they are.

use std::net::SocketAddr;
use std::path::Path;

use farol::model::{Finding, Reason, Subject, Verdict};

use crate::asking::only;
use crate::certificates::{ALWAYS, Authority, Dates};
use crate::probing::{ask, observe, why};
use crate::process::free_address;
use crate::servers::names::knot;
use crate::servers::web::{Nginx, nginx_with, secure_site};
use crate::servers::{Papers, write_certificates, write_identity};

const LONG_AGO: Dates = ((2020, 1, 1), (2021, 1, 1));

/// A root that is trusted, and the authority below it that signs, as everywhere.
struct Trust {
    root: Authority,
    signs: Authority,
    ca_file: String,
}

impl Trust {
    fn new(dir: &Path) -> Self {
        let root = Authority::new();
        let signs = root.below(ALWAYS);
        let ca_file = write_certificates(dir, "root", &[root.root()]).display().to_string();
        Self { root, signs, ca_file }
    }

    fn papers(&self, dir: &Path, name: &str, dates: Dates) -> Papers {
        let identity = self.signs.identify(name, dates).and(self.signs.root());
        write_identity(dir, name, &identity)
    }
}

/// The sites of one nginx on a free port of 127.0.0.1, and whom to trust.
fn start(dir: &Path, more: &str) -> (Nginx, SocketAddr, Trust) {
    let trust = Trust::new(dir);
    let address = free_address();
    let site = secure_site(address, &trust.papers(dir, "127.0.0.1", ALWAYS), more);
    (nginx_with(dir, "nginx", address, "", &site), address, trust)
}

fn https(address: SocketAddr, trust: &Trust, tls: &str, more: &str) -> String {
    let ca_file = &trust.ca_file;
    format!("http = {{ url = 'https://{address}/', tls = {{ ca_file = '{ca_file}'{tls} }}{more} }}")
}

#[tokio::test]
#[ignore = "needs nginx"]
async fn the_version_of_http_is_agreed_on_and_judged() {
    let dir = tempfile::tempdir().unwrap();
    let (nginx, address, trust) = start(dir.path(), "return 200 'well';");
    for (versions, logged) in
        [("", "HTTP/2.0"), (", versions = '2'", "HTTP/2.0"), (", versions = '1.1'", "HTTP/1.1")]
    {
        let before = nginx.requests().len();
        let finding = ask(&https(address, &trust, "", versions)).await;
        assert_eq!(finding.reason, None, "{versions}");
        let requests = nginx.requests();
        let said = &requests[before..];
        assert!(said.starts_with(&format!("{logged} 127.0.0.1 / 200")), "{said}");
    }
    // Without TLS nothing is agreed on, and nginx speaks one version.
    let plain = free_address();
    let site = format!("server {{ listen {plain}; return 200 'well'; }}");
    let nginx = nginx_with(dir.path(), "plain", plain, "", &site);
    let with =
        |versions: &str| format!("http = {{ url = 'http://{plain}/', versions = {versions} }}");
    assert_eq!(ask(&with("['1.1', '2']")).await.reason, None);
    assert!(nginx.requests().starts_with("HTTP/1.1 "), "{}", nginx.requests());
    let finding = ask(&with("'1.0'")).await;
    assert_eq!((&*why(&finding), finding.verdict), ("http_version", Verdict::Fail));
}

#[tokio::test]
#[ignore = "needs nginx"]
async fn a_server_without_http_2_fails_a_check_that_wants_it() {
    let dir = tempfile::tempdir().unwrap();
    let trust = Trust::new(dir.path());
    let address = free_address();
    let papers = trust.papers(dir.path(), "127.0.0.1", ALWAYS);
    let site = secure_site(address, &papers, "return 200 'well';").replace(" http2", "");
    let nginx = nginx_with(dir.path(), "nginx", address, "", &site);
    assert_eq!(ask(&https(address, &trust, "", "")).await.reason, None);
    assert!(nginx.requests().starts_with("HTTP/1.1 "), "{}", nginx.requests());
    let finding = ask(&https(address, &trust, "", ", versions = '2'")).await;
    assert_eq!(why(&finding), "http_version", "{:?}", finding.reason);
    assert_eq!(finding.verdict, Verdict::Fail);
}

#[tokio::test]
#[ignore = "needs nginx and its brotli module"]
async fn bodies_are_decompressed() {
    let dir = tempfile::tempdir().unwrap();
    let trust = Trust::new(dir.path());
    let papers = trust.papers(dir.path(), "127.0.0.1", ALWAYS);
    let text = "a lighthouse is not interested in who gets its light ".repeat(200);
    std::fs::write(dir.path().join("long.txt"), text + "the end").unwrap();
    let root = format!("root {}; types {{ text/plain txt; }}", dir.path().display());
    let brotli = "load_module /usr/lib/nginx/modules/ngx_http_brotli_filter_module.so;";
    for (modules, encoding) in [("", "gzip"), (brotli, "brotli")] {
        let address = free_address();
        let more = format!("{root} {encoding} on; {encoding}_types text/plain;");
        let site = secure_site(address, &papers, &more);
        let nginx = nginx_with(dir.path(), encoding, address, modules, &site);
        let check = |more: &str| {
            https(address, &trust, "", &format!(", contains = 'the end'{more}"))
                .replace("/',", "/long.txt',")
        };
        let header = if encoding == "brotli" { "br" } else { encoding };
        let size = ", size = { at_least = '10KiB' }";
        assert_eq!(ask(&check(size)).await.reason, None, "{encoding}");
        let logged = |encoding: &str| format!("/long.txt 200 \"{encoding}\"");
        assert!(nginx.requests().contains(&logged(header)), "{}", nginx.requests());
        assert_eq!(ask(&check(", compression = false")).await.reason, None);
        assert!(nginx.requests().contains(&logged("-")), "{}", nginx.requests());
    }
}

#[tokio::test]
#[ignore = "needs nginx"]
async fn clients_show_who_they_are() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let trust = Trust::new(dir);
    let stranger = Trust::new(&{
        let other = dir.join("stranger");
        std::fs::create_dir(&other).unwrap();
        other
    });
    let bundle = write_certificates(dir, "clients", &[trust.signs.root(), trust.root.root()]);
    let ours = trust.papers(dir, "probe", ALWAYS);
    let wrong = stranger.papers(dir, "stranger", ALWAYS);
    let server = trust.papers(dir, "127.0.0.1", ALWAYS);
    for version in ["TLSv1.2", "TLSv1.3"] {
        let address = free_address();
        let more = format!(
            "ssl_protocols {version}; ssl_verify_client on; ssl_verify_depth 2; \
             ssl_client_certificate {}; return 200 'come in';",
            bundle.display()
        );
        let nginx = nginx_with(dir, version, address, "", &secure_site(address, &server, &more));
        let showing = |papers: &Papers| {
            let (cert, key) = (papers.certificates.display(), papers.key.display());
            let tls = format!(", cert_file = '{cert}', key_file = '{key}'");
            https(address, &trust, &tls, ", contains = 'come in'")
        };
        assert_eq!(ask(&showing(&ours)).await.reason, None, "{version}");
        let refused = Some(Reason::Status { got: 400 });
        assert_eq!(ask(&showing(&wrong)).await.reason, refused, "{version}");
        assert_eq!(ask(&https(address, &trust, "", "")).await.reason, refused, "{version}");
        let requests = nginx.requests();
        let verified: Vec<bool> = requests.lines().map(|line| line.contains(" SUCCESS ")).collect();
        assert_eq!(verified, [true, false, false], "{requests}");
        assert!(requests.contains(" FAILED:") && requests.contains(" NONE "), "{requests}");
        assert!(requests.lines().all(|line| line.contains(version)), "{requests}");
    }
}

#[tokio::test]
#[ignore = "needs nginx"]
async fn whom_to_trust_and_which_version_is_the_checks_to_say() {
    let dir = tempfile::tempdir().unwrap();
    let (nginx, address, trust) = start(dir.path(), "ssl_protocols TLSv1.2; return 200 'well';");
    assert_eq!(ask(&https(address, &trust, "", "")).await.reason, None);
    assert!(nginx.requests().contains(" TLSv1.2 "), "{}", nginx.requests());
    let finding = ask(&format!("http = 'https://{address}/'")).await;
    assert_eq!(why(&finding), "tls_untrusted", "{:?}", finding.reason);
    let finding = ask(&https(address, &trust, ", min_version = '1.3'", "")).await;
    assert_eq!(why(&finding), "tls_handshake", "{:?}", finding.reason);
    assert!(nginx.complaints().contains("unsupported protocol"), "{}", nginx.complaints());

    let roots = [trust.root.root()];
    let tls = async |more: &str| -> Finding {
        only(observe("", &format!("tls = {{ address = '{address}'{more} }}"), &roots).await)
    };
    let finding = tls("").await;
    assert_eq!(finding.reason, None);
    assert_eq!(finding.tls.unwrap().version.as_deref(), Some("TLS 1.2"));
    let old = Some(Reason::TlsVersion { got: "TLS 1.2".into() });
    assert_eq!(tls(", min_version = '1.3'").await.reason, old);
    assert_eq!(
        tls(", staple = 'present'").await.reason,
        Some(Reason::TlsStaple { got: "none".into() })
    );
}

#[tokio::test]
#[ignore = "needs nginx"]
async fn one_of_several_sites_is_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let trust = Trust::new(dir);
    let address = free_address();
    let mut sites = String::new();
    for name in ["one.test", "two.test"] {
        let papers = trust.papers(dir, name, ALWAYS);
        let more = format!("server_name {name}; return 200 'this is {name}';");
        sites.push_str(&secure_site(address, &papers, &more));
    }
    let nginx = nginx_with(dir, "nginx", address, "", &sites);
    for name in ["one.test", "two.test"] {
        let tls = format!(", server_name = '{name}'");
        let more = format!(", host = '{name}', contains = 'this is {name}'");
        assert_eq!(ask(&https(address, &trust, &tls, &more)).await.reason, None, "{name}");
        assert!(nginx.requests().contains(&format!("{name} / 200")), "{}", nginx.requests());
    }
    // What TLS asks for has the certificate, what `Host` asks for has the page.
    for (page, expected) in [("two.test", "pass"), ("one.test", "body")] {
        let more = format!(", host = 'two.test', contains = 'this is {page}'");
        let mixed = https(address, &trust, ", server_name = 'one.test'", &more);
        assert_eq!(why(&ask(&mixed).await), expected);
    }
    assert_eq!(ask(&https(address, &trust, "", "")).await.reason, Some(Reason::TlsNameMismatch));
}

#[tokio::test]
#[ignore = "needs nginx and knot"]
async fn http_leads_to_https() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let trust = Trust::new(dir);
    let (address, plain, dns) = (free_address(), free_address(), free_address());
    let _knot = knot(dir, dns, &[address.ip()]);
    let papers = trust.papers(dir, "www.farol.test", ALWAYS);
    let sites = secure_site(address, &papers, "return 200 'this is $scheme';")
        + &format!(
            "server {{ listen {plain}; return 301 https://$host:{}$request_uri; }}",
            address.port()
        );
    let nginx = nginx_with(dir, "nginx", plain, "", &sites);
    let ask = async |more: &str| -> Finding {
        let url = format!("http://www.farol.test:{}/path?a=b", plain.port());
        let ca_file = &trust.ca_file;
        let check =
            format!("http = {{ url = '{url}', tls = {{ ca_file = '{ca_file}' }}, {more} }}");
        only(observe(&format!("resolvers = ['{dns}']"), &check, &[]).await)
    };
    let there = format!("https://www.farol.test:{}/path?a=b", address.port());
    let finding = ask(&format!("contains = 'this is https', final_url = '{there}'")).await;
    assert_eq!(finding.reason, None);
    let requests = nginx.requests();
    assert!(requests.starts_with("HTTP/1.1 www.farol.test /path?a=b 301"), "{requests}");
    assert!(requests.contains("HTTP/2.0 www.farol.test /path?a=b 200"), "{requests}");
    assert_eq!(ask("redirects = false").await.reason, Some(Reason::Status { got: 301 }));
    assert_eq!(ask("redirects = false, status = 301").await.reason, None);
}

#[tokio::test]
#[ignore = "needs nginx and knot"]
async fn the_address_with_the_expired_certificate_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let trust = Trust::new(dir);
    let (dns, port) = (free_address(), free_address().port());
    let good: SocketAddr = format!("127.88.0.1:{port}").parse().unwrap();
    let bad: SocketAddr = format!("127.88.0.2:{port}").parse().unwrap();
    let _knot = knot(dir, dns, &[good.ip(), bad.ip()]);
    let mut running = Vec::new();
    for (address, dates) in [(good, ALWAYS), (bad, LONG_AGO)] {
        let papers = trust.papers(dir, "www.farol.test", dates);
        let site = secure_site(address, &papers, "return 200 'well';");
        running.push(nginx_with(dir, &address.ip().to_string(), address, "", &site));
    }
    let at = format!("www.farol.test:{port}");
    for check in [
        format!("http = {{ url = 'https://{at}/', addresses = 'all' }}"),
        format!("tls = {{ address = '{at}', addresses = 'all' }}"),
        format!("tcp = {{ address = '{at}', tls = true, addresses = 'all' }}"),
    ] {
        let platform = format!("resolvers = ['{dns}']");
        let seen = observe(&platform, &check, &[trust.root.root()]).await;
        let found: Vec<_> = seen.findings.iter().map(|one| (&one.subject, why(one))).collect();
        let of = |address: SocketAddr| Subject::Address(address.ip());
        let (good, bad) = (of(good), of(bad));
        let expired = "tls_certificate_expired".to_owned();
        assert_eq!(found, [(&good, "pass".to_owned()), (&bad, expired)], "{check}");
    }
}
