//! Exim and Dovecot.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use super::{Papers, Server, folder, give};

/// Exim as `mail.farol.test`, with STARTTLS if it has papers.
pub(crate) fn exim(dir: &Path, address: SocketAddr, papers: Option<&Papers>) -> Server {
    let dir = folder(dir, "exim");
    let mut tls = String::from("tls_advertise_hosts =\n");
    if let Some(Papers { certificates, key }) = papers {
        let [certificates, key] =
            [(certificates, "tls.pem"), (key, "tls.key")].map(|(from, name)| {
                fs::copy(from, dir.join(name)).unwrap();
                dir.join(name).display().to_string()
            });
        tls = format!(
            "tls_advertise_hosts = *\ntls_certificate = {certificates}\ntls_privatekey = {key}\n"
        );
    }
    // It refuses one that is not root's, and the folder is its own.
    let config = dir.with_extension("conf");
    let text = format!(
        "primary_hostname = mail.farol.test\ndaemon_smtp_ports = {}\nlocal_interfaces = {}\n\
         spool_directory = {dir}/spool\nlog_file_path = {dir}/%slog\npid_file_path = {dir}/pid\n\
         log_selector = +smtp_connection +smtp_no_mail +tls_cipher\nkeep_environment =\n{tls}",
        address.port(),
        address.ip(),
        dir = dir.display(),
    );
    fs::write(&config, text).unwrap();
    give(&dir, "Debian-exim");
    let mut command = Command::new("exim4");
    command.arg("-bdf").arg("-C").arg(&config);
    Server::start(&dir, command).until_listening(address).telling(dir.join("mainlog"))
}

/// Dovecot's IMAP, with STARTTLS.
pub(crate) fn dovecot(dir: &Path, address: SocketAddr, papers: &Papers) -> Server {
    let dir = folder(dir, "dovecot");
    let config = dir.join("dovecot.conf");
    let text = format!(
        "base_dir = {dir}/run\nstate_dir = {dir}/run\nlog_path = /dev/stderr\nprotocols = imap\n\
         ssl = required\nssl_cert = <{}\nssl_key = <{}\nlisten = {}\n\
         service imap-login {{\n chroot =\n inet_listener imap {{\n port = {}\n }}\n \
         inet_listener imaps {{\n port = 0\n }}\n}}\nservice anvil {{\n chroot =\n}}\n\
         mail_location = maildir:{dir}/mail\nuserdb {{\n driver = passwd\n}}\npassdb {{\n driver = pam\n}}\n",
        papers.certificates.display(),
        papers.key.display(),
        address.ip(),
        address.port(),
        dir = dir.display(),
    );
    fs::write(&config, text).unwrap();
    let mut command = Command::new("dovecot");
    command.arg("-F").arg("-c").arg(&config);
    Server::start(&dir, command).until_listening(address)
}
