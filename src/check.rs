//! Runs checks: one file for each kind, whose `exchange` does the I/O and returns plain facts, and
//! whose `judge` is pure and turns facts and configuration into a verdict.
//!
//! A failing target is data: [`Prober::run`] always answers with an observation, within the
//! check's timeout, whatever the target does.

mod addresses;
mod bounded;
mod certificate;
mod clock;
mod clocks;
mod dns;
mod grpc;
mod header;
mod http;
mod icmp;
mod judgement;
mod load;
mod login;
mod prober;
mod script;
mod tcp;
mod tls;
mod trace;
mod trouble;
mod variants;
mod websocket;

use std::cell::LazyCell;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;

use clocks::{Clocks, Moments, Waited};
use judgement::judge_phases;
use load::Load;
pub use load::{Files, OwnLoad};
pub use trace::{Answered, Exchange, Purpose};
use trace::{Notes, Told};
pub use trouble::Board;

use crate::clock::Clock;
use crate::config::{Check, CheckKind, ProberPlan, Secrets};
use crate::model::{ClockOffset, Finding, Observation, OwnTrouble, Reason, Span, Vantage, Variant};
use crate::net::{Network, Run, TlsError};
use crate::veil::Known;

/// Longest text, in characters, that a reason carries.
const LONGEST_TEXT: usize = 200;

/// How long a run that lacked something of ours is told.
const EXHAUSTED_FOR: Span = Span::from_secs(60);
/// How long a resolver of ours that failed is taken to fail: other names may do well meanwhile.
const RESOLVER_FAILS_FOR: Span = Span::from_secs(60);

/// Why no check can be run at all.
#[derive(Debug, thiserror::Error)]
pub enum ProberError {
    /// There can be no TLS in this process.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// Runs checks from one vantage. Copies share what was costly to make.
#[derive(Clone, Debug)]
pub struct Prober {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    network: Network,
    clocks: Clocks,
    vantage: Vantage,
    secrets: Secrets,
    known: Known,
    tokens: http::Tokens,
    turns: login::Turns,
    board: Board,
    load: Load,
}

/// What a run of a check, or of one variant of it, is beside its time.
#[derive(Clone, Copy)]
struct Asked<'a> {
    /// Its number, if accounts take turns.
    turn: usize,
    variant: Option<&'a Variant>,
    told: Option<&'a Told>,
    waited: &'a Waited,
}

impl Prober {
    /// A prober with this host's name servers and trusted roots.
    pub fn new(clock: Clock, vantage: Vantage, secrets: Secrets) -> Result<Self, ProberError> {
        Self::with_roots(clock, vantage, secrets, &[])
    }

