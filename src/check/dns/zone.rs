//! `servers = "all"`: every authoritative server of a zone answers, and all have the same copy.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

use futures_util::future::join_all;
use hickory_proto::op::ResponseCode;
use hickory_proto::rr::{Name, RData, RecordType};

use super::judge::fault;
use super::{Facts, Place, exchange};
use crate::check::addresses::too_few;
use crate::check::judgement::{Judgement, Outcome, judge_speed};
use crate::config::{Check, DnsCheck, NameServer};
use crate::model::{Finding, Phase, Reason, Subject};
use crate::net::dns::{Question, Wants};
use crate::net::resolve::rcode_name;
use crate::net::{Network, Run};

/// Most name servers of one zone that are looked for, and most addresses of theirs that are asked.
/// Whoever serves the zone decides how many there are, so it must be bounded here.
const MOST_SERVERS: usize = 32;
const MOST_ADDRESSES: usize = 64;

/// What is asked of the zone as such.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Where its servers listen.
    pub(super) port: u16,
    /// By how much a serial may be behind the newest.
    pub(super) max_serial_lag: u32,
}

/// Runs the check.
///
/// 1. A zone whose servers cannot be found is a finding about the whole.
/// 2. Every address of every server is asked for the zone's SOA record and for what the check
///    asks; each is a finding, in the order of the addresses.
/// 3. A server without an address, or fewer addresses than `min_addresses`, degrade the whole, which
///    works as long as there are others.
pub(super) async fn probe(
    network: &Network,
    check: &Check,
    dns: &DnsCheck,
    limits: Limits,
    mut run: Run,
) -> Vec<Finding> {
    let guides = match &dns.server {
        Some(server) => Ok(vec![server.clone()]),
        None => network.name_servers(&check.resolvers),
    };
    let found = match guides {
        Ok(guides) => {
            let search = Search { network, run, guides: &guides };
            let zone = run.phase(Phase::Resolve, Box::pin(search.zone(&dns.name))).await;
            zone.map(|zone| (guides, zone))
        }
        Err(reason) => Err(reason),
    };
    let (guides, zone) = match found {
        Ok(found) => found,
        Err(reason) => return vec![Outcome::failed(run, reason).finding(Subject::Whole, None)],
    };
    let asked = zone.addresses.iter().map(|ip| {
        let address = SocketAddr::new(*ip, limits.port);
        ask(
            network,
            dns,
            &zone.apex,
            Place {
                server: NameServer::from(address),
                address,
                chain: guides.clone(),
                recursion: false,
            },
            run,
        )
    });
    let asked = join_all(asked).await;
    let mut findings: Vec<Finding> = Vec::new();
    let lost = zone.lost.map(|detail| Reason::DnsDelegation { detail });
    if let Some(reason) = lost.or_else(|| too_few(&zone.addresses, check.min_addresses)) {
        let judgement = Judgement::degraded(reason);
        findings.push(Outcome::of(run, judgement).finding(Subject::Whole, None));
    }
    let newest = newest(asked.iter().filter_map(|asked| asked.serial.as_ref().ok().copied()));
    findings.extend(zone.addresses.iter().zip(asked).map(|(ip, asked)| {
        let judgement = judge(&asked, dns, newest, limits, check);
        let outcome = Outcome::of(asked.run, judgement);
        outcome.finding(Subject::Address(*ip), Some(*ip))
    }));
    findings
}

/// A zone and its servers.
struct Zone {
    apex: Name,
    /// Never empty.
    addresses: BTreeSet<IpAddr>,
    /// What could not be found.
    lost: Option<String>,
}

/// The search for a zone's servers.
struct Search<'a> {
    network: &'a Network,
    run: Run,
    /// Who is asked for the way.
    guides: &'a [NameServer],
}

