//! The places that incidents are published to, with all that it takes to speak to each.

use std::collections::BTreeMap;

use data_encoding::BASE64;
use http::HeaderValue;
use url::Url;

use crate::config::{BodyTemplate, Secret};
use crate::model::ComponentId;

use super::about::About;
use super::alertmanager::{self, Alertmanager};
use super::cachet::{self, Cachet};
use super::dialect::{Caps, Dialect};
use super::incident_io::{self, IncidentIo};
use super::instatus::{self, Instatus};
use super::pagerduty::{self, PagerDuty};
use super::statuspage::{self, Statuspage};
use super::talk::Paper;
use super::webhook::{self, Webhook};
use super::{PublishError, StatuspageTarget};

/// One place that incidents are published to.
#[derive(Clone, Debug)]
pub enum Target {
    /// A page of a Statuspage API.
    Statuspage(StatuspageTarget),
    /// An Alertmanager.
    Alertmanager(AlertmanagerTarget),
    /// A service at PagerDuty.
    PagerDuty(PagerDutyTarget),
    /// Whoever takes JSON.
    Webhook(WebhookTarget),
    /// A Cachet.
    Cachet(PageTarget),
    /// A page at incident.io.
    IncidentIo(PageTarget),
    /// A page at Instatus.
    Instatus(PageTarget),
}

/// An Alertmanager, with all that is needed to send it alerts.
#[derive(Clone, Debug)]
pub struct AlertmanagerTarget {
    /// Its base.
    pub url: Url,
    /// How it is entered.
    pub login: Login,
    /// What it is told of.
    pub about: About,
}

/// How an API is entered that is not always guarded.
#[derive(Clone, Debug)]
pub enum Login {
    /// It is open.
    Open,
    /// With a name and a password.
    Basic {
        /// The name.
        user: String,
        /// The password.
        password: Secret,
    },
    /// With a token.
    Bearer(Secret),
}

/// A service at PagerDuty, with all that is needed to send it events.
#[derive(Clone, Debug)]
pub struct PagerDutyTarget {
    /// The API's base.
    pub url: Url,
    /// The service's integration key.
    pub routing_key: Secret,
    /// What it is told of.
    pub about: About,
}

/// A webhook, with all that is needed to call it.
#[derive(Clone, Debug)]
pub struct WebhookTarget {
    /// What is called.
    pub url: Url,
    /// What calls are signed with.
    pub secret: Option<Secret>,
    /// What the body is made with.
    pub template: Option<BodyTemplate>,
    /// What it is told of.
    pub about: About,
}

/// A status page, with all that is needed to write on it.
#[derive(Clone, Debug)]
pub struct PageTarget {
    /// The API's base.
    pub url: Url,
    /// The page's id, where there is more than one.
    pub page: String,
    /// The API key.
    pub token: Secret,
    /// The id that each component has there.
    pub components: BTreeMap<ComponentId, String>,
    /// The installation, whose incidents are ours.
    pub install: String,
}

impl From<StatuspageTarget> for Target {
    fn from(target: StatuspageTarget) -> Self {
        Self::Statuspage(target)
    }
}

/// A target as the delivery needs it.
pub(super) struct Parts {
    pub(super) url: Url,
    pub(super) authorization: Option<HeaderValue>,
    /// What must be hidden in whatever comes back.
    pub(super) secrets: Vec<Secret>,
    pub(super) dialect: Box<dyn Dialect>,
    pub(super) own: bool,
}

impl Caps {
    /// Atlassian Statuspage's, and what farol itself serves.
    pub const STATUSPAGE: Self = statuspage::CAPS;
    /// Alertmanager's.
    pub const ALERTMANAGER: Self = alertmanager::CAPS;
    /// PagerDuty's.
    pub const PAGERDUTY: Self = pagerduty::CAPS;
    /// A webhook's.
    pub const WEBHOOK: Self = webhook::CAPS;
    /// Cachet's.
    pub const CACHET: Self = cachet::CAPS;
    /// incident.io's.
    pub const INCIDENT_IO: Self = incident_io::CAPS;
    /// Instatus'.
    pub const INSTATUS: Self = instatus::CAPS;

