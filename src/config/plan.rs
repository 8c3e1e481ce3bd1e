//! The validated configuration: what the other rooms work from. Everything here has been checked;
//! nothing here is text that still has to be understood. Secrets are references still.

pub mod expect;
pub mod login;
pub mod tcp;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono_tz::Tz;
use http::{HeaderName, HeaderValue, Method};
use url::Url;

use crate::model::{
    CheckId, CheckPolicy, ComponentId, ComponentPolicy, ComponentStatus, Flapping, Impact,
    Language, MaintenanceId, MaintenancePolicy, MajorWhen, Phases, PlatformId, PlatformPolicy,
    Policy, Publishing, Purpose, QuantileLimit, Span, Threshold, Variant, Wording,
};

use super::secret::SecretRef;
use expect::HttpExpect;
pub use login::LoginCheck;
pub use tcp::{CertificateLimits, TcpCheck, TlsCheck};

mod body_template;
mod clock;
mod dns;
mod grpc;
mod hosts;
mod http_client;
mod icmp;
mod papers;
mod prober;
mod publish;
mod websocket;

pub use body_template::{BodyTemplate, BodyTemplateError};
pub use clock::{ClockCheck, ClockLimits, ClockTarget, TimePlace};
pub use dns::{
    DnsCheck, DnsExpect, DnsMatches, DnsServers, DnsTransport, Dnssec, NameServer, TtlLimits,
};
pub use grpc::GrpcCheck;
pub use http_client::{Family, HttpClient, HttpVersion};
pub use icmp::{IcmpCheck, LossLimits};
pub use papers::{Auth, Contents, Identity, OAuth2, Proxy, ProxyKind, TlsSettings};
pub use prober::{Heartbeat, HeartbeatUrl, ProberCheck, ProberPlan, Reference};
pub use publish::{Alertmanager, PagerDuty, Publish, Statuspage, VendorPage, Webhook};
pub use websocket::WebsocketCheck;

/// All that the probe files say.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// One platform for each probe file, in the order of their ids.
    pub platforms: Vec<Platform>,
    /// What the prober must know of itself and its surroundings.
    pub prober: ProberPlan,
}

impl Config {
    /// What the engine needs to know of it.
    pub fn policy(&self) -> Policy {
        let mut policy = Policy { prober: self.prober.policy(), ..Policy::default() };
        for platform in &self.platforms {
            policy.platforms.insert(platform.id.clone(), platform.policy());
            for maintenance in &platform.maintenances {
                policy.maintenances.insert(maintenance.id.clone(), maintenance.policy.clone());
            }
            for component in &platform.components {
                policy.components.insert(component.id.clone(), component.policy(&platform.id));
                for check in &component.checks {
                    policy.checks.insert(check.id.clone(), check.policy(&component.id));
                }
            }
        }
        policy
    }

    /// Every check with what it belongs to, in the order of the files.
    pub fn checks(&self) -> impl Iterator<Item = (&Platform, &Component, &Check)> {
        self.platforms.iter().flat_map(|platform| {
            platform.components.iter().flat_map(move |component| {
                component.checks.iter().map(move |check| (platform, component, check))
            })
        })
    }

    /// Every check that is run: those that speak for components, and the prober's own.
    pub fn every_check(&self) -> impl Iterator<Item = &Check> {
        self.checks().map(|(_, _, check)| check).chain(self.prober.checks())
    }

    /// Every secret that must be there for the checks to run and the incidents to be published.
    pub fn secret_refs(&self) -> BTreeSet<SecretRef> {
        let targets = self.platforms.iter().flat_map(|platform| &platform.publish);
        let tokens = targets.flat_map(Publish::secrets);
        let headers = self.asked().filter_map(|check| match &check.kind {
            CheckKind::Http(http) => Some(&http.headers),
            CheckKind::Websocket(socket) => Some(&socket.headers),
            CheckKind::Grpc(grpc) => Some(&grpc.metadata),
            CheckKind::Dns(_)
            | CheckKind::Tcp(_)
            | CheckKind::Tls(_)
            | CheckKind::Icmp(_)
            | CheckKind::Prober(_)
            | CheckKind::Login(_) => None,
            CheckKind::Clock(clock) => clock.http().map(|http| &http.headers),
        });
        let logins = self.asked().filter_map(|check| check.kind.login());
        let of_logins = logins.flat_map(LoginCheck::secrets);
        let secrets = headers.flatten().filter_map(|(_, text)| match text {
            HeaderText::Secret { secret, .. } => Some(secret.clone()),
            HeaderText::Plain(_) => None,
        });
        let of_clients = self.asked().flat_map(Check::client_secrets);
        let heartbeat = self.prober.heartbeat.iter().filter_map(|heartbeat| match &heartbeat.url {
            HeartbeatUrl::Secret(secret) => Some(secret.clone()),
            HeartbeatUrl::Plain(_) => None,
        });
        tokens.chain(heartbeat).chain(secrets).chain(of_clients).chain(of_logins).collect()
    }

