//! Prometheus's blackbox_exporter, where it is installed, asked over HTTP to do the same: that is
//! how it is used, so what an answer in metrics costs it is part of its figure.

use std::fs;
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use data_encoding::BASE64;
use reqwest::Client;

use crate::targets::Targets;

const PROGRAM: &str = "prometheus-blackbox-exporter";

pub(crate) struct Blackbox {
    child: Child,
    address: SocketAddr,
    targets: Targets,
    client: Client,
    _dir: tempfile::TempDir,
}

impl Blackbox {
    /// Starts it; `None` if it is not installed.
    pub(crate) fn start(targets: &Targets) -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("root.pem");
        let begin = "-----BEGIN CERTIFICATE-----";
        let pem = format!("{begin}\n{}\n-----END CERTIFICATE-----\n", BASE64.encode(&targets.root));
        fs::write(&root, pem).unwrap();
        let config = dir.path().join("blackbox.yml");
        // IPv4 first, as the targets have it; the rest is its defaults.
        let text = format!(
            "modules:\n\
             \x20 http: {{ prober: http }}\n\
             \x20 https: {{ prober: http, http: {{ tls_config: {{ ca_file: '{}' }} }} }}\n\
             \x20 dns: {{ prober: dns, dns: {{ query_name: one.test, query_type: A }} }}\n\
             \x20 tcp: {{ prober: tcp, tcp: {{ query_response: [{{ expect: '^220 ' }}] }} }}\n",
            root.display()
        );
        fs::write(&config, text).unwrap();
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let child = Command::new(PROGRAM)
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--web.listen-address={address}"))
            .arg("--log.level=error")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let child = match child {
            Err(error) if error.kind() == ErrorKind::NotFound => return None,
            other => other.unwrap(),
        };
        // The client wants one, though it is to speak without TLS; a second would be an error.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().no_proxy().build().unwrap();
        let this = Self { child, address, targets: targets.clone(), client, _dir: dir };
        let mut tries = 0;
        while TcpStream::connect(address).is_err() {
            tries += 1;
            assert!(tries < 500, "{PROGRAM} does not listen");
            thread::sleep(Duration::from_millis(20));
        }
        Some(this)
    }

    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    /// A future that has one check of this kind done.
    pub(crate) fn run(&self, kind: &str) -> impl Future<Output = ()> + Send + use<> {
        let targets = &self.targets;
        let target = match kind {
            "http" => format!("http://{}/", targets.http),
            "https" => format!("https://{}/", targets.https),
            "dns" => targets.dns.to_string(),
            _ => targets.tcp.to_string(),
        };
        let url = format!("http://{}/probe?module={kind}&target={target}", self.address);
        let asked = self.client.get(url).send();
        async move {
            let said = asked.await.unwrap().text().await.unwrap();
            assert!(said.contains("\nprobe_success 1"), "{said}");
        }
    }
}

impl Drop for Blackbox {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