    /// Each, by its target's name.
    pub const ALL: [(&str, Self); 7] = [
        ("statuspage", Self::STATUSPAGE),
        ("cachet", Self::CACHET),
        ("incident_io", Self::INCIDENT_IO),
        ("instatus", Self::INSTATUS),
        ("alertmanager", Self::ALERTMANAGER),
        ("pagerduty", Self::PAGERDUTY),
        ("webhook", Self::WEBHOOK),
    ];
}

impl Target {
    /// The API and the key that its owner counts requests by, if there is one.
    pub fn account(&self) -> Option<(&Url, &Secret)> {
        match self {
            Self::Statuspage(page) if page.own => None,
            Self::Statuspage(page) => Some((&page.url, &page.token)),
            Self::Cachet(page) | Self::IncidentIo(page) | Self::Instatus(page) => {
                Some((&page.url, &page.token))
            }
            Self::PagerDuty(service) => Some((&service.url, &service.routing_key)),
            Self::Alertmanager(_) | Self::Webhook(_) => None,
        }
    }

    pub(super) fn into_parts(self) -> Result<Parts, PublishError> {
        match self {
            Self::Statuspage(target) => {
                let StatuspageTarget { url, page, token, components, install, own } = target;
                let authorization = header(&format!("OAuth {}", token.reveal()))?;
                let dialect = Box::new(Statuspage { page, install, components });
                let (secrets, authorization) = (vec![token], Some(authorization));
                Ok(Parts { url, authorization, secrets, dialect, own })
            }
            Self::Alertmanager(AlertmanagerTarget { url, login, about }) => {
                let (authorization, secret) = login.header()?;
                let secrets = secret.into_iter().collect();
                let dialect = Box::new(Alertmanager { about });
                Ok(Parts { url, authorization, secrets, dialect, own: false })
            }
            Self::PagerDuty(PagerDutyTarget { url, routing_key, about }) => {
                let secrets = vec![routing_key.clone()];
                let dialect = Box::new(PagerDuty { routing_key, about });
                Ok(Parts { url, authorization: None, secrets, dialect, own: false })
            }
            Self::Webhook(WebhookTarget { url, secret, template, about }) => {
                let secrets = secret.iter().cloned().collect();
                let dialect = Box::new(Webhook { secret, template, about });
                Ok(Parts { url, authorization: None, secrets, dialect, own: false })
            }
            Self::Cachet(page) => page.parts(|paper| Box::new(Cachet(paper))),
            Self::IncidentIo(page) => page.parts(|paper| Box::new(IncidentIo(paper))),
            Self::Instatus(page) => page.parts(|paper| Box::new(Instatus(paper))),
        }
    }
}

impl PageTarget {
    fn parts(self, dialect: impl FnOnce(Paper) -> Box<dyn Dialect>) -> Result<Parts, PublishError> {
        let Self { url, page, token, components, install } = self;
        let authorization = header(&format!("Bearer {}", token.reveal()))?;
        let dialect = dialect(Paper { page, install, components });
        let (secrets, authorization) = (vec![token], Some(authorization));
        Ok(Parts { url, authorization, secrets, dialect, own: false })
    }
}

impl Login {
    fn header(self) -> Result<(Option<HeaderValue>, Option<Secret>), PublishError> {
        Ok(match self {
            Self::Open => (None, None),
            Self::Bearer(token) => {
                (Some(header(&format!("Bearer {}", token.reveal()))?), Some(token))
            }
            Self::Basic { user, password } => {
                let both = BASE64.encode(format!("{user}:{}", password.reveal()).as_bytes());
                (Some(header(&format!("Basic {both}"))?), Some(password))
            }
        })
    }
}

fn header(text: &str) -> Result<HeaderValue, PublishError> {
    let mut value = HeaderValue::from_str(text).map_err(|_| PublishError::Token)?;
    value.set_sensitive(true);
    Ok(value)
}
