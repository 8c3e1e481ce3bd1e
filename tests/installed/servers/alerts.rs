//! Prometheus' Alertmanager, with one receiver that is told at once.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use super::Server;

/// An Alertmanager at `address` that tells `receiver`, and takes what it no longer hears of for
/// over after `resolve_timeout`.
pub(crate) fn alertmanager(
    dir: &Path,
    address: SocketAddr,
    receiver: SocketAddr,
    resolve_timeout: &str,
) -> Server {
    let dir = dir.join("alertmanager");
    fs::create_dir(&dir).unwrap();
    let configuration = format!(
        "global:\n  resolve_timeout: {resolve_timeout}\n\
         route:\n  receiver: all\n  group_by: [incident]\n  group_wait: 0s\n  group_interval: 1s\n  \
         repeat_interval: 1h\n\
         receivers:\n- name: all\n  webhook_configs:\n  - url: http://{receiver}/\n    \
         send_resolved: true\n"
    );
    fs::write(dir.join("alertmanager.yml"), configuration).unwrap();
    let mut command = Command::new("prometheus-alertmanager");
    command.args([
        "--config.file=alertmanager.yml",
        "--storage.path=data",
        // Alone: a cluster would wait for its other members.
        "--cluster.listen-address=",
        &format!("--web.listen-address={address}"),
    ]);
    Server::start(&dir, command).until_listening(address)
}
