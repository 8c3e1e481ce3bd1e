//! References that nobody named: those around us, asked in the plainest way.

use std::net::IpAddr;

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::{Name, RecordType};

use crate::config::{
    Addresses, Check, CheckKind, Config, DnsCheck, DnsExpect, DnsMatches, DnsServers, Dnssec,
    IcmpCheck, LossLimits, NameServer, ProberPlan, Reference, TtlLimits,
};
use crate::model::CheckId;
use crate::net::surroundings::Surroundings;

/// How many echoes a gateway is asked for; one that comes back will do.
const ECHOES: u16 = 2;
/// The payload of each, as `ping` has it.
const PAYLOAD: u16 = 56;

/// Adds to the plan, if it says so, the gateways and the name servers that this host and the
/// platforms' checks use.
pub(super) fn find(config: &mut Config) {
    if !config.prober.find_references {
        return;
    }
    let Surroundings { gateways, mut resolvers } = Surroundings::look();
    for (_, _, check) in config.checks() {
        for server in check.resolvers.iter() {
            if !resolvers.contains(server) {
                resolvers.push(server.clone());
            }
        }
    }
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
        name: Name::root(),
        record_type: RecordType::NS,
        server: Some(server),
        servers: DnsServers::One,
        rcode: vec![ResponseCode::NoError],
        expect: DnsExpect::default(),
        matches: DnsMatches::default(),
        ttl: TtlLimits::default(),
        authoritative: false,
        authenticated: false,
        recursion_desired: true,
        dnssec: Dnssec::Off,
    }));
    found(&format!("resolver-{place}"), format!("The resolver {place}"), true, kind, plan)
}

fn found(id: &str, name: String, resolver: bool, kind: CheckKind, plan: &ProberPlan) -> Reference {
    let id = CheckId::new(format!("prober/found/{id}"));
    let check = Check::for_ourselves(id, name, (plan.interval, plan.timeout), kind);
    Reference { check, named: false, resolver }
}
