//! The prober's own uplink is cut: in a network namespace of its own, with the real binary in it
//! and two platforms and the references outside.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use farol::clock::Clock;

/// How long anything may take that must come.
const PATIENCE: Duration = Duration::from_secs(30);

/// Runs `ip`; panics with what it says if that is not well.
fn ip(arguments: &str) {
    let output = Command::new("ip").args(arguments.split(' ')).output().expect("iproute2");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "ip {arguments}: {said} (needs root and network namespaces)");
}

/// A namespace with an uplink to here; both are gone when it is dropped.
struct Namespace {
    name: String,
    outside: String,
    subnet: u8,
}

impl Namespace {
    fn new() -> Self {
        let id = std::process::id();
        let subnet = u8::try_from(id % 250).unwrap();
        let (name, outside) = (format!("farol-{id}"), format!("fa{id}"));
        let this = Self { name, outside, subnet };
        let Self { name, outside, .. } = &this;
        let inside = format!("fb{id}");
        ip(&format!("netns add {name}"));
        ip(&format!("link add {outside} type veth peer name {inside} netns {name}"));
        for host in [1, 11, 12, 13, 21, 22, 23] {
            ip(&format!("addr add {}/24 dev {outside}", this.address(host)));
        }
        ip(&format!("link set {outside} up"));
        ip(&format!("-n {name} link set lo up"));
        ip(&format!("-n {name} addr add {}/24 dev {inside}", this.address(2)));
        ip(&format!("-n {name} link set {inside} up"));
        ip(&format!("-n {name} route add default via {}", this.address(1)));
        this
    }

    /// Of the range that is set aside for tests of networks.
    fn address(&self, host: u8) -> String {
        format!("198.18.{}.{host}", self.subnet)
    }

    fn farol(&self, dir: &Path, probes: &Path) -> Farol {
        let log = dir.join("farol.log");
        let child = Command::new("ip")
            .args(["netns", "exec", &self.name, env!("CARGO_BIN_EXE_farol"), "run"])
            .arg(probes)
            .args(["--listen", "127.0.0.1:8600", "--state-dir"])
            .arg(dir.join("state"))
            .stdout(Stdio::null())
            .stderr(fs::File::create(&log).unwrap())
            .spawn()
            .unwrap();
        Farol { child, log }
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let answers = format!("route del blackhole {}/32", self.address(2));
        let [link, name] =
            [format!("link del {}", self.outside), format!("netns del {}", self.name)];
        for command in [answers, link, name] {
            let _ = Command::new("ip").args(command.split(' ')).stderr(Stdio::null()).status();
        }
    }
}

/// A running `farol run`, killed when dropped.
struct Farol {
    child: Child,
    log: PathBuf,
}

impl Farol {
    /// How many lines of the log have all of these words.
    fn told(&self, words: &[&str]) -> usize {
        let log = fs::read_to_string(&self.log).unwrap();
        log.lines().filter(|line| words.iter().all(|word| line.contains(word))).count()
    }

    fn wait(&self, words: &[&str], times: usize) {
        let waited = Clock::start().stopwatch();
        while self.told(words) < times {
            let log = || fs::read_to_string(&self.log).unwrap();
            assert!(waited.elapsed().to_duration() < PATIENCE, "never told {words:?}:\n{}", log());
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Farol {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A server that answers every request with a plain 200, until it is dropped.
struct Target {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Target {
    fn start(address: &str) -> Self {
        let address: SocketAddr = format!("{address}:8080").parse().unwrap();
        let listener = TcpListener::bind(address).unwrap();
        listener.set_nonblocking(true).unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                let Ok((mut stream, _)) = listener.accept() else {
                    std::thread::sleep(Duration::from_millis(10));
                    continue;
                };
                let _ = stream.set_nonblocking(false);
                let _ = stream.set_read_timeout(Some(Duration::from_millis(500)));
                let _ = stream.read(&mut [0; 1024]);
                let _ = stream.write_all(
                    b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
                );
            }
        });
        Self { stop, thread: Some(thread) }
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

fn write_probes(dir: &Path, space: &Namespace) -> PathBuf {
    let probes = dir.join("probes");
    fs::create_dir(&probes).unwrap();
    let platform = |name: &str, hosts: &[u8]| {
        let mut text = format!(
            "[platform]\nname = '{name}'\nresolve_after = '3s'\ngroup_within = '0s'\n\
             [defaults]\ninterval = '1s'\ntimeout = '1s'\n"
        );
        for host in hosts {
            let address = space.address(*host);
            text += &format!(
                "[[component]]\nname = 'C{host}'\n[[component.check]]\nname = 'Answers'\n\
                 http = 'http://{address}:8080/'\n"
            );
        }
        fs::write(probes.join(format!("{name}.toml")), text).unwrap();
    };
    platform("one", &[11]);
    platform("two", &[12, 13]);
    let mut prober = "[prober]\ninterval = '1s'\ntimeout = '1s'\nconfirm_after = '1s'\n".to_owned();
    for host in [21, 22, 23] {
        let address = space.address(host);
        prober += &format!("[[reference]]\nname = 'R{host}'\nhttp = 'http://{address}:8080/'\n");
    }
    fs::write(probes.join("prober.toml"), prober).unwrap();
    probes
}

#[test]
#[ignore = "needs root and network namespaces"]
fn a_cut_of_our_own_uplink_opens_and_resolves_nothing() {
    const OPENED: &str = "incident opened";
    const LOST: &str = "our own network is lost";
    const WELL: &str = "our own network is well again";
    let dir = tempfile::tempdir().unwrap();
    let space = Namespace::new();
    let start = |host| Target::start(&space.address(host));
    let _references = [21, 22, 23].map(start);
    let [alpha, _beta, gamma] = [11, 12, 13].map(start);
    let farol = space.farol(dir.path(), &write_probes(dir.path(), &space));

    // One target is down, and is found.
    drop(gamma);
    farol.wait(&[OPENED, "platform=two"], 1);

    // The uplink is cut. Meanwhile that one is mended, and another one stops.
    ip(&format!("link set {} down", space.outside));
    farol.wait(&[LOST], 1);
    let changed = farol.told(&["incident changed"]);
    let _gamma = start(13);
    drop(alpha);
    std::thread::sleep(Duration::from_secs(6));
    assert_eq!((farol.told(&[OPENED]), farol.told(&["incident changed"])), (1, changed));
    ip(&format!("link set {} up", space.outside));
    farol.wait(&[WELL], 1);
    farol.wait(&[OPENED, "platform=one"], 1);
    farol.wait(&["incident changed", "platform=two", "status=resolved"], 1);

    // Cut another way: what is sent arrives, and no answer comes back.
    ip(&format!("route add blackhole {}/32", space.address(2)));
    farol.wait(&[LOST], 2);
    let changed = farol.told(&["incident changed"]);
    let _alpha = start(11);
    std::thread::sleep(Duration::from_secs(4));
    assert_eq!((farol.told(&[OPENED]), farol.told(&["incident changed"])), (2, changed));
    ip(&format!("route del blackhole {}/32", space.address(2)));
    farol.wait(&[WELL], 2);
    farol.wait(&["incident changed", "platform=one", "status=resolved"], 1);
    assert_eq!(farol.told(&[OPENED]), 2);
}
