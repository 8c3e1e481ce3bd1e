//! Squid and microsocks.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Server, folder, open_to_all, until_told};

/// The name and the password that the proxies here know.
pub(crate) const USER: [&str; 2] = ["me", "sesame"];

/// A running squid, and what it writes about those who ask.
pub(crate) struct Squid {
    _server: Server,
    dir: PathBuf,
}

impl Squid {
    /// What it has written about each request that is over: by whom, how, what.
    pub(crate) fn requests(&self) -> String {
        fs::read_to_string(self.dir.join("access.log")).unwrap_or_default()
    }

    /// Waits until it has written these words: it writes of a request when that is over.
    pub(crate) fn wrote(&self, words: &str) {
        until_told(words, || self.requests());
    }
}

/// Squid, which lets its user go everywhere but to the port `denied`, and nobody else anywhere.
pub(crate) fn squid(dir: &Path, address: SocketAddr, denied: u16) -> Squid {
    let dir = folder(dir, "squid");
    // It works as a user without rights.
    open_to_all(&dir, 0o777);
    let hashed = Command::new("openssl").args(["passwd", "-apr1", USER[1]]).output().unwrap();
    let hashed = String::from_utf8(hashed.stdout).unwrap();
    fs::write(dir.join("users"), format!("{}:{hashed}", USER[0])).unwrap();
    let config = dir.join("squid.conf");
    let text = format!(
        "http_port {address}\npid_filename none\ncache deny all\ncache_store_log none\n\
         logformat told %ru %rm %>Hs %un\naccess_log stdio:{dir}/access.log logformat=told\n\
         cache_log {dir}/cache.log\ncoredump_dir {dir}\nvisible_hostname proxy.test\n\
         shutdown_lifetime 0 seconds\npinger_enable off\n\
         auth_param basic program /usr/lib/squid/basic_ncsa_auth {dir}/users\n\
         auth_param basic children 1\n\
         acl known proxy_auth REQUIRED\nacl denied port {denied}\n\
         http_access deny !known\nhttp_access deny denied\nhttp_access allow all\n",
        dir = dir.display(),
    );
    fs::write(&config, text).unwrap();
    let mut command = Command::new("squid");
    command.arg("-N").arg("-f").arg(&config);
    let server = Server::start(&dir, command).until_listening(address);
    Squid { _server: server, dir }
}

/// microsocks, a SOCKS 5 proxy, which lets its user go everywhere.
pub(crate) fn microsocks(dir: &Path, address: SocketAddr) -> Server {
    let dir = folder(dir, "microsocks");
    let mut command = Command::new("microsocks");
    command.arg("-i").arg(address.ip().to_string()).arg("-p").arg(address.port().to_string());
    command.args(["-u", USER[0], "-P", USER[1]]);
    Server::start(&dir, command).until_listening(address)
}
