//! Knot DNS.

use std::fs;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::{Server, folder};

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
