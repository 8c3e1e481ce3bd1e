//! Where checks go: what the public is not to read.

use std::collections::BTreeSet;

use super::login::Action;
use super::{CheckKind, ClockTarget, LoginCheck};

impl CheckKind {
    /// The names and addresses of the hosts that it asks, as far as they stand in the file.
    pub fn hosts(&self) -> BTreeSet<String> {
        let of_url = |url: &url::Url| url.host_str().map(str::to_owned).into_iter().collect();
        match self {
            Self::Http(http) => of_url(&http.url),
            Self::Grpc(grpc) => of_url(&grpc.url),
            Self::Websocket(socket) => of_url(&socket.url),
            Self::Login(login) => of_login(login),
            Self::Tcp(tcp) => [tcp.host.clone()].into(),
            Self::Tls(tls) => [tls.host.clone()].into(),
            Self::Icmp(icmp) => [icmp.host.clone()].into(),
            Self::Dns(dns) => dns.server.iter().map(|server| server.host.clone()).collect(),
            Self::Clock(clock) => match &clock.target {
                ClockTarget::Http { ask, .. } => of_url(&ask.url),
                ClockTarget::Ntp { host, .. } => [host.clone()].into(),
            },
            Self::Prober(_) => BTreeSet::new(),
        }
    }
}

fn of_login(login: &LoginCheck) -> BTreeSet<String> {
    let mut hosts: BTreeSet<String> = login.url.host_str().map(str::to_owned).into_iter().collect();
    for step in &login.steps {
        hosts.extend(step.via.iter().chain(&step.stay_on).cloned());
        if let Action::Get { url, .. } | Action::Post { url, .. } = &step.action
            && let Some(url) = url.constant().and_then(|url| url::Url::parse(&url).ok())
        {
            hosts.extend(url.host_str().map(str::to_owned));
        }
    }
    hosts
}
