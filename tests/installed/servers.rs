//! Real servers as child processes, on the loopback, stopped when dropped.

pub(crate) mod alerts;
pub(crate) mod django;
pub(crate) mod echo;
pub(crate) mod mail;
pub(crate) mod names;
pub(crate) mod oidc;
pub(crate) mod proxies;
pub(crate) mod stores;
pub(crate) mod time;
pub(crate) mod web;

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use data_encoding::BASE64_MIME;

use crate::certificates::Identity;

/// What starts, and what stops, is given so long on a busy machine.
const AT_LAST: Duration = Duration::from_secs(20);

/// Waits until these words are among what is `told`.
fn until_told(words: &str, told: impl Fn() -> String) {
    let deadline = Instant::now() + AT_LAST;
    while !told().contains(words) {
        assert!(Instant::now() < deadline, "never told {words:?}:\n{}", told());
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A child process that is stopped when dropped, with all that it has started.
pub(crate) struct Server {
    child: Child,
    log: PathBuf,
}

impl Server {
    /// Starts it in `dir`, which then has what it prints.
    fn start(dir: &Path, mut command: Command) -> Self {
        let log = dir.join("output.log");
        let file = fs::File::create(&log).unwrap();
        command.stdin(Stdio::null()).stdout(file.try_clone().unwrap()).stderr(file);
        // A group of its own, so that those whom it forks can be found again.
        let child = command.current_dir(dir).process_group(0).spawn();
        let program = command.get_program().display();
        Self { child: child.unwrap_or_else(|error| panic!("{program}: {error}")), log }
    }

    /// Waits until it is `ready`.
    fn until(mut self, mut ready: impl FnMut() -> bool) -> Self {
        let deadline = Instant::now() + AT_LAST;
        while !ready() {
            let ended = self.child.try_wait().unwrap();
            let late = Instant::now() > deadline;
            assert!(ended.is_none() && !late, "not started: {ended:?}\n{}", self.said());
            std::thread::sleep(Duration::from_millis(20));
        }
        self
    }

    fn until_listening(self, address: SocketAddr) -> Self {
        self.until(|| TcpStream::connect(address).is_ok())
    }

    /// What it has printed.
    pub(crate) fn said(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// Waits until it has printed these words: many tell of a client when it is gone.
    pub(crate) fn said_until(&self, words: &str) {
        until_told(words, || self.said());
    }

    /// Waits until it has printed these words so many times, and no more.
    pub(crate) fn said_times(&self, words: &str, times: usize) {
        let deadline = Instant::now() + AT_LAST;
        loop {
            let said = self.said();
            let found = said.matches(words).count();
            assert!(found <= times, "said {words:?} {found} times:\n{said}");
            if found == times {
                return;
            }
            assert!(Instant::now() < deadline, "said {words:?} only {found} times:\n{said}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Takes this file for what it prints.
    fn telling(mut self, log: PathBuf) -> Self {
        self.log = log;
        self
    }

    fn signal(&self, name: &str) {
        let group = format!("-{}", self.child.id());
        let _ = Command::new("kill").args([name, "--", &group]).stderr(Stdio::null()).status();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // First as one asks: some have children in groups of their own, which only they can stop.
        self.signal("-TERM");
        let deadline = Instant::now() + Duration::from_secs(2);
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(10));
        }
        self.signal("-KILL");
        let _ = self.child.wait();
    }
}

/// A folder for a server in `dir`, which users without rights may enter.
fn folder(dir: &Path, name: &str) -> PathBuf {
    let folder = dir.join(name);
    fs::create_dir_all(&folder).unwrap();
    for path in [dir, &folder] {
        open_to_all(path, 0o755);
    }
    folder
}

fn open_to_all(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// Makes `dir` and all that is in it this user's, as which a server works.
fn give(dir: &Path, user: &str) {
    let given = Command::new("chown").args(["-R", user]).arg(dir).status().unwrap();
    assert!(given.success(), "{user}");
}

fn pem(what: &str, der: &[u8]) -> String {
    format!("-----BEGIN {what}-----\n{}-----END {what}-----\n", BASE64_MIME.encode(der))
}

/// Files in PEM.
pub(crate) struct Papers {
    pub(crate) certificates: PathBuf,
    pub(crate) key: PathBuf,
}

/// Writes an identity to `dir`, as `name.pem` and `name.key`.
pub(crate) fn write_identity(dir: &Path, name: &str, identity: &Identity) -> Papers {
    let papers = Papers {
        certificates: write_certificates(dir, name, &identity.chain),
        key: dir.join(name).with_extension("key"),
    };
    fs::write(&papers.key, pem("PRIVATE KEY", identity.key())).unwrap();
    open_to_all(&papers.key, 0o600);
    papers
}

/// Writes certificates to `dir`, as `name.pem`.
pub(crate) fn write_certificates(
    dir: &Path,
    name: &str,
    certificates: &[rustls::pki_types::CertificateDer<'_>],
) -> PathBuf {
    let path = dir.join(name).with_extension("pem");
    let all: String = certificates.iter().map(|der| pem("CERTIFICATE", der)).collect();
    fs::write(&path, all).unwrap();
    path
}
