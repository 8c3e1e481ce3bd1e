//! PostgreSQL and etcd.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Papers, Server, folder, give};

/// A program of the newest PostgreSQL that is installed, run as the user that it insists on.
fn program(name: &str) -> Command {
    let versions = fs::read_dir("/usr/lib/postgresql").unwrap();
    let newest: PathBuf = versions.map(|entry| entry.unwrap().path()).max().unwrap();
    let mut command = Command::new("setpriv");
    command.args(["--reuid", "postgres", "--regid", "postgres", "--clear-groups"]);
    command.arg(newest.join("bin").join(name));
    command
}

/// PostgreSQL with an empty database, and TLS if it has papers.
pub(crate) fn postgres(dir: &Path, address: SocketAddr, papers: Option<&Papers>) -> Server {
    let dir = folder(dir, "postgres");
    if let Some(Papers { certificates, key }) = papers {
        fs::copy(certificates, dir.join("tls.pem")).unwrap();
        fs::copy(key, dir.join("tls.key")).unwrap();
    }
    give(&dir, "postgres");
    let data = dir.join("data");
    let mut initdb = program("initdb");
    let made = initdb.arg("-D").arg(&data).args(["-A", "reject", "--no-sync"]).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let mut command = program("postgres");
    command.arg("-D").arg(&data).arg("-h").arg(address.ip().to_string());
    command.arg("-p").arg(address.port().to_string()).args(["-k", "", "-c", "log_connections=on"]);
    if papers.is_some() {
        let file = |name: &str| dir.join(name).display().to_string();
        command.args(["-c", "ssl=on", "-c", &format!("ssl_cert_file={}", file("tls.pem"))]);
        command.args(["-c", &format!("ssl_key_file={}", file("tls.key"))]);
    }
    Server::start(&dir, command).until_listening(address)
}

/// etcd, a cluster of one, for its clients at `address`; over TLS if it has papers.
pub(crate) fn etcd(
    dir: &Path,
    address: SocketAddr,
    peers: SocketAddr,
    papers: Option<&Papers>,
) -> Server {
    let dir = folder(dir, "etcd");
    let scheme = if papers.is_some() { "https" } else { "http" };
    let (clients, peers) = (format!("{scheme}://{address}"), format!("http://{peers}"));
    let mut command = Command::new("etcd");
    command.args(["--name", "default", "--data-dir"]).arg(dir.join("data"));
    command.args(["--listen-client-urls", &clients, "--advertise-client-urls", &clients]);
    command.args(["--listen-peer-urls", &peers, "--initial-advertise-peer-urls", &peers]);
    command.args(["--initial-cluster", &format!("default={peers}")]);
    if let Some(Papers { certificates, key }) = papers {
        command.arg("--cert-file").arg(certificates).arg("--key-file").arg(key);
    }
    let server = Server::start(&dir, command).until_listening(address);
    // It listens before it has made up its mind that it leads.
    server.said_until("ready to serve client requests");
    server
}
