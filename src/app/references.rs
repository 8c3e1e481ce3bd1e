//! References that nobody named: those around us, asked in the plainest way.

use std::net::IpAddr;

use hickory_proto::rr::{Name, RecordType};

use crate::config::{
    Addresses, Check, CheckKind, Config, DnsCheck, IcmpCheck, LossLimits, NameServer, ProberPlan,
    Reference,
};
use crate::model::CheckId;
use crate::net::surroundings::Surroundings;

/// How many echoes a gateway is asked for; one that comes back will do.
const ECHOES: u16 = 2;
/// The payload of each, as `ping` has it.
const PAYLOAD: u16 = 56;

/// Adds to the plan, if it says so, the gateways and the name servers that this host uses. Those
/// that a platform names for itself may be as dead as it is, and then tell nothing of us.
pub(super) fn find(config: &mut Config) {
    if config.prober.find_references {
        add(config, Surroundings::look());
    }
}

fn add(config: &mut Config, around: Surroundings) {
    let Surroundings { gateways, resolvers } = around;
    let plan = &config.prober;
    let gateways = gateways.into_iter().map(|gateway| of_gateway(gateway, plan));
    let resolvers = resolvers.into_iter().map(|server| of_resolver(server, plan));
    let found: Vec<Reference> = gateways.chain(resolvers).collect();
    for reference in &found {
        tracing::debug!(check = %reference.check.id, "a reference was found");
    }
    config.prober.references.extend(found);
}

fn of_gateway(gateway: IpAddr, plan: &ProberPlan) -> Reference {
    let kind = CheckKind::Icmp(IcmpCheck {
        host: gateway.to_string(),
        addresses: Addresses::Any,
        family: None,
        source: None,
        count: ECHOES,
        lost: LossLimits { degraded: ECHOES, failed: ECHOES },
        size: PAYLOAD,
        ttl: None,
    });
    found(&format!("gateway-{gateway}"), format!("The gateway {gateway}"), false, kind, plan)
}

fn of_resolver(server: NameServer, plan: &ProberPlan) -> Reference {
    let place = format!("{}:{}", server.host, server.port);
    let kind = CheckKind::Dns(Box::new(DnsCheck {
        // What every resolver knows, without asking anybody about somebody.
        record_type: RecordType::NS,
        server: Some(server),
        ..DnsCheck::of(Name::root())
    }));
    found(&format!("resolver-{place}"), format!("The resolver {place}"), true, kind, plan)
}

fn found(id: &str, name: String, resolver: bool, kind: CheckKind, plan: &ProberPlan) -> Reference {
    let id = CheckId::new(format!("prober/found/{id}"));
    let check = Check::for_ourselves(id, name, (plan.interval, plan.timeout), kind);
    Reference { check, named: false, resolver }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::add;
    use crate::config::{NameServer, SourceFile, parse};
    use crate::net::surroundings::Surroundings;

    #[test]
    fn a_platforms_own_name_servers_say_nothing_of_our_network() {
        let text = "[platform]\nname = 'Blip'\nresolvers = ['192.0.2.53']\n[[component]]\n\
                    name = 'Desk'\n[[component.check]]\nname = 'Site'\ntcp = 'desk.test:443'\n";
        let name = "probes/blip.toml".to_owned();
        let file = SourceFile { name, text: text.to_owned() };
        let mut config = parse(&[file]).unwrap();
        let own = NameServer::from(SocketAddr::from(([192, 0, 2, 54], 53)));
        let resolvers = vec![own];
        add(&mut config, Surroundings { resolvers, ..Surroundings::default() });
        let ids: Vec<&str> =
            config.prober.references.iter().map(|one| one.check.id.as_str()).collect();
        assert_eq!(ids, ["prober/found/resolver-192.0.2.54:53"]);
    }
}
