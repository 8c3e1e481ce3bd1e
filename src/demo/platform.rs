//! The simulated platform as a whole: three web servers behind one name, a chat service and a name
//! server, on loopback addresses of their own, with a switch for everything that can go wrong.

use std::fmt::Write as _;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;

use super::listen::{self, BindError, Server};
use super::web::{Backend, Faults};
use super::{chat, dns, web};
use crate::clock::Clock;

const BACKENDS: [Ipv4Addr; 3] =
    [Ipv4Addr::new(127, 77, 0, 1), Ipv4Addr::new(127, 77, 0, 2), Ipv4Addr::new(127, 77, 0, 3)];
const CHAT: Ipv4Addr = Ipv4Addr::new(127, 77, 0, 9);
const DNS: Ipv4Addr = Ipv4Addr::new(127, 77, 0, 53);

/// Why the platform cannot be started, or one of its servers not again.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A loopback address cannot be listened on.
    #[error(
        "the demo cannot listen on {address}: {source}; it needs the loopback network 127.0.0.0/8 \
         (where only 127.0.0.1 is there, as on macOS: sudo ifconfig lo0 alias {})",
        address.ip()
    )]
    Listen {
        /// The address; port 0 where any port would have done.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
}

impl From<BindError> for StartError {
    fn from(BindError { address, source }: BindError) -> Self {
        Self::Listen { address, source }
    }
}

/// The simulated platform. Everything stops when it is dropped.
///
/// Backends are numbered from 0 in the order of [`Platform::backends`]; a fault of one that is not
/// there changes nothing.
#[derive(Debug)]
pub struct Platform {
    addresses: Vec<IpAddr>,
    web_port: u16,
    web: Vec<WebServer>,
    chat: SocketAddr,
    dns: SocketAddr,
    _services: [Server; 3],
}

/// One backend: what it is, the switches of its faults, and its server unless that is stopped.
#[derive(Debug)]
struct WebServer {
    backend: Arc<Backend>,
    faults: watch::Sender<Faults>,
    server: Option<Server>,
}

impl WebServer {
    fn new(address: IpAddr, clock: Clock) -> Self {
        let (faults, seen) = watch::channel(Faults::default());
        let backend = Arc::new(Backend { address, clock, faults: seen });
        Self { backend, faults, server: None }
    }

    fn serve(&mut self, listener: TcpListener) {
        let backend = Arc::clone(&self.backend);
        let serve = move |stream| web::serve(Arc::clone(&backend), stream);
        self.server = Some(Server::tcp(listener, serve));
    }
}

impl Platform {
    /// Starts every server; returns when all of them listen. `clock` is the true time.
    pub async fn start(clock: Clock) -> Result<Self, StartError> {
        let addresses = BACKENDS.map(IpAddr::V4).to_vec();
        let (listeners, web_port) = listen::tcp_on_all(&addresses).await?;
        let mut web = Vec::with_capacity(addresses.len());
        for (address, listener) in addresses.iter().zip(listeners) {
            let mut server = WebServer::new(*address, clock);
            server.serve(listener);
            web.push(server);
        }

        let (chat_listener, chat_port) = listen::tcp(SocketAddr::new(CHAT.into(), 0)).await?;
        let (datagrams, connections, dns) = listen::udp_and_tcp(DNS.into()).await?;
        let zone = Arc::new(
            dns::Zone::of("blip")
                .with("portal", BACKENDS.to_vec())
                .with("desk", BACKENDS.to_vec())
                .with("chat", vec![CHAT])
                .with("ns", vec![DNS]),
        );
        let over_udp = Arc::clone(&zone);
        let services = [
            Server::tcp(chat_listener, chat::serve),
            Server::udp(datagrams, dns::MAX_MESSAGE.into(), move |query| over_udp.answer(query)),
            Server::tcp(connections, move |stream| {
                let zone = Arc::clone(&zone);
                async move { dns::serve(&zone, stream).await }
            }),
        ];
        let chat = SocketAddr::new(CHAT.into(), chat_port);
        Ok(Self { addresses, web_port, web, chat, dns, _services: services })
    }