    /// Every file that must be there for the checks to run, and what must be in it.
    pub fn files(&self) -> BTreeSet<(PathBuf, Contents)> {
        self.asked().flat_map(Check::files).collect()
    }

    /// Every check as it is run: of one with variants, each of these.
    fn asked(&self) -> impl Iterator<Item = &Check> {
        self.every_check().flat_map(|check| {
            let own = check.variants.is_empty().then_some(check);
            own.into_iter().chain(check.variants.iter().map(|(_, variant)| variant))
        })
    }
}

/// One probe file.
#[derive(Clone, Debug)]
pub struct Platform {
    /// The id; the file's name where the file gives none.
    pub id: PlatformId,
    /// The name that the public reads.
    pub name: String,
    /// The zone that public times are given in.
    pub time_zone: Tz,
    /// The language of public texts.
    pub language: Language,
    /// What is told in the platform's own words.
    pub words: Wording,
    /// Where incidents are published; never nowhere.
    pub publish: Vec<Publish>,
    /// How much of them, and after whose word.
    pub publishing: Publishing,
    /// Components that go bad within this time of an incident's latest new component join it.
    pub group_within: Span,
    /// What follows so soon on the latest news of an incident is gathered, and told together.
    pub group_interval: Span,
    /// How long a component that goes bad before what it depends on waits before it opens an
    /// incident.
    pub dependency_wait: Span,
    /// How long everything must stay well before a monitored incident is resolved.
    pub resolve_after: Span,
    /// How long after the end of a maintenance that is announced on the status page its components
    /// may take to get well.
    pub maintenance_grace: Span,
    /// An incident that opens so soon after one of the same component was resolved belongs to it.
    pub reopen_within: Span,
    /// How long an incident may go without an update.
    pub update_every: Span,
    /// The same for impacts that have a time of their own.
    pub update_by_impact: BTreeMap<Impact, Span>,
    /// How many updates in a row may have nothing new to say.
    pub max_unattended_updates: u32,
    /// The components, in the order of the page.
    pub components: Vec<Component>,
    /// The work that is announced.
    pub maintenances: Vec<Maintenance>,
}

/// Work that is announced.
#[derive(Clone, Debug, PartialEq)]
pub struct Maintenance {
    /// The id, with the platform's in front.
    pub id: MaintenanceId,
    /// What it is, and when.
    pub policy: MaintenancePolicy,
}

impl Platform {
    fn policy(&self) -> PlatformPolicy {
        PlatformPolicy {
            name: self.name.clone(),
            time_zone: self.time_zone,
            language: self.language,
            words: self.words.clone(),
            group_within: self.group_within,
            group_interval: self.group_interval,
            dependency_wait: self.dependency_wait,
            resolve_after: self.resolve_after,
            maintenance_grace: self.maintenance_grace,
            reopen_within: self.reopen_within,
            update_every: self.update_every,
            update_by_impact: self.update_by_impact.clone(),
            max_unattended_updates: Some(self.max_unattended_updates),
        }
    }
}

/// What a customer sees on the status page.
#[derive(Clone, Debug)]
pub struct Component {
    /// The id, with the platform's in front.
    pub id: ComponentId,
    /// The name that the public reads.
    pub name: String,
    /// The group that it stands in on the page.
    pub group: Option<String>,
    /// What it is, for the page.
    pub description: Option<String>,
    /// The components of its platform that it cannot do without; never in a circle.
    pub depends_on: BTreeSet<ComponentId>,
    /// How many of its checks must be in a major outage for it to be in one; without it, one.
    pub major_when: Option<MajorWhen>,
    /// Its id on the Statuspage page; present whenever the platform is published there.
    pub statuspage_id: Option<String>,
    /// Its id in Cachet; present whenever the platform is published there.
    pub cachet_id: Option<String>,
    /// Its id at incident.io; present whenever the platform is published there.
    pub incident_io_id: Option<String>,
    /// Its id at Instatus; present whenever the platform is published there.
    pub instatus_id: Option<String>,
    /// The checks that speak for it.
    pub checks: Vec<Check>,
}

