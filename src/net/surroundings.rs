//! Who is nearest to us: the gateways that our packets leave by, and the name servers of this
//! host. Read once, from what the system says of itself.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;

use super::resolve::Resolvers;
use crate::config::NameServer;

/// The system's routes; Linux alone has them here, and elsewhere no gateway is found.
const ROUTES: &str = "/proc/net/route";
const ROUTES_V6: &str = "/proc/net/ipv6_route";
/// A route that goes by a gateway.
const BY_GATEWAY: u32 = 2;

/// Those whom most of what we send passes, or depends on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// Where packets leave that have no other way.
    pub gateways: BTreeSet<IpAddr>,
    /// The host's name servers. One on the loopback answers with or without a network, so it is
    /// not among them.
    pub resolvers: Vec<NameServer>,
}

impl Surroundings {
    /// Looks around. What cannot be read is not there.
    pub fn look() -> Self {
        let read = |path: &str| std::fs::read_to_string(Path::new(path)).unwrap_or_default();
        let gateways = gateways(&read(ROUTES)).chain(gateways_v6(&read(ROUTES_V6))).collect();
        let servers = Resolvers::from_system().servers().unwrap_or_default();
        let is_away = |server: &NameServer| {
            server.address().is_some_and(|at| !at.ip().to_canonical().is_loopback())
        };
        Self { gateways, resolvers: servers.into_iter().filter(is_away).collect() }
    }
}

/// The gateways of the default routes in `/proc/net/route`: addresses in the host's byte order.
fn gateways(routes: &str) -> impl Iterator<Item = IpAddr> {
    routes.lines().skip(1).filter_map(|line| {
        let columns: Vec<&str> = line.split_whitespace().collect();
        let [_, "00000000", gateway, flags, _, _, _, "00000000", ..] = columns.as_slice() else {
            return None;
        };
        let flags = u32::from_str_radix(flags, 16).ok()?;
        let gateway = u32::from_str_radix(gateway, 16).ok()?;
        let gateway = Ipv4Addr::from(gateway.to_ne_bytes());
        (flags & BY_GATEWAY != 0).then_some(IpAddr::V4(gateway))
    })
}

/// The gateways of the default routes in `/proc/net/ipv6_route`. One on the link alone cannot be
/// asked without naming the link.
fn gateways_v6(routes: &str) -> impl Iterator<Item = IpAddr> {
    routes.lines().filter_map(|line| {
        let columns: Vec<&str> = line.split_whitespace().collect();
        let [to, "00", _, _, gateway, _, _, _, flags, ..] = columns.as_slice() else { return None };
        let flags = u32::from_str_radix(flags, 16).ok()?;
        let gateway = Ipv6Addr::from(u128::from_str_radix(gateway, 16).ok()?);
        let is_default = to.bytes().all(|digit| digit == b'0') && flags & BY_GATEWAY != 0;
        (is_default && !gateway.is_unicast_link_local()).then_some(IpAddr::V6(gateway))
    })
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::{gateways, gateways_v6};

    #[test]
    fn gateways_are_those_of_default_routes() {
        let routes = "\
            Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n\
            eth0\t00000000\tGATEWAY\t0003\t0\t0\t0\t00000000\t0\t0\t0\n\
            eth1\t00000000\t00000000\t0001\t0\t0\t0\t00000000\t0\t0\t0\n\
            eth0\t000200C0\tGATEWAY\t0003\t0\t0\t0\t00FFFFFF\t0\t0\t0\n\
            broken\n";
        let gateway = u32::from_ne_bytes([192, 0, 2, 1]);
        let routes = routes.replace("GATEWAY", &format!("{gateway:08X}"));
        let found: Vec<IpAddr> = gateways(&routes).collect();
        assert_eq!(found, [IpAddr::from([192, 0, 2, 1])]);
    }

    #[test]
    fn gateways_of_ipv6_are_too_unless_they_are_on_the_link_alone() {
        let none = "00000000000000000000000000000000";
        let line = |to: &str, gateway: &str, flags: &str| {
            format!("{to} 00 {none} 00 {gateway} 00000400 00000003 00000000 {flags}     eth0\n")
        };
        let (near, far) = ("fe800000000000000000000000000001", "20010db8000000000000000000000001");
        let routes = line(none, far, "00000003")
            + &line(none, near, "00000003")
            + &line(far, far, "00000003")
            + &line(none, none, "00200200")
            + "broken\n";
        let found: Vec<IpAddr> = gateways_v6(&routes).collect();
        assert_eq!(found, ["2001:db8::1".parse::<IpAddr>().unwrap()]);
    }
}
