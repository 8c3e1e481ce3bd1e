//! `[component.check.login]`: a flow of steps, or a short form that stands for some.

mod account;
mod flow;
mod outcome;
mod post;
mod preset;
mod step;

use toml::Spanned;
use url::Url;

use super::super::mistake::Mistake;
use super::super::plan::login::LoginCheck;
use super::super::plan::{Addresses, ClockLimits};
use super::super::reader::{Field, Key, Reader, Section};
use super::super::setting::header::Headers;
use super::super::setting::size::Size;
use super::http::{ADDRESSES, CERTIFICATE, MAX_BODY, MAX_CLOCK_SKEW};
use super::http_client::RawHttpClient;
use crate::model::Span;
use account::RawAccounts;
use flow::{Flow, RawSteps};
use preset::RawPreset;

const URL: Key<Url> = Key::new(
    "url",
    "Where the flow begins: steps name what is below it, and `addresses` are those of its host.",
);
const STEPS: Key<RawSteps> = Key::new("steps", "What is done, in order.");

/// A login as it was written, with what can only be weighed against the check that it is of.
pub(in super::super) struct RawLogin {
    pub(in super::super) check: LoginCheck,
    pub(in super::super) times: Times,
}

/// Lengths of time in a flow, and where they stand.
#[derive(Default)]
pub(in super::super) struct Times {
    /// What steps may take before they are slow.
    pub(in super::super) limits: Vec<Spanned<Span>>,
    /// What is waited.
    pub(in super::super) pauses: Vec<Spanned<Span>>,
}

impl Section for RawLogin {
    const NAME: &'static str = "`login`";

    fn read_keys(table: &mut Reader<'_, '_, '_>) -> Option<Self> {
        let (url, accounts) = (table.require(&URL), RawAccounts::ask(table));
        let (preset, steps) = (RawPreset::ask(table), table.take(&STEPS));
        let (max_body, addresses) = (table.take(&MAX_BODY), table.take(&ADDRESSES));
        let (skew, certificate) = (table.take(&MAX_CLOCK_SKEW), table.take(&CERTIFICATE));
        let client = RawHttpClient::ask_for_any_host(table);
        client.weigh(table, &Field::<Headers>::Absent, &addresses);
        let accounts = accounts.settle(table);
        let preset = preset.expand(accounts.as_deref(), table);
        if matches!(preset, Some(None)) && RawSteps::are_none(&steps) {
            table.report_here(Mistake::NoSteps);
        }
        let (url, steps) = (url?.into_inner(), steps.or(RawSteps::NONE)?);
        let times = steps.times();
        let mut flow = Flow::new(&url, accounts.as_deref());
        if let Some(preset) = preset? {
            flow.begin(preset, table);
        }
        flow.go_on(steps, table);
        let steps = flow.finish()?;
        let check = LoginCheck {
            url,
            steps,
            accounts: accounts?,
            max_body: max_body.or(Size(4 << 20))?.0,
            addresses: addresses.or(Addresses::Any)?,
            max_clock_skew: skew.or(ClockLimits::DEFAULT)?,
            certificate: certificate.optional()?,
            client: client.settle()?,
        };
        Some(Self { check, times })
    }
}