impl Component {
    fn policy(&self, platform: &PlatformId) -> ComponentPolicy {
        ComponentPolicy {
            platform: platform.clone(),
            name: self.name.clone(),
            group: self.group.clone(),
            depends_on: self.depends_on.clone(),
            major_when: self.major_when,
        }
    }
}

/// One question, asked again and again.
#[derive(Clone, Debug)]
pub struct Check {
    /// The id, with the component's in front.
    pub id: CheckId,
    /// The name, for the operator.
    pub name: String,
    /// How often it is asked.
    pub interval: Span,
    /// How long one run may take in all.
    pub timeout: Span,
    /// How soon it is asked again while the answer is in doubt.
    pub confirm_interval: Span,
    /// What it takes to call it failing.
    pub fail_after: Threshold,
    /// What it takes to call it degraded, if that differs.
    pub degrade_after: Option<Threshold>,
    /// How many passes it takes to call it well again.
    pub recover_after: Threshold,
    /// The worst status that this check alone can give its component.
    pub at_worst: ComponentStatus,
    /// How many of its addresses must fail to make the outage a major one, and how many of its
    /// variants.
    pub major_when: MajorWhen,
    /// What its failure makes of the component, however few of its addresses fail.
    pub makes: Option<ComponentStatus>,
    /// How often one of its subjects may change before it is held in its worse state.
    pub flapping: Option<Flapping>,
    /// A run that finds fewer addresses behind the name is degraded.
    pub min_addresses: Option<NonZeroU32>,
    /// A run that passes but takes longer than this is degraded.
    pub degraded_over: Option<Span>,
    /// How slow most of its runs may be together.
    pub slow_quantile: Option<QuantileLimit>,
    /// A run that passes but spends longer than this in one of the phases is degraded.
    pub degraded_over_in: Phases,
    /// The name servers that resolve this platform's names; empty for the system's.
    pub resolvers: Arc<[NameServer]>,
    /// What is asked.
    pub kind: CheckKind,
    /// The variants that are asked instead, each as a check of its own; empty for a check that has
    /// none.
    pub variants: Vec<(Variant, Check)>,
}

impl Check {
    fn policy(&self, component: &ComponentId) -> CheckPolicy {
        CheckPolicy {
            component: component.clone(),
            name: self.name.clone(),
            fail_after: self.fail_after,
            degrade_after: self.degrade_after,
            recover_after: self.recover_after,
            slow_quantile: self.slow_quantile,
            at_worst: self.at_worst,
            major_when: self.major_when,
            makes: self.makes,
            flapping: self.flapping,
            variants: self.variants.iter().map(|(variant, _)| variant.clone()).collect(),
            steps_of_use: self.steps_of_use(),
            purpose: match &self.kind {
                CheckKind::Login(_) => Purpose::LogIn,
                CheckKind::Http(_)
                | CheckKind::Dns(_)
                | CheckKind::Tcp(_)
                | CheckKind::Tls(_)
                | CheckKind::Icmp(_)
                | CheckKind::Grpc(_)
                | CheckKind::Websocket(_)
                | CheckKind::Clock(_)
                | CheckKind::Prober(_) => Purpose::Use,
            },
        }
    }

    /// The steps of a login in which somebody is logged in already, by the names that they have in
    /// each of the variants.
    fn steps_of_use(&self) -> BTreeSet<Arc<str>> {
        let each = std::iter::once(self).chain(self.variants.iter().map(|(_, check)| check));
        let logins = each.filter_map(|check| check.kind.login());
        logins.flat_map(LoginCheck::steps_of_use).collect()
    }
}

