//! A simulated platform as a whole: every service of it on several backends with loopback addresses
//! of their own, an identity provider, a chat and a name server, and whatever is wrong with them.
//!
//! Everything tells the time of one [`Clock`], which a story may pace or set.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use serde::Deserialize;
use tokio::sync::watch;

use super::fault::{Fault, What};
use super::listen::{self, Server, StartError};
use super::{chat, dns};
use crate::clock::Clock;
use crate::config::{Overrides, SourceFile};

mod answer;
mod login;
mod site;
mod web;
mod wire;
mod wrong;

use site::{Site, Sort};
use wrong::Wrong;

/// So many backends of each service are in use when all is well.
const IN_USE: u8 = 3;
/// So many there are: those that are not in use take the place of others.
const BACKENDS: u8 = 2 * IN_USE;
/// The name server's address is this network and this host, and the references' come after it.
const NAMES: (u8, u8) = (250, 53);
/// How many answer for the network that is between the prober and everybody.
const REFERENCES: u8 = 3;

/// The time limits of the probe files' that are shorter here, as nobody wants to see a demo wait, and
/// as what hangs is to be told within an interval and 5 seconds, too.
pub const LIMITS: [(&str, &str); 3] =
    [("timeout", "2s"), ("slow_login", "1700ms"), ("login_timeout", "2700ms")];

/// Which platform it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// That of 2021 to 2024: bots, a desk, a CRM.
    Blip,
    /// That of November 2024: a panel of conversations and its administration.
    Iadvize,
}

impl Kind {
    /// The probe file that watches it: the worked example that users get.
    pub fn probe_file(self) -> SourceFile {
        let (name, text) = match self {
            Self::Blip => ("probes/blip.toml", include_str!("../../probes/blip.toml")),
            Self::Iadvize => ("probes/iadvize.toml", include_str!("../../probes/iadvize.toml")),
        };
        SourceFile { name: name.to_owned(), text: text.to_owned() }
    }

    /// Its services, by the first labels of their host names.
    pub fn services(self) -> impl Iterator<Item = &'static str> {
        self.sites().iter().map(|site| site.name)
    }

    fn sites(self) -> &'static [Site] {
        match self {
            Self::Blip => site::BLIP,
            Self::Iadvize => site::IADVIZE,
        }
    }

    fn domain(self) -> &'static str {
        match self {
            Self::Blip => "blip",
            Self::Iadvize => "iadvize",
        }
    }

    /// What a fault names that is not there, if anything.
    pub fn misses(self, fault: &Fault) -> Option<String> {
        let services: Vec<&str> = self.services().collect();
        let place = &fault.place;
        let service = place.service.iter().find(|name| !services.contains(&name.as_str()));
        if let Some(service) = service {
            return Some(format!(
                "there is no service `{service}`; known are {}",
                services.join(", ")
            ));
        }
        let tenant = place.tenants.iter().find(|name| !site::TENANTS.contains(&name.as_str()));
        if let Some(tenant) = tenant {
            let known = site::TENANTS.join(", ");
            return Some(format!("there is no tenant `{tenant}`; known are {known}"));
        }
        let named = if let What::Addresses { are } = &fault.what { are } else { &place.backends };
        let backend = named.iter().find(|backend| !(1..=BACKENDS).contains(backend))?;
        Some(format!("there is no backend {backend}; they are counted from 1 to {BACKENDS}"))
    }
}

/// One server: what it is, and its listening socket unless that is closed.
#[derive(Debug)]
struct Running {
    node: Arc<web::Node>,
    address: SocketAddr,
    server: Option<Server>,
}

/// The simulated platform. Everything stops when it is dropped.
#[derive(Debug)]
pub struct World {
    kind: Kind,
    clock: Clock,
    ports: BTreeMap<&'static str, u16>,
    servers: Vec<Running>,
    dns: SocketAddr,
    references: Vec<SocketAddr>,
    wrong: watch::Sender<Wrong>,
    _others: Vec<Server>,
}

impl World {
    /// Starts every server; returns when all of them listen. `clock` is the true time.
    pub async fn start(kind: Kind, clock: Clock) -> Result<Self, StartError> {
        let (wrong, seen) = watch::channel(Wrong::default());
        let mut bound = Vec::new();
        let mut ports = BTreeMap::new();
        for (site, network) in kind.sites().iter().zip(1..) {
            let addresses: Vec<IpAddr> = (1..=BACKENDS).map(|host| at(network, host)).collect();
            let (listeners, port) = listen::tcp_on_all(&addresses).await?;
            ports.insert(site.name, port);
            bound.extend(listeners.into_iter().zip(1..).map(|(one, host)| (site, host, port, one)));
        }
        let origins: Arc<BTreeMap<&'static str, String>> =
            Arc::new(ports.iter().map(|(name, port)| (*name, origin(kind, name, *port))).collect());
        let mut servers = Vec::with_capacity(bound.len());
        for ((site, backend, port, listener), index) in bound.into_iter().zip(0_u8..) {
            let (origins, wrong) = (Arc::clone(&origins), seen.clone());
            let node = Arc::new(web::Node::new(site, backend, clock, origins, wrong));
            let network = index / BACKENDS + 1;
            let address = SocketAddr::new(at(network, backend), port);
            let server = Some(serve(&node, listener));
            servers.push(Running { node, address, server });
        }

        let mut others = Vec::new();
        let (network, host) = NAMES;
        let mut name_servers = Vec::new();
        for more in 0..=REFERENCES {
            let (datagrams, connections, bound) =
                listen::udp_and_tcp(at(network, host.saturating_add(more))).await?;
            let (wrong, over_tcp) = (seen.clone(), seen.clone());
            let datagram = move |query: &[u8]| answer_name(kind, &wrong, query, true);
            others.push(Server::udp(datagrams, dns::MAX_MESSAGE.into(), datagram));
            others.push(Server::tcp(connections, move |stream| {
                let wrong = over_tcp.clone();
                let answer = move |query: &[u8]| answer_name(kind, &wrong, query, false);
                async move { dns::serve(answer, stream).await }
            }));
            name_servers.push(bound);
        }
        let references = name_servers.split_off(1);
        let dns = name_servers.first().copied().unwrap_or(SocketAddr::new(at(network, host), 53));
        Ok(Self { kind, clock, ports, servers, dns, references, wrong, _others: others })
    }

