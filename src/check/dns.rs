//! The `dns` check: one question to one name server, or to all of a zone, and what the answer must
//! be like.

mod judge;
mod presentation;
mod zone;

use std::net::SocketAddr;
use std::path::Path;

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::{Name, RecordType};
use tokio::io::AsyncReadExt;

use super::judgement::Outcome;
use crate::config::{Check, DnsCheck, DnsServers, Dnssec, NameServer};
use crate::model::{Finding, Reason, Subject};
use crate::net::dns::{Anchors, Question, Wants, follow};
use crate::net::{Network, Run};
use judge::judge;
use presentation::presentation;

/// Longest file of trusted keys.
const LONGEST_KEYS: u64 = 64 * 1024;

/// Runs the check.
pub(super) async fn probe(
    network: &Network,
    check: &Check,
    dns: &DnsCheck,
    mut run: Run,
) -> Vec<Finding> {
    if let DnsServers::All { port, max_serial_lag } = dns.servers {
        return zone::probe(network, check, dns, zone::Limits { port, max_serial_lag }, run).await;
    }
    let place = match place(network, check, dns, &mut run).await {
        Ok(place) => place,
        Err(reason) => return vec![Outcome::failed(run, reason).finding(Subject::Whole, None)],
    };
    let ip = place.address.ip();
    let facts = exchange(network, dns, &place, &mut run).await;
    let judgement = judge(&facts, dns, run.phases.total(), check.degraded_over);
    vec![Outcome::of(run, judgement).finding(Subject::Whole, Some(ip))]
}

/// Who is asked, and who knows what lies between the answer and a trusted key.
struct Place {
    server: NameServer,
    address: SocketAddr,
    /// Whom a proof is asked of.
    chain: Vec<NameServer>,
    recursion: bool,
}

/// The server that the check names, or the first of the platform's resolvers and no other.
async fn place(
    network: &Network,
    check: &Check,
    dns: &DnsCheck,
    run: &mut Run,
) -> Result<Place, Reason> {
    let server = match &dns.server {
        Some(server) => server.clone(),
        None => {
            let servers = network.name_servers(&check.resolvers)?;
            let none = || Reason::ProberMisconfigured { detail: String::from("a name server") };
            servers.into_iter().next().ok_or_else(none)?
        }
    };
    let found = network.resolve(run, &server.host, &check.resolvers).await?;
    let ip = found.first().copied().ok_or(Reason::ResolveNoAddress)?;
    let address = SocketAddr::new(ip, server.port);
    let chain = vec![NameServer { host: ip.to_string(), ..server.clone() }];
    Ok(Place { server, address, chain, recursion: dns.recursion_desired })
}

/// What a server answered.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Facts {
    code: ResponseCode,
    /// Whether the flag AA is set.
    authoritative: bool,
    /// Whether the flag AD is set.
    authenticated: bool,
    /// The records that were asked for, at the end of all aliases.
    records: Vec<Seen>,
    /// Whether the signatures were found to be right, if that was to be found out.
    proof: Option<Result<(), Reason>>,
}

/// A record of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    /// In presentation form.
    text: String,
    /// For how many seconds it may be remembered.
    ttl: u32,
}

async fn exchange(
    network: &Network,
    dns: &DnsCheck,
    place: &Place,
    run: &mut Run,
) -> Result<Facts, Reason> {
    let anchors = anchors(&dns.dnssec).await?;
    let wants = Wants {
        recursion: place.recursion,
        authentic: dns.authenticated,
        signatures: anchors.is_some(),
    };
    let question = Question::new(dns.name.clone(), dns.record_type, wants)?;
    let answer = network.ask(run, &place.server, place.address, &question).await?.message;
    let proof = match anchors {
        // Of another code nothing is to be proven.
        Some(anchors) if dns.rcode.contains(&answer.metadata.response_code) => {
            let proving = network.prove(run, &place.chain, anchors, &question, &answer);
            Some(Box::pin(proving).await)
        }
        Some(_) | None => None,
    };
    Ok(Facts {
        code: answer.metadata.response_code,
        authoritative: answer.metadata.authoritative,
        authenticated: answer.metadata.authentic_data,
        records: records(&answer, &dns.name, dns.record_type)?,
        proof,
    })
}

/// The records of the type at the end of the aliases that lead on from `name`.
fn records(answer: &Message, name: &Name, record_type: RecordType) -> Result<Vec<Seen>, Reason> {
    // These are answered with the alias itself.
    let literal = matches!(record_type, RecordType::ANY | RecordType::CNAME);
    let end = if literal { name.clone() } else { follow(&answer.answers, name)? };
    let wanted = answer.answers.iter().filter(|record| {
        record.name == end
            && (record_type == RecordType::ANY || record.record_type() == record_type)
    });
    Ok(wanted.map(|record| Seen { text: presentation(&record.data), ttl: record.ttl }).collect())
}

/// The keys that a proof may start from; `None` if nothing is to be proven. A file is read by
/// every run, so that a new key needs no restart.
async fn anchors(dnssec: &Dnssec) -> Result<Option<Anchors>, Reason> {
    match dnssec {
        Dnssec::Off => Ok(None),
        Dnssec::FromRoot => Ok(Some(Anchors::default())),
        Dnssec::From(path) => {
            let lacking = |why: String| Reason::ProberMisconfigured {
                detail: format!("trusted keys: {}: {why}", path.display()),
            };
            let text = read(path).await.map_err(|error| lacking(error.to_string()))?;
            let keys: Anchors =
                text.parse().map_err(|error: hickory_proto::serialize::txt::ParseError| {
                    lacking(error.to_string())
                })?;
            Ok(Some(keys))
        }
    }
}

async fn read(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    let file = tokio::fs::File::open(path).await?;
    file.take(LONGEST_KEYS).read_to_string(&mut text).await?;
    Ok(text)
}

#[cfg(test)]
mod tests;