impl Search<'_> {
    /// The zone that holds `name`.
    async fn zone(&self, name: &Name) -> Result<Zone, Reason> {
        let (apex, servers) = self.servers(name).await?;
        let found = join_all(
            servers.iter().map(|server| self.network.addresses_by(self.run, self.guides, server)),
        )
        .await;
        let mut addresses = BTreeSet::new();
        let mut lost = Vec::new();
        for (server, found) in servers.iter().zip(found) {
            match found {
                Ok(found) => addresses.extend(found),
                Err(ours) if ours.is_ours() => return Err(ours),
                Err(reason) => lost.push(format!("{server}: {reason}")),
            }
        }
        let lost = (!lost.is_empty()).then(|| lost.join("; "));
        match lost {
            Some(detail) if addresses.is_empty() => Err(Reason::DnsDelegation { detail }),
            lost => {
                let addresses = addresses.into_iter().take(MOST_ADDRESSES).collect();
                Ok(Zone { apex, addresses, lost })
            }
        }
    }

    /// The zone's name and its servers' names. If the check's name is not that of a zone, the
    /// answer shows whose zone it is in.
    async fn servers(&self, name: &Name) -> Result<(Name, BTreeSet<Name>), Reason> {
        let mut apex = name.clone();
        for _ in 0..2 {
            let wants = Wants::default();
            let look_up =
                self.network.look_up(self.run, self.guides, apex.clone(), RecordType::NS, wants);
            let answer = look_up.await?;
            let servers = answer.answers.iter().filter(|record| record.name == apex);
            let servers: BTreeSet<Name> = servers
                .filter_map(|record| {
                    let RData::NS(server) = &record.data else { return None };
                    Some(server.0.clone())
                })
                .take(MOST_SERVERS)
                .collect();
            if !servers.is_empty() {
                return Ok((apex, servers));
            }
            let soa = answer.authorities.iter().find(|record| {
                record.record_type() == RecordType::SOA && record.name.zone_of(name)
            });
            match soa {
                Some(soa) if soa.name != apex => apex = soa.name.clone(),
                Some(_) | None => break,
            }
        }
        Err(Reason::DnsDelegation { detail: format!("{apex} has no NS record") })
    }
}

/// What one address answered.
struct Asked {
    run: Run,
    /// The serial of its copy of the zone.
    serial: Result<u32, Reason>,
    /// What it answered to the check's own question.
    facts: Result<Facts, Reason>,
}

async fn ask(network: &Network, dns: &DnsCheck, apex: &Name, place: Place, mut run: Run) -> Asked {
    let serial = serial(network, &mut run, &place, apex).await;
    // Who does not answer the one question is not asked the other.
    let facts = match &serial {
        Ok(_) => exchange(network, dns, &place, &mut run).await,
        Err(reason) => Err(reason.clone()),
    };
    Asked { run, serial, facts }
}

/// The serial of the server's copy of the zone, of which it must have one of its own.
async fn serial(
    network: &Network,
    run: &mut Run,
    place: &Place,
    apex: &Name,
) -> Result<u32, Reason> {
    let wants = Wants { recursion: false, ..Wants::default() };
    let question = Question::new(apex.clone(), RecordType::SOA, wants)?;
    let answer = network.ask(run, &place.server, place.address, &question).await?.message;
    let code = answer.metadata.response_code;
    if code != ResponseCode::NoError {
        return Err(Reason::DnsRcode { got: rcode_name(code) });
    }
    if !answer.metadata.authoritative {
        return Err(Reason::DnsFlag { missing: String::from("AA") });
    }
    let own = answer.answers.iter().filter(|record| record.name == *apex);
    let serial = own.filter_map(|record| {
        let RData::SOA(soa) = &record.data else { return None };
        Some(soa.serial)
    });
    let serial = serial.min();
    serial.ok_or_else(|| Reason::DnsAnswer { got: String::from("no SOA record") })
}

/// The newest of `serials`, which count round (RFC 1982).
fn newest(serials: impl Iterator<Item = u32>) -> Option<u32> {
    serials.reduce(|one, other| if one.wrapping_sub(other) < 1 << 31 { one } else { other })
}

/// Judges one address.
///
/// 1. It must answer for the zone, and what the check asks as the check expects it.
/// 2. Its copy must not be older than allowed,
/// 3. and last it must have been quick enough.
fn judge(
    asked: &Asked,
    dns: &DnsCheck,
    newest: Option<u32>,
    limits: Limits,
    check: &Check,
) -> Judgement {
    if let Some(reason) = fault(&asked.facts, dns) {
        return Judgement::fail(reason);
    }
    if let (Ok(got), Some(newest)) = (&asked.serial, newest)
        && newest.wrapping_sub(*got) > limits.max_serial_lag
    {
        return Judgement::fail(Reason::DnsSerial { got: *got, newest });
    }
    judge_speed(asked.run.phases.total(), check.degraded_over)
}

#[cfg(test)]
mod tests {
    use super::newest;

    #[test]
    fn serials_count_round() {
        let newest = |serials: &[u32]| newest(serials.iter().copied());
        assert_eq!(newest(&[]), None);
        assert_eq!(newest(&[7]), Some(7));
        assert_eq!(newest(&[2_021_091_501, 2_021_091_500]), Some(2_021_091_501));
        assert_eq!(newest(&[u32::MAX, 3, u32::MAX - 5]), Some(3));
    }
}
