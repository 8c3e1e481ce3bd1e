//! Where a platform's incidents are published.

use std::num::NonZeroU32;

use url::Url;

use super::super::secret::SecretRef;
use super::{Auth, BodyTemplate, Component, Platform};
use crate::model::{LaneId, Span};

/// One place where a platform's incidents are published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Publish {
    /// To the status API and page that farol itself serves.
    Embedded,
    /// To Atlassian Statuspage, or whatever speaks its API.
    Statuspage(Statuspage),
    /// To a Cachet.
    Cachet(VendorPage),
    /// To a page at incident.io.
    IncidentIo(VendorPage),
    /// To a page at Instatus.
    Instatus(VendorPage),
    /// To an Alertmanager.
    Alertmanager(Alertmanager),
    /// To a service at PagerDuty.
    PagerDuty(PagerDuty),
    /// To whoever takes JSON.
    Webhook(Webhook),
}

/// A page of a Statuspage API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statuspage {
    /// The API's base, `https://api.statuspage.io/v1`.
    pub url: Url,
    /// The page's id.
    pub page: String,
    /// The API key.
    pub token: SecretRef,
    /// How many requests the API allows in a second.
    pub requests_per_second: NonZeroU32,
    /// How long one request may take.
    pub timeout: Span,
}

/// A status page in a dialect of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VendorPage {
    /// The API's base.
    pub url: Url,
    /// The page's id; empty where an API has one page.
    pub page: String,
    /// The API key.
    pub token: SecretRef,
    /// How long one request may take.
    pub timeout: Span,
}

/// An Alertmanager.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alertmanager {
    /// Its base.
    pub url: Url,
    /// How it is entered, if it is guarded: never by OAuth 2.0.
    pub auth: Option<Auth>,
    /// How often what fires is said again.
    pub repeat_every: Span,
    /// How long one request may take.
    pub timeout: Span,
}

/// A service at PagerDuty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PagerDuty {
    /// The API's base.
    pub url: Url,
    /// The service's integration key.
    pub routing_key: SecretRef,
    /// How long one request may take.
    pub timeout: Span,
}

/// A webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// What is called.
    pub url: Url,
    /// What calls are signed with.
    pub secret: Option<SecretRef>,
    /// What makes the body, if not we.
    pub template: Option<BodyTemplate>,
    /// How long one request may take.
    pub timeout: Span,
}

impl Publish {
    /// Its name, as in `[publish.NAME]`.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Embedded => "embedded",
            Self::Statuspage(_) => "statuspage",
            Self::Cachet(_) => "cachet",
            Self::IncidentIo(_) => "incident_io",
            Self::Instatus(_) => "instatus",
            Self::Alertmanager(_) => "alertmanager",
            Self::PagerDuty(_) => "pagerduty",
            Self::Webhook(_) => "webhook",
        }
    }

    /// The secrets that it takes.
    pub(super) fn secrets(&self) -> Vec<SecretRef> {
        match self {
            Self::Embedded => Vec::new(),
            Self::Statuspage(page) => vec![page.token.clone()],
            Self::Cachet(page) | Self::IncidentIo(page) | Self::Instatus(page) => {
                vec![page.token.clone()]
            }
            Self::Alertmanager(alertmanager) => {
                alertmanager.auth.iter().map(|auth| auth.secret().clone()).collect()
            }
            Self::PagerDuty(service) => vec![service.routing_key.clone()],
            Self::Webhook(webhook) => webhook.secret.iter().cloned().collect(),
        }
    }

    /// Whether customers read it: those that are told to wake somebody replace no page.
    pub const fn is_page(&self) -> bool {
        match self {
            Self::Embedded
            | Self::Statuspage(_)
            | Self::Cachet(_)
            | Self::IncidentIo(_)
            | Self::Instatus(_) => true,
            Self::Alertmanager(_) | Self::PagerDuty(_) | Self::Webhook(_) => false,
        }
    }
}

impl Platform {
    /// The lanes to its status APIs. The first that is a page in Statuspage's dialect is called as
    /// the platform is, whatever else there is: its saved state is found again under that name.
    pub fn lanes(&self) -> impl Iterator<Item = (LaneId, &Publish)> {
        let is_page = |publish: &Publish| match publish {
            Publish::Embedded | Publish::Statuspage(_) => true,
            Publish::Cachet(_)
            | Publish::IncidentIo(_)
            | Publish::Instatus(_)
            | Publish::Alertmanager(_)
            | Publish::PagerDuty(_)
            | Publish::Webhook(_) => false,
        };
        let page = self.publish.iter().position(is_page);
        self.publish.iter().enumerate().map(move |(place, publish)| {
            let lane = if page == Some(place) {
                LaneId::of_page(&self.id)
            } else {
                LaneId::of(&self.id, publish.name())
            };
            (lane, publish)
        })
    }
}

impl Component {
    /// Its id at `target`, as in `[publish.NAME]`.
    pub fn id_at(&self, target: &str) -> Option<&str> {
        let id = match target {
            "statuspage" => &self.statuspage_id,
            "cachet" => &self.cachet_id,
            "incident_io" => &self.incident_io_id,
            "instatus" => &self.instatus_id,
            _ => return None,
        };
        id.as_deref()
    }
}