    /// A prober that trusts `roots` beside this host's: an own certificate authority.
    pub fn with_roots(
        clock: Clock,
        vantage: Vantage,
        secrets: Secrets,
        roots: &[CertificateDer<'static>],
    ) -> Result<Self, ProberError> {
        let network = Network::new(clock, roots)?;
        let (known, tokens) = (Known::new(secrets.values()), http::Tokens::default());
        let (turns, clocks) = (login::Turns::default(), Clocks::new(clock));
        let (board, load) = (Board::new(clock), Load::new(clock));
        let shared =
            Shared { network, clocks, vantage, secrets, known, tokens, turns, board, load };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Goes by `plan` from now on, over many runs: whom it names to know the time is believed, and
    /// our host alone only when others have had the time of `settle` to speak; and requests wait for
    /// the moment at which their answers tell the most of a clock.
    pub fn trust(&self, plan: &ProberPlan, settle: Span) {
        self.heed(plan);
        self.shared.clocks.trust(plan, settle);
    }

    /// What is wrong with our own clock, by all that is known now.
    pub fn own_clock(&self) -> Option<Reason> {
        self.shared.clocks.own_trouble()
    }

    /// How far our own clock is ahead of what others agree on, if anybody else knows the time.
    pub fn own_offset(&self) -> Option<ClockOffset> {
        self.shared.clocks.own_offset()
    }

    /// What is wrong with ourselves.
    pub fn board(&self) -> &Board {
        &self.shared.board
    }

    /// Asks those whom `plan` names when this host's resolver fails.
    pub fn heed(&self, plan: &ProberPlan) {
        self.shared.network.doubt_resolver(Arc::clone(&plan.second_resolvers));
    }

    /// How busy we are, as far as somebody [watches](Self::watch_load).
    pub fn load(&self) -> OwnLoad {
        self.shared.load.now()
    }

    /// Watches our own load and never ends: without it, all time is taken for the targets'.
    pub async fn watch_load(&self) {
        self.shared.load.sample(&self.shared.board).await;
    }

    /// Runs `check` once.
    pub async fn run(&self, check: &Check) -> Observation {
        self.observe(check, None).await
    }

    /// Runs `check` once and tells every HTTP exchange that it took, without anything secret.
    pub async fn run_traced(&self, check: &Check) -> (Observation, Vec<Exchange>) {
        let told = Told::from(self.shared.network.clock().now());
        let observation = self.observe(check, Some(&told)).await;
        (observation, told.all())
    }

    async fn observe(&self, check: &Check, told: Option<&Told>) -> Observation {
        let Shared { network, clocks, vantage, turns, .. } = &*self.shared;
        let clock = network.clock();
        let started_at = clock.now();
        let watch = clock.stopwatch();
        let run = Run::start(clock, check.timeout);
        // Nobody else has accounts to take turns.
        let is_login = matches!(check.kind, CheckKind::Login(_));
        let turn = if is_login { turns.next(&check.id) } else { 0 };
        let waited = Waited::default();
        let asked = Asked { turn, variant: None, told, waited: &waited };
        let mut findings = if check.variants.is_empty() {
            self.ask(check, run, asked).await
        } else {
            variants::probe_each(check, run, |name, variant| {
                self.ask(variant, run, Asked { variant: Some(name), ..asked })
            })
            .await
        };
        let took = waited.not_counted(watch.elapsed(), &findings);
        clocks.judge(check, &mut findings, started_at);
        let (check, vantage) = (check.id.clone(), vantage.clone());
        Observation { check, vantage, started_at, took, findings }
    }

    /// What `check` itself finds, whether it stands for itself or is a variant of another.
    async fn ask(&self, check: &Check, run: Run, asked: Asked<'_>) -> Vec<Finding> {
        let Shared { network, clocks, secrets, known, tokens, board, load, .. } = &*self.shared;
        let Asked { turn, variant, told, waited } = asked;
        let began = load.clock().now();
        let mut notes = Notes::new(known, told.is_some());
        // Whoever looks on is not kept waiting, and a check of a clock has its own moments.
        if told.is_none() && !matches!(check.kind, CheckKind::Clock(_)) {
            notes = notes.waiting_for(Moments::of(clocks, check, variant.cloned()));
        }
        let mut findings = match &check.kind {
            CheckKind::Http(http) => {
                http::probe(network, secrets, tokens, check, http, run, &notes).await
            }
            CheckKind::Dns(dns) => dns::probe(network, check, dns, run).await,
            CheckKind::Tcp(tcp) => tcp::probe(network, check, tcp, run).await,
            CheckKind::Login(login) => {
                login::probe(network, secrets, (tokens, turn), check, login, run, &notes).await
            }
            CheckKind::Tls(tls) => tls::probe(network, check, tls, run).await,
            CheckKind::Grpc(grpc) => grpc::probe(network, secrets, check, grpc, run).await,
            CheckKind::Icmp(icmp) => icmp::probe(network, check, icmp, run).await,
            // Boxed, as it is seldom needed and large: every run would carry room for it.
            CheckKind::Websocket(socket) => {
                Box::pin(websocket::probe(network, secrets, check, socket, run)).await
            }
            // Boxed, as the one before.
            CheckKind::Clock(read) => {
                Box::pin(clock::probe(network, secrets, tokens, check, read, run, &notes)).await
            }
            CheckKind::Prober(prober) => prober::probe(board, prober),
        };
        waited.note(notes.moments().map(Moments::waited));
        // Most runs have nothing to tell.
        let cover = LazyCell::new(|| notes.veil.draw());
        for finding in &mut findings {
            judge_phases(finding, &check.degraded_over_in);
        }
        load.excuse(&mut findings, (check, variant), began);
        for finding in &mut findings {
            if let Some(Reason::ProberResolver { detail }) = &finding.reason {
                board.note(OwnTrouble::Resolver, detail.clone(), RESOLVER_FAILS_FOR);
            }
            if let Some(Reason::ProberExhausted { detail }) = &finding.reason {
                board.note(OwnTrouble::Exhausted, detail.clone(), EXHAUSTED_FOR);
            }
            bound(finding, &|text| printable(&cover.hide(text)));
            for hop in &mut finding.hops {
                hop.host = cover.hide(&hop.host);
            }
        }
        if let Some(told) = told {
            told.take(notes, variant);
        }
        findings
    }
}

/// Makes the texts in a finding's reason what is `shown` of them: they may be the target's, and they
/// go to logs, the journal and terminals.
#[expect(clippy::too_many_lines, reason = "every reason has its arm")]
fn bound(finding: &mut Finding, shown: &dyn Fn(&str) -> String) {
    let text = match &mut finding.reason {
        Some(
            Reason::ResolveFailed { detail }
            | Reason::ConnectFailed { detail }
            | Reason::ProxyUnreachable { detail }
            | Reason::ProxyDenied { detail }
            | Reason::ProxyMalformed { detail }
            | Reason::ProxyFailed { detail }
            | Reason::TokenUnavailable { detail }
            | Reason::TokenMalformed { detail }
            | Reason::TlsHandshake { detail }
            | Reason::TlsUntrusted { detail }
            | Reason::MalformedAnswer { detail }
            | Reason::TokenClaim { detail }
            | Reason::TokenTime { detail }
            | Reason::BodyEncoding { detail }
            | Reason::DnsTruncated { detail }
            | Reason::DnsDelegation { detail }
            | Reason::DnssecBogus { detail }
            | Reason::WebsocketClosed { detail, .. }
            | Reason::ProberExhausted { detail }
            | Reason::ClockUnreadable { detail }
            | Reason::NtpUnsynchronized { detail }
            | Reason::NtpRefused { code: detail }
            | Reason::ProberResolver { detail }
            | Reason::ProberOffline { detail }
            | Reason::OwnTrouble { detail }
            | Reason::ProberMisconfigured { detail },
        ) => detail,
        Some(
            Reason::Body { expected } | Reason::Html { expected } | Reason::Cookie { expected },
        ) => expected,
        Some(Reason::FormNotFound { sought }) => sought,
        Some(
            Reason::RedirectHost { expected, got }
            | Reason::Header { expected, got }
            | Reason::Json { expected, got }
            | Reason::TcpExpect { expected, got }
            | Reason::WebsocketExpect { expected, got },
        ) => {
            *expected = shown(expected);
            got
        }
        Some(
            Reason::PagePart { url: first, detail: second }
            | Reason::PagePartType { url: first, got: second }
            | Reason::RecordNoTime { place: first, got: second },
        ) => {
            *first = shown(first);
            second
        }
        Some(
            Reason::FinalUrl { got: text }
            | Reason::RecordStale { place: text, .. }
            | Reason::RecordAhead { place: text, .. },
        ) => text,
        Some(
            Reason::HttpVersion { got }
            | Reason::DnsRcode { got }
            | Reason::DnsAnswer { got }
            | Reason::DnsTtl { got }
            | Reason::DnsFlag { missing: got }
            | Reason::GrpcStatus { got }
            | Reason::GrpcHealth { got }
            | Reason::TlsStaple { got }
            | Reason::TlsVersion { got }
            | Reason::TlsCipher { got }
            | Reason::StarttlsRefused { got }
            | Reason::WebsocketSubprotocol { got },
        ) => got,
        None
        | Some(
            Reason::ResolveNotFound
            | Reason::ResolveNoAddress
            | Reason::TooFewAddresses { .. }
            | Reason::ConnectRefused
            | Reason::ConnectReset
            | Reason::ConnectUnreachable
            | Reason::ProxyAuth
            | Reason::TokenRefused { .. }
            | Reason::TlsCertificateExpired
            | Reason::TlsCertificateNotYetValid
            | Reason::TlsNameMismatch
            | Reason::TlsSelfSigned
            | Reason::TlsCertificateRevoked
            | Reason::TlsCertificateExpiring { .. }
            | Reason::Timeout { .. }
            | Reason::ConnectionClosed { .. }
            | Reason::HeadersTooLarge
            | Reason::FirstByteLimit { .. }
            | Reason::IdleLimit { .. }
            | Reason::ExpectLimit { .. }
            | Reason::WebsocketMessageTooLarge
            | Reason::BodyTooLarge
            | Reason::Status { .. }
            | Reason::RedirectLimit
            | Reason::RedirectLoop
            | Reason::ExtractMissing { .. }
            | Reason::ExtractDiffers { .. }
            | Reason::CredentialsRejected { .. }
            | Reason::RedirectInvalid
            | Reason::RedirectRefused { .. }
            | Reason::BodySize { .. }
            | Reason::PageBlank
            | Reason::EchoLost { .. }
            | Reason::ClockSkew { .. }
            | Reason::ClockJump { .. }
            | Reason::ClockDrift { .. }
            | Reason::ProberClock { .. }
            | Reason::ProberClockOff { .. }
            | Reason::ProberClockUnsure
            | Reason::ProberBlip
            | Reason::ProberBusy { .. }
            | Reason::DnsSerial { .. }
            | Reason::DnssecInsecure
            | Reason::Slow { .. }
            | Reason::SlowPhase { .. }
            | Reason::SlowQuantile { .. },
        ) => return,
    };
    *text = shown(text);
}

/// `text` in at most [`LONGEST_TEXT`] characters, none of which moves a terminal's cursor or
/// breaks a log's line.
fn printable(text: &str) -> String {
    let shown = |c: char| if c.is_control() || is_invisible(c) { '\u{fffd}' } else { c };
    let mut characters = text.chars().map(shown);
    let mut cut: String = characters.by_ref().take(LONGEST_TEXT).collect();
    if characters.next().is_some() {
        cut.pop();
        cut.push('…');
    }
    cut
}

/// Whether `c` reorders or hides the text around it.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::{LONGEST_TEXT, printable};

    #[test]
    fn a_text_from_outside_is_short_and_moves_no_cursor() {
        assert_eq!(printable("plain, even with ç"), "plain, even with ç");
        assert_eq!(printable("a\x1b[2Jb\nc\u{202e}d"), "a\u{fffd}[2Jb\u{fffd}c\u{fffd}d");
        let exact = "x".repeat(LONGEST_TEXT);
        assert_eq!(printable(&exact), exact);
        let cut = printable(&"é".repeat(LONGEST_TEXT + 1));
        assert_eq!(cut.chars().count(), LONGEST_TEXT);
        assert!(cut.ends_with("é…"), "{cut}");
    }

    #[test]
    fn a_prober_can_be_shared_by_tasks() {
        fn can_be_sent(_: impl Send) {}
        fn asks(prober: &super::Prober, check: &crate::config::Check) {
            can_be_sent(prober.run(check));
        }
        let _ = asks;
    }
}
