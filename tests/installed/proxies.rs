//! The `http` check through squid and microsocks, to nginx; and proxies that do not let it through.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use farol::model::{Finding, Reason, Verdict};

use crate::asking::only;
use crate::certificates::{ALWAYS, Authority};
use crate::probing::{observe, why};
use crate::process::free_address;
use crate::servers::names::knot;
use crate::servers::proxies::{USER, microsocks, squid};
use crate::servers::web::{Nginx, nginx_with, secure_site};
use crate::servers::{write_certificates, write_identity};

/// nginx with and without TLS, for a name that only knot knows, if anybody.
struct Target {
    nginx: Nginx,
    plain: SocketAddr,
    secure: SocketAddr,
    ca_file: String,
    password: String,
    wrong: String,
}

impl Target {
    fn start(dir: &Path) -> Self {
        let (plain, secure) = (free_address(), free_address());
        let authority = Authority::new();
        let papers = write_identity(dir, "target", &authority.identify("127.0.0.1", ALWAYS));
        let site = "return 200 'this is the target';";
        let sites =
            format!("server {{ listen {plain}; {site} }}") + &secure_site(secure, &papers, site);
        let [password, wrong] = [("password", USER[1]), ("wrong", "open")].map(|(name, text)| {
            let path = dir.join(name);
            fs::write(&path, text).unwrap();
            path.display().to_string()
        });
        Self {
            nginx: nginx_with(dir, "nginx", plain, "", &sites),
            plain,
            secure,
            ca_file: write_certificates(dir, "root", &[authority.root()]).display().to_string(),
            password,
            wrong,
        }
    }

    /// The finding of asking for `url` through the proxy at `proxy`.
    async fn through(
        &self,
        proxy: &str,
        password: Option<&str>,
        url: &str,
        platform: &str,
    ) -> Finding {
        let proxy = match password {
            None => format!("'{proxy}'"),
            Some(file) => {
                let user = USER[0];
                format!("{{ url = '{proxy}', user = '{user}', password = {{ file = '{file}' }} }}")
            }
        };
        let ca_file = &self.ca_file;
        let check = format!(
            "http = {{ url = '{url}', proxy = {proxy}, tls = {{ ca_file = '{ca_file}' }}, \
             contains = 'this is the target' }}"
        );
        only(observe(platform, &check, &[]).await)
    }
}

#[tokio::test]
#[ignore = "needs squid and nginx"]
async fn squid_lets_its_user_through() {
    let dir = tempfile::tempdir().unwrap();
    let target = Target::start(dir.path());
    let address = free_address();
    let denied = free_address().port();
    let squid = squid(dir.path(), address, denied);
    let proxy = format!("http://{address}");
    let (plain, secure) =
        (format!("http://{}/", target.plain), format!("https://{}/", target.secure));
    for (url, protocol) in [(&plain, "HTTP/1.1"), (&secure, "HTTP/2.0")] {
        let before = target.nginx.requests().len();
        let finding = target.through(&proxy, Some(&target.password), url, "").await;
        assert_eq!(finding.reason, None, "{url}");
        let requests = target.nginx.requests();
        assert!(
            requests[before..].starts_with(&format!("{protocol} 127.0.0.1 / 200")),
            "{requests}"
        );
        for password in [Some(&*target.wrong), None] {
            let finding = target.through(&proxy, password, url, "").await;
            assert_eq!(finding.reason, Some(Reason::ProxyAuth), "{url}");
            assert_eq!(finding.verdict, Verdict::Inconclusive, "{url}");
        }
        assert_eq!(target.nginx.requests(), requests, "it was let through");
    }
    for url in [format!("http://127.0.0.1:{denied}/"), format!("https://127.0.0.1:{denied}/")] {
        let finding = target.through(&proxy, Some(&target.password), &url, "").await;
        assert_eq!(why(&finding), if url.starts_with("https") { "proxy_denied" } else { "status" });
    }
    squid.wrote(&format!("{plain} GET 200 me"));
    squid.wrote(&format!("{plain} GET 407 "));
    squid.wrote(&format!("127.0.0.1:{denied} CONNECT 403 me"));
    drop(squid);
    let finding = target.through(&proxy, Some(&target.password), &secure, "").await;
    assert_eq!((&*why(&finding), finding.verdict), ("proxy_unreachable", Verdict::Inconclusive));
}

#[tokio::test]
#[ignore = "needs squid and nginx"]
async fn squid_tells_of_a_target_that_is_down() {
    let dir = tempfile::tempdir().unwrap();
    let target = Target::start(dir.path());
    let address = free_address();
    let _squid = squid(dir.path(), address, free_address().port());
    let proxy = format!("http://{address}");
    let down = free_address();
    for (url, expected) in
        [(format!("http://{down}/"), "status"), (format!("https://{down}/"), "proxy_failed")]
    {
        let finding = target.through(&proxy, Some(&target.password), &url, "").await;
        assert_eq!(
            (&*why(&finding), finding.verdict),
            (expected, Verdict::Fail),
            "{:?}",
            finding.reason
        );
    }
}

#[tokio::test]
#[ignore = "needs microsocks, nginx and knot"]
async fn socks_takes_addresses_and_names() {
    let dir = tempfile::tempdir().unwrap();
    let target = Target::start(dir.path());
    let (address, dns) = (free_address(), free_address());
    let _knot = knot(dir.path(), dns, &[target.plain.ip()]);
    let microsocks = microsocks(dir.path(), address);
    let resolvers = format!("resolvers = ['{dns}']");
    let secure = format!("https://{}/", target.secure);
    let port = target.plain.port();
    // The first name is known here alone, the second to whoever has a file of hosts.
    for (kind, url, expected) in [
        ("socks5", &*secure, "pass"),
        ("socks5h", &*secure, "pass"),
        ("socks5", &*format!("http://www.farol.test:{port}/"), "pass"),
        ("socks5h", &*format!("http://localhost:{port}/"), "pass"),
        ("socks5", &*format!("http://localhost.farol.test:{port}/"), "resolve_not_found"),
    ] {
        let before = target.nginx.requests().len();
        let proxy = format!("{kind}://{address}");
        let finding = target.through(&proxy, Some(&target.password), url, &resolvers).await;
        assert_eq!(why(&finding), expected, "{kind} {url}: {:?}", finding.reason);
        let asked = target.nginx.requests().len() > before;
        assert_eq!(asked, expected == "pass", "{kind} {url}");
    }
    for password in [Some(&*target.wrong), None] {
        let finding = target.through(&format!("socks5://{address}"), password, &secure, "").await;
        assert_eq!((&*why(&finding), finding.verdict), ("proxy_auth", Verdict::Inconclusive));
    }
    let down = format!("https://{}/", free_address());
    let proxy = format!("socks5://{address}");
    let finding = target.through(&proxy, Some(&target.password), &down, "").await;
    assert_eq!(finding.verdict, Verdict::Fail, "{:?}", finding.reason);
    let said = microsocks.said();
    assert!(said.contains(&format!("connected to localhost:{port}")), "{said}");
    drop(microsocks);
    let finding = target.through(&proxy, Some(&target.password), &secure, "").await;
    assert_eq!((&*why(&finding), finding.verdict), ("proxy_unreachable", Verdict::Inconclusive));
}
