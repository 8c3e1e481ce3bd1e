//! Knot DNS and Unbound.

use std::fs;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::{Papers, Server, folder};

/// Knot DNS, authoritative for `farol.test`, where `www` has these addresses.
pub(crate) fn knot(dir: &Path, listen: SocketAddr, www: &[IpAddr]) -> Server {
    let mut zone = String::from(
        "$ORIGIN farol.test.\n$TTL 1\n@ SOA ns hostmaster 1 3600 600 86400 60\n@ NS ns\n\
         ns A 127.0.0.1\n",
    );
    for address in www {
        let kind = if address.is_ipv4() { "A" } else { "AAAA" };
        zone.push_str(&format!("www {kind} {address}\n"));
    }
    knot_with(dir, "knot", listen, &zone, "")
}

/// Knot DNS with this text of the zone `farol.test`, and more to say about it.
pub(crate) fn knot_with(
    dir: &Path,
    name: &str,
    listen: SocketAddr,
    zone: &str,
    more: &str,
) -> Server {
    let dir = folder(dir, name);
    folder(&dir, "db");
    fs::write(dir.join("farol.test.zone"), zone).unwrap();
    let config = dir.join("knot.conf");
    let text = format!(
        "server:\n    rundir: {dir}\n    listen: {ip}@{port}\n\
         database:\n    storage: {dir}/db\n\
         log:\n  - target: stderr\n    any: info\n\
         policy:\n  - id: short\n    rrsig-lifetime: 3\n    rrsig-refresh: 1\n    \
         rrsig-pre-refresh: 0\n    propagation-delay: 0\n\
         zone:\n  - domain: farol.test\n    storage: {dir}\n    file: farol.test.zone\n{more}",
        dir = dir.display(),
        ip = listen.ip(),
        port = listen.port(),
    );
    fs::write(&config, text).unwrap();
    let mut command = Command::new("knotd");
    command.arg("-c").arg(&config);
    Server::start(&dir, command).until(|| answers_dns(listen))
}

/// The zone `farol.test` as knot signs it.
pub(crate) struct Signed {
    /// The zone's text, with all that was made for it.
    pub(crate) zone: String,
    /// A file with the key that all its signatures lead to.
    pub(crate) key: PathBuf,
}

/// Lets knot sign `zone`, by its policy of this name. It is not running afterwards, so nobody signs
/// anew what expires.
pub(crate) fn sign(dir: &Path, listen: SocketAddr, zone: &str, policy: &str) -> Signed {
    let more = format!("    dnssec-signing: on\n    dnssec-policy: {policy}\n");
    let server = knot_with(dir, "signer", listen, zone, &more);
    let dir = dir.join("signer");
    let text = || fs::read_to_string(dir.join("farol.test.zone")).unwrap_or_default();
    let server = server.until(|| text().contains("\n;; Written "));
    let config = dir.join("knot.conf");
    let told = Command::new("keymgr").arg("-c").arg(config).args(["farol.test", "dnskey"]).output();
    let key = dir.join("farol.test.key");
    fs::write(&key, told.unwrap().stdout).unwrap();
    drop(server);
    Signed { zone: text(), key }
}

/// Unbound, which asks `zone` for what is in `farol.test` and believes what `key` has signed. It
/// answers over UDP and TCP on the first address, over TLS on the second, and over HTTP on the
/// third.
pub(crate) fn unbound(
    dir: &Path,
    [plain, tls, https]: [SocketAddr; 3],
    zone: SocketAddr,
    key: &Path,
    papers: &Papers,
) -> Server {
    let dir = folder(dir, "unbound");
    let config = dir.join("unbound.conf");
    let place = |address: SocketAddr| format!("{}@{}", address.ip(), address.port());
    let text = format!(
        "server:\n do-daemonize: no\n chroot: \"\"\n username: \"\"\n directory: {dir:?}\n \
         pidfile: \"\"\n use-syslog: no\n logfile: \"\"\n log-queries: yes\n val-log-level: 2\n \
         val-sig-skew-min: 0\n val-sig-skew-max: 0\n \
         num-threads: 1\n do-ip6: no\n do-not-query-localhost: no\n \
         interface: {}\n interface: {}\n interface: {}\n tls-port: {}\n https-port: {}\n \
         tls-service-pem: {:?}\n tls-service-key: {:?}\n \
         local-zone: \"test.\" nodefault\n module-config: \"validator iterator\"\n \
         trust-anchor-file: {key:?}\n\
         remote-control:\n control-enable: no\n\
         stub-zone:\n name: farol.test\n stub-addr: {}\n",
        place(plain),
        place(tls),
        place(https),
        tls.port(),
        https.port(),
        papers.certificates,
        papers.key,
        place(zone),
    );
    fs::write(&config, text).unwrap();
    let mut command = Command::new("unbound");
    command.arg("-d").arg("-p").arg("-c").arg(&config);
    Server::start(&dir, command).until(|| answers_dns(plain))
}

/// Whether a DNS server answers a query for the zone's SOA, if only that it cannot.
fn answers_dns(server: SocketAddr) -> bool {
    let query =
        b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x05farol\x04test\x00\x00\x06\x00\x01";
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    let mut answer = [0; 512];
    socket.send_to(query, server).is_ok()
        && matches!(socket.recv(&mut answer), Ok(length) if length > 12 && (answer[7] > 0 || answer[3] & 15 == 2))
}
