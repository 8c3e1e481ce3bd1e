//! nginx.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::time::{by_file, faked};
use super::{Papers, Server, folder};

/// A running nginx, and what it writes about those who ask.
pub(crate) struct Nginx {
    _server: Server,
    dir: PathBuf,
}

impl Nginx {
    /// What it has written about each request: protocol, host, path, status, encoding.
    pub(crate) fn requests(&self) -> String {
        fs::read_to_string(self.dir.join("access.log")).unwrap_or_default()
    }

    /// What it has complained of.
    pub(crate) fn complaints(&self) -> String {
        fs::read_to_string(self.dir.join("error.log")).unwrap_or_default()
    }
}

/// nginx on one address, answering 200 with its own name.
pub(crate) fn nginx(dir: &Path, address: SocketAddr) -> Nginx {
    let site = format!(
        "server {{ listen {address}; location / {{ return 200 \"this is {address}\\n\"; }} }}"
    );
    nginx_with(dir, &format!("nginx-{}", address.ip()), address, "", &site)
}

/// nginx with these modules, of those that come in packages of their own, and these sites; it
/// listens on `address` at least.
pub(crate) fn nginx_with(
    dir: &Path,
    name: &str,
    address: SocketAddr,
    modules: &str,
    sites: &str,
) -> Nginx {
    nginx_by(Command::new("nginx"), dir, name, address, modules, sites)
}

/// nginx on one address, whose clock is ahead by as much as faketime is told, such as `+365d`.
pub(crate) fn nginx_ahead(dir: &Path, address: SocketAddr, ahead: &str) -> Nginx {
    nginx_of(faked(ahead, "nginx"), dir, address, "")
}

/// The same, whose clock is ahead by what stands in `file`.
pub(crate) fn nginx_by_file(dir: &Path, address: SocketAddr, file: &Path) -> Nginx {
    let mut command = Command::new("nginx");
    command.envs(by_file(file));
    // nginx forgets its environment, and faketime looks there again and again.
    let kept = by_file(file).into_iter().map(|(name, _)| format!("env {name};"));
    nginx_of(command, dir, address, &kept.collect::<String>())
}

fn nginx_of(command: Command, dir: &Path, address: SocketAddr, more: &str) -> Nginx {
    let site = format!("server {{ listen {address}; location / {{ return 200 \"well\\n\"; }} }}");
    nginx_by(command, dir, &format!("nginx-{}", address.ip()), address, more, &site)
}

fn nginx_by(
    mut command: Command,
    dir: &Path,
    name: &str,
    address: SocketAddr,
    modules: &str,
    sites: &str,
) -> Nginx {
    let dir = folder(dir, name);
    let config = dir.join("nginx.conf");
    let text = format!(
        "daemon off; master_process off; pid {dir}/pid; {modules}\n\
         events {{ worker_connections 64; }}\n\
         http {{ log_format told '$server_protocol $host $request_uri $status \
         \"$sent_http_content_encoding\" $ssl_protocol $ssl_client_verify $remote_addr';\n\
         access_log {dir}/access.log told; client_body_temp_path {dir}/body; \
         proxy_temp_path {dir}/proxy; fastcgi_temp_path {dir}/fastcgi; uwsgi_temp_path {dir}/uwsgi; \
         scgi_temp_path {dir}/scgi;\n\
         {sites}\n}}\n",
        dir = dir.display(),
    );
    fs::write(&config, text).unwrap();
    command.arg("-p").arg(&dir).arg("-c").arg(&config);
    command.arg("-e").arg(dir.join("error.log")).args(["-g", "error_log error.log info;"]);
    let server = Server::start(&dir, command).until_listening(address);
    Nginx { _server: server, dir }
}

/// A site with TLS, in nginx's words.
pub(crate) fn secure_site(address: SocketAddr, papers: &Papers, more: &str) -> String {
    format!(
        "server {{ listen {address} ssl http2; ssl_certificate {}; ssl_certificate_key {};\n{more} }}\n",
        papers.certificates.display(),
        papers.key.display(),
    )
}
