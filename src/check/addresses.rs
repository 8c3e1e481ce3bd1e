//! Which of a name's addresses are asked, and the findings that come of it.

use std::collections::BTreeSet;
use std::future::Future;
use std::net::IpAddr;
use std::num::NonZeroU32;

use futures_util::future::join_all;

use super::judgement::Outcome;
use crate::config::{Addresses, Check};
use crate::model::{Finding, Reason, Subject, Verdict};
use crate::net::{Network, Run};

/// Most addresses behind one name that are asked. Whoever serves the name decides how many there
/// are, so it must be bounded here.
const MOST_ADDRESSES: usize = 64;

/// Resolves `host` and probes what it stands for.
///
/// 1. A name that does not resolve is a finding about the whole.
/// 2. `any` asks the first address, IPv4 before IPv6, and no other if that fails: the finding is
///    about the whole and names the address.
/// 3. `all` asks every address on its own and at the same time; each is a finding, in the order of
///    the addresses. Time spent resolving counts for each, as each user would have spent it.
/// 4. Fewer addresses than `min_addresses` degrade: with `any` the finding, if it passes; with
///    `all` they make a finding about the whole, before those of the addresses. They never fail:
///    whether those that are left answer is what was asked.
pub(super) async fn probe_each<Probed: Future<Output = Outcome>>(
    network: &Network,
    check: &Check,
    host: &str,
    addresses: Addresses,
    mut run: Run,
    probe: impl Fn(IpAddr, Run) -> Probed,
) -> Vec<Finding> {
    let resolved = network.resolve(&mut run, host, &check.resolvers).await;
    let admitted = |found: Vec<IpAddr>| -> Vec<IpAddr> {
        found.into_iter().filter(|one| check.admits(*one)).collect()
    };
    let found = match resolved.map(admitted) {
        Ok(found) if !found.is_empty() => found,
        Ok(_) => return vec![unresolved(run, Reason::ResolveNoAddress)],
        Err(reason) => return vec![unresolved(run, reason)],
    };
    let too_few = too_few(&found, check.min_addresses);
    let found = selected(found, addresses);
    let probes = found.into_iter().map(|address| {
        let subject = match addresses {
            Addresses::Any => Subject::Whole,
            Addresses::All => Subject::Address(address),
        };
        let probed = probe(address, run);
        async move { probed.await.finding(subject, Some(address)) }
    });
    let mut findings = join_all(probes).await;
    if let Some(reason) = too_few {
        lament(&mut findings, addresses, reason);
    }
    findings
}

/// What is wrong with the number of addresses, if anything is.
pub(super) fn too_few<'a>(
    found: impl IntoIterator<Item = &'a IpAddr>,
    least: Option<NonZeroU32>,
) -> Option<Reason> {
    let least = least?.get();
    let distinct: BTreeSet<&IpAddr> = found.into_iter().collect();
    let found = u32::try_from(distinct.len()).unwrap_or(u32::MAX);
    (found < least).then_some(Reason::TooFewAddresses { found, least })
}

/// Adds to `findings` that there were too few addresses to ask.
fn lament(findings: &mut Vec<Finding>, addresses: Addresses, reason: Reason) {
    match addresses {
        Addresses::Any => {
            for finding in findings.iter_mut().filter(|found| found.verdict == Verdict::Pass) {
                (finding.verdict, finding.reason) = (Verdict::Degraded, Some(reason.clone()));
            }
        }
        Addresses::All => {
            let whole = Finding::because(Subject::Whole, Verdict::Degraded, reason);
            findings.insert(0, whole);
        }
    }
}

fn unresolved(run: Run, reason: Reason) -> Finding {
    Outcome::failed(run, reason).finding(Subject::Whole, None)
}

/// The addresses to ask among those found. All of them are sorted before they are cut, since a
/// server that rotates its answers must not change who is asked.
fn selected(mut found: Vec<IpAddr>, addresses: Addresses) -> Vec<IpAddr> {
    match addresses {
        Addresses::Any => found.truncate(1),
        Addresses::All => {
            found.sort_unstable();
            found.dedup();
            found.truncate(MOST_ADDRESSES);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::{Addresses, MOST_ADDRESSES, selected};

    #[test]
    fn the_same_few_addresses_are_asked_in_whatever_order_they_come() {
        let all: Vec<IpAddr> = (0..200).map(|n| Ipv4Addr::new(10, 0, 0, n).into()).collect();
        let rotated: Vec<IpAddr> = all[77..].iter().chain(&all[..99]).copied().collect();
        assert_eq!(selected(all.clone(), Addresses::All), all[..MOST_ADDRESSES]);
        assert_eq!(selected(rotated.clone(), Addresses::All), all[..MOST_ADDRESSES]);
        assert_eq!(selected(rotated.clone(), Addresses::Any), rotated[..1]);
    }
}
