//! The tables of `[publish]` for those who are told, and are no status page.

use serde_json::{Value, json};
use url::Url;

use super::super::mistake::Mistake;
use super::super::plan::{Alertmanager, Auth, BodyTemplate, PagerDuty, Webhook};
use super::super::problem::Problems;
use super::super::reader::{Field, Key, Node, Reader, Section, Setting};
use super::super::secret::SecretRef;
use super::super::setting::duration::{Duration, MINUTE};
use super::papers::Basic;
use super::publish::{CallTimeout, or_url};
use crate::model::Span;

/// Alertmanager takes an alert for over after five minutes, if it is not told otherwise.
type RepeatEvery = Duration<1_000, { 60 * MINUTE }>;

const AUTH: &[&str] = &["basic", "bearer"];

const ALERTMANAGER_URL: Key<Url> =
    Key::new("url", "Where Alertmanager is: what stands before `/api`.");
const BASIC: Key<Basic> = Key::new("basic", "A user's name and password.");
const BEARER: Key<SecretRef> = Key::new("bearer", "A token.");
const REPEAT_EVERY: Key<RepeatEvery> = Key::new(
    "repeat_every",
    "How often what fires is said again: well below Alertmanager's `resolve_timeout`.",
)
.or_text("60s");
const ROUTING_KEY: Key<SecretRef> =
    Key::new("routing_key", "Where the service's integration key is kept.");
const PAGERDUTY_URL: Key<Url> =
    Key::new("url", "The base of the API.").or_text("https://events.pagerduty.com");
const WEBHOOK_URL: Key<Url> = Key::new("url", "What is called.");
const SECRET: Key<SecretRef> =
    Key::new("secret", "What calls are signed with; without it they are not.");
const TEMPLATE: Key<BodyTemplate> = Key::new(
    "template",
    "A MiniJinja template that makes the body, in JSON; without it, the body described below.",
);
const TIMEOUT: Key<CallTimeout> =
    Key::new("timeout", "How long one call may take; one that took longer is made again.")
        .or_text("10s");
const SECONDS: u64 = 10;

impl Section for Alertmanager {
    const NAME: &'static str = "[publish.alertmanager]";

    fn read_keys(table: &mut Reader<'_, '_, '_>) -> Option<Self> {
        let url = table.require(&ALERTMANAGER_URL);
        let auth = auth(table);
        let (repeat, timeout) = (table.take(&REPEAT_EVERY), table.take(&TIMEOUT));
        Some(Self {
            url: url?.into_inner(),
            auth: auth?,
            repeat_every: repeat.or(Duration(Span::from_secs(60)))?.0,
            timeout: timeout.or(Duration(Span::from_secs(SECONDS)))?.0,
        })
    }
}

/// How it is entered; the outer `None` if what the file says of it is wrong.
fn auth(table: &mut Reader<'_, '_, '_>) -> Option<Option<Auth>> {
    let there = table.there(AUTH);
    let (basic, bearer) = (table.take(&BASIC), table.take(&BEARER));
    if there.len() > 1 {
        let places = there.into_iter().map(|(_, span)| span).collect();
        let section = <Alertmanager as Section>::NAME;
        table.report_all(places, Mistake::SeveralOf { section, keys: AUTH });
        return None;
    }
    Some(match (basic, bearer) {
        (Field::Given(basic), _) => Some(basic.into_inner().0),
        (_, Field::Given(token)) => Some(Auth::Bearer(token.into_inner())),
        (Field::Absent, Field::Absent) => None,
        (Field::Wrong, _) | (_, Field::Wrong) => return None,
    })
}

impl Section for PagerDuty {
    const NAME: &'static str = "[publish.pagerduty]";

    fn read_keys(table: &mut Reader<'_, '_, '_>) -> Option<Self> {
        let (key, url) = (table.require(&ROUTING_KEY), table.take(&PAGERDUTY_URL));
        let timeout = table.take(&TIMEOUT);
        Some(Self {
            url: or_url(url, "https://events.pagerduty.com")?,
            routing_key: key?.into_inner(),
            timeout: timeout.or(Duration(Span::from_secs(SECONDS)))?.0,
        })
    }
}

impl Section for Webhook {
    const NAME: &'static str = "[publish.webhook]";

    fn read_keys(table: &mut Reader<'_, '_, '_>) -> Option<Self> {
        let (url, secret) = (table.require(&WEBHOOK_URL), table.take(&SECRET));
        let (template, timeout) = (table.take(&TEMPLATE), table.take(&TIMEOUT));
        Some(Self {
            url: url?.into_inner(),
            secret: secret.optional()?,
            template: template.optional()?,
            timeout: timeout.or(Duration(Span::from_secs(SECONDS)))?.0,
        })
    }
}

impl Setting for BodyTemplate {
    const EXPECTED: &'static str = "a text in quotes";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        match Self::new(Self::text(node, problems)?) {
            Ok(template) => Some(template),
            Err(error) => {
                let reason = error.to_string().lines().next().unwrap_or_default().to_owned();
                problems.report(node.span(), Mistake::InvalidTemplate { reason });
                None
            }
        }
    }

    fn schema() -> Value {
        json!({ "type": "string", "minLength": 1 })
    }
}