    /// The name server's address, for UDP and TCP.
    pub fn dns(&self) -> SocketAddr {
        self.dns
    }

    /// The port of every web server.
    pub fn web_port(&self) -> u16 {
        self.web_port
    }

    /// The chat service's address.
    pub fn chat(&self) -> SocketAddr {
        self.chat
    }

    /// The addresses of the web servers.
    pub fn backends(&self) -> &[IpAddr] {
        &self.addresses
    }

    /// Sets a backend's clock so many microseconds ahead of the true time; 0 mends it.
    pub fn set_clock(&self, backend: usize, offset_micros: i64) {
        self.fault(backend, |faults| faults.clock_offset = offset_micros);
    }

    /// Makes a backend's logins fail, with its clock as it should be.
    pub fn break_login(&self, backend: usize, broken: bool) {
        self.fault(backend, |faults| faults.login_broken = broken);
    }

    /// Makes a backend hold every answer back for `delay`; zero mends it. Beyond the 30 s that a
    /// connection may last, it never answers.
    pub fn slow(&self, backend: usize, delay: Duration) {
        self.fault(backend, |faults| faults.delay = delay);
    }

    /// Stops a backend: when this returns, it refuses connections; those still open are about to
    /// be closed.
    pub async fn stop(&mut self, backend: usize) {
        if let Some(server) = self.web.get_mut(backend).and_then(|web| web.server.take()) {
            server.stop().await;
        }
    }

    /// Starts a backend that was stopped, on the same address and port and with the same faults.
    pub async fn restart(&mut self, backend: usize) -> Result<(), StartError> {
        let Some(web) = self.web.get_mut(backend).filter(|web| web.server.is_none()) else {
            return Ok(());
        };
        let address = SocketAddr::new(web.backend.address, self.web_port);
        let (listener, _) = listen::tcp(address).await?;
        web.serve(listener);
        Ok(())
    }

    fn fault(&self, backend: usize, change: impl FnOnce(&mut Faults)) {
        if let Some(web) = self.web.get(backend) {
            web.faults.send_modify(change);
        }
    }

    /// The probe file that watches this platform from the outside.
    pub fn probe_file(&self) -> String {
        let (dns, web_port, chat_port) = (self.dns, self.web_port, self.chat.port());
        let mut expected = String::new();
        for (n, address) in self.addresses.iter().enumerate() {
            let comma = if n == 0 { "" } else { ", " };
            // Writing to a string cannot fail.
            let _ = write!(expected, "{comma}\"{address}\"");
        }
        format!(
            r#"# Watches the platform that `farol demo` simulates.

[platform]
id = "blip"
name = "Blip"
time_zone = "America/Sao_Paulo"
resolvers = ["{dns}"]
resolve_after = "6s"
update_every = "10s"

[defaults]
interval = "1s"
timeout = "2s"
confirm_interval = "500ms"

[[component]]
id = "portal"
name = "Portal"
group = "Blip Platform"

[[component.check]]
name = "Portal answers on every server"
http = {{ url = "http://portal.blip.test:{web_port}/health", addresses = "all" }}

[[component.check]]
name = "A customer can log in on every server"
http = {{ url = "http://portal.blip.test:{web_port}/login", method = "POST", headers = {{ Content-Type = "application/x-www-form-urlencoded" }}, body = "user=demo&password=demo", contains = "welcome", addresses = "all" }}

[[component]]
id = "core"
name = "Core"
group = "Blip Platform"

[[component.check]]
name = "The chat service answers"
tcp = {{ address = "chat.blip.test:{chat_port}", send = "PING\r\n", expect = "PONG" }}

[[component]]
id = "cloud-infrastructure"
name = "Cloud Infrastructure"
group = "Blip Platform"

[[component.check]]
name = "The name server knows every server"
dns = {{ name = "portal.blip.test", type = "A", server = "{dns}", expect = [{expected}] }}

[[component]]
id = "desk"
name = "Desk"

[[component.check]]
name = "Desk loads"
http = {{ url = "http://desk.blip.test:{web_port}/portal", addresses = "any" }}
"#
        )
    }
}