    /// The files that watch it: the probe file, and the one about the prober with references that
    /// answer as long as the prober's own network does.
    pub fn files(&self) -> Vec<SourceFile> {
        // Every address of the platform's stands for a host of its own.
        let mut text = "[prober]\nfind_references = false\nloopback_leads_outside = true\n\
                        timeout = \"2s\"\n"
            .to_owned();
        for (address, n) in self.references.iter().zip(1..) {
            text.push_str(&format!(
                "\n[[reference]]\nname = \"Reference {n}\"\n\
                 dns = {{ name = \"{}.test\", type = \"SOA\", server = \"{address}\" }}\n",
                self.kind.domain()
            ));
        }
        vec![self.kind.probe_file(), SourceFile { name: "prober.toml".to_owned(), text }]
    }

    /// What the variables of the probe file are here.
    pub fn variables(&self) -> BTreeMap<String, String> {
        let limits = LIMITS.map(|(name, limit)| (name.to_owned(), limit.to_owned()));
        let mut values = BTreeMap::from(limits);
        values.insert("resolver".to_owned(), self.dns.to_string());
        for site in self.kind.sites() {
            let port = self.ports.get(site.name).copied().unwrap_or_default();
            let value = match site.sort {
                Sort::Chat => format!("{}.{}.test:{port}", site.name, self.kind.domain()),
                Sort::Pages(_) | Sort::Interfaces | Sort::Identity => {
                    origin(self.kind, site.name, port)
                }
            };
            // The identity provider is found by redirects alone.
            if !matches!(site.sort, Sort::Identity) {
                values.insert(site.name.to_owned(), value);
            }
        }
        let first = self.kind.sites().first().map_or("", |site| site.name);
        values.insert("name".to_owned(), format!("{first}.{}.test", self.kind.domain()));
        values
    }

    /// The same for whoever reads the files.
    pub fn overrides(&self) -> Overrides {
        let mut overrides = Overrides::default();
        for (name, value) in self.variables() {
            overrides.set(name, value);
        }
        overrides
    }

    /// The password of the platform's only account, in every tenant. It opens nothing.
    pub fn password() -> &'static str {
        login::PASSWORD
    }

    /// Lets these things be wrong from now on, and mends whatever else was; it is so when this
    /// returns. A fault that was there before goes on since it began.
    pub async fn set(&mut self, faults: &[Fault]) -> Result<(), StartError> {
        let now = self.clock.now();
        self.wrong.send_modify(|wrong| wrong.set(faults, now));
        let wrong = self.wrong.borrow().clone();
        for one in &mut self.servers {
            let refuses = wrong.refuses(one.node.site.name, one.node.backend);
            if refuses && let Some(server) = one.server.take() {
                server.stop().await;
            } else if !refuses && one.server.is_none() {
                let (listener, _) = listen::tcp(one.address).await?;
                one.server = Some(serve(&one.node, listener));
            }
        }
        Ok(())
    }
}

fn serve(node: &Arc<web::Node>, listener: tokio::net::TcpListener) -> Server {
    let node = Arc::clone(node);
    Server::tcp(listener, move |stream| {
        let node = Arc::clone(&node);
        async move {
            node.wait_in_line().await;
            match node.site.sort {
                Sort::Chat => chat::serve(stream).await,
                Sort::Pages(_) | Sort::Interfaces | Sort::Identity => {
                    web::serve(node, stream).await;
                }
            }
        }
    })
}

/// What the name server says at this moment; nothing if the question is lost.
fn answer_name(
    kind: Kind,
    wrong: &watch::Receiver<Wrong>,
    query: &[u8],
    datagram: bool,
) -> Option<Vec<u8>> {
    let wrong = wrong.borrow();
    if wrong.is_cut() || (datagram && wrong.loses("ns")) {
        return None;
    }
    let zone = kind.sites().iter().zip(1_u8..).fold(
        dns::Zone::of(kind.domain()),
        |zone, (site, network)| {
            let usual: Vec<u8> = (1..=IN_USE).collect();
            let hosts = wrong.addresses(site.name).unwrap_or(&usual);
            let all = hosts.iter().map(|host| Ipv4Addr::new(127, 77, network, *host));
            zone.with(site.name, all.collect())
        },
    );
    zone.answer(query)
}

fn origin(kind: Kind, service: &str, port: u16) -> String {
    format!("http://{service}.{}.test:{port}", kind.domain())
}

fn at(network: u8, host: u8) -> IpAddr {
    Ipv4Addr::new(127, 77, network, host).into()
}