/// What a check asks.
#[derive(Clone, Debug)]
pub enum CheckKind {
    /// An HTTP exchange.
    Http(Box<HttpCheck>),
    /// A DNS query.
    Dns(Box<DnsCheck>),
    /// A TCP connection and a few words.
    Tcp(TcpCheck),
    /// A TLS handshake and the certificates that it shows.
    Tls(TlsCheck),
    /// A login, step by step.
    Login(Box<LoginCheck>),
    /// ICMP echoes.
    Icmp(IcmpCheck),
    /// A question about a gRPC server's health.
    Grpc(Box<GrpcCheck>),
    /// A WebSocket and a few messages.
    Websocket(Box<WebsocketCheck>),
    /// A clock, read on purpose.
    Clock(Box<ClockCheck>),
    /// Our own trouble.
    Prober(ProberCheck),
}

impl CheckKind {
    /// The login, if it is one.
    fn login(&self) -> Option<&LoginCheck> {
        if let Self::Login(login) = self { Some(login) } else { None }
    }

    /// Which addresses of its name are asked; `None` if there is no name to resolve.
    pub fn addresses(&self) -> Option<Addresses> {
        match self {
            Self::Http(http) => {
                matches!(http.url.host(), Some(url::Host::Domain(_))).then_some(http.addresses)
            }
            Self::Login(login) => {
                matches!(login.url.host(), Some(url::Host::Domain(_))).then_some(login.addresses)
            }
            Self::Grpc(grpc) => {
                matches!(grpc.url.host(), Some(url::Host::Domain(_))).then_some(grpc.addresses)
            }
            Self::Websocket(socket) => {
                matches!(socket.url.host(), Some(url::Host::Domain(_))).then_some(socket.addresses)
            }
            Self::Tcp(tcp) => tcp.host.parse::<IpAddr>().is_err().then_some(tcp.addresses),
            Self::Tls(tls) => tls.host.parse::<IpAddr>().is_err().then_some(tls.addresses),
            Self::Icmp(icmp) => icmp.host.parse::<IpAddr>().is_err().then_some(icmp.addresses),
            Self::Dns(dns) => {
                matches!(dns.servers, DnsServers::All { .. }).then_some(Addresses::All)
            }
            Self::Clock(clock) => clock.names().then_some(clock.addresses()),
            Self::Prober(_) => None,
        }
    }
}

/// Which addresses behind a name are asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Addresses {
    /// One of them, as a user's machine would.
    #[default]
    Any,
    /// Each on its own.
    All,
}

/// An HTTP exchange.
#[derive(Clone, Debug)]
pub struct HttpCheck {
    /// `http` or `https`, with a host.
    pub url: Url,
    /// The method.
    pub method: Method,
    /// Headers to send, beside those that every request has.
    pub headers: Vec<(HeaderName, HeaderText)>,
    /// The body to send.
    pub body: Option<RequestBody>,
    /// How many redirects are followed; zero for none.
    pub max_redirects: u8,
    /// How many bytes of body are read.
    pub max_body: u64,
    /// Which addresses are asked.
    pub addresses: Addresses,
    /// How far the target's clock may be off.
    pub max_clock_skew: ClockLimits,
    /// How long its certificates must still be valid.
    pub certificate: Option<CertificateLimits>,
    /// How it is asked.
    pub client: HttpClient,
    /// What the answer must be like.
    pub expect: HttpExpect,
}

/// A body to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestBody {
    /// As written.
    Inline(Arc<[u8]>),
    /// What a file held when farol started.
    File(PathBuf),
}

impl RequestBody {
    /// The file that it is in, if it is.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Inline(_) => None,
        }
    }
}

impl<T: Into<Arc<[u8]>>> From<T> for RequestBody {
    fn from(text: T) -> Self {
        Self::Inline(text.into())
    }
}

/// A header's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeaderText {
    /// As written.
    Plain(HeaderValue),
    /// From a secret, with something in front of it: `Bearer `.
    Secret {
        /// What stands in front.
        prefix: String,
        /// The secret.
        secret: SecretRef,
    },
}

/// The status codes that pass, as inclusive ranges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusSet(pub Vec<(u16, u16)>);

/// Those that mean success.
impl Default for StatusSet {
    fn default() -> Self {
        Self(vec![(200, 299)])
    }
}

impl StatusSet {
    /// Whether `code` is in the set.
    pub fn contains(&self, code: u16) -> bool {
        self.0.iter().any(|(low, high)| (*low..=*high).contains(&code))
    }
}
