//! The ways to the status APIs: for each platform one to each place that it is published to.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::clock::Clock;
use crate::config::{
    Auth, Component, Config, Platform, Publish, Secret, SecretRef, Secrets, VendorPage,
};
use crate::model::{ComponentId, LaneId, Span};
use crate::outbox::Timing;
use crate::publish::{
    About, AlertmanagerTarget, Caps, Login, Pace, PageTarget, PagerDutyTarget, Patience, Publisher,
    StatuspageTarget, Target, WebhookTarget,
};
use crate::serve;

use super::AppError;

/// Every lane, with whose it is and where it leads.
pub(super) fn of(config: &Config) -> Vec<(LaneId, &Platform, &Publish)> {
    let lanes = config.platforms.iter().flat_map(|platform| {
        platform.lanes().map(move |(lane, publish)| (lane, platform, publish))
    });
    lanes.collect()
}

/// How often it is read what is announced on one of `pages` pages of a vendor that may share a
/// token: once a minute, and never more than a tenth of one request a second for all, since it
/// takes two each.
fn read_announcements_every(pages: u64) -> Span {
    Span::from_secs(60.max(pages.saturating_mul(20)))
}

/// The waits of a lane to a status API.
pub(super) fn timing(config: &Config, publish: &Publish) -> Timing {
    // What cannot be read back has nothing to be looked over for.
    let sweep_every = Some(Span::from_secs(600));
    match publish {
        Publish::Embedded => Timing {
            sweep_every,
            drafts: Caps::STATUSPAGE.drafts,
            sets_components: true,
            read_announcements_every: Some(Span::from_secs(5)),
            ..Timing::embedded()
        },
        Publish::Statuspage(page) => {
            let timing = Timing::remote(page.requests_per_second, page.timeout);
            let vendors =
                |(_, _, publish): &(_, _, &Publish)| matches!(publish, Publish::Statuspage(_));
            let pages = of(config).iter().filter(|lane| vendors(lane)).count();
            let every = read_announcements_every(u64::try_from(pages).unwrap_or(u64::MAX));
            Timing {
                sweep_every,
                drafts: Caps::STATUSPAGE.drafts,
                read_announcements_every: Some(every),
                sets_components: true,
                ..timing
            }
        }
        Publish::Cachet(page) => Timing::remote(Caps::CACHET.per_second, page.timeout),
        Publish::IncidentIo(page) => Timing::remote(Caps::INCIDENT_IO.per_second, page.timeout),
        Publish::Instatus(page) => Timing::remote(Caps::INSTATUS.per_second, page.timeout),
        Publish::Alertmanager(it) => {
            let timing = Timing::idempotent(Caps::ALERTMANAGER.per_second, it.timeout);
            Timing { repeat: Some(it.repeat_every), ..timing }
        }
        Publish::PagerDuty(it) => Timing::idempotent(Caps::PAGERDUTY.per_second, it.timeout),
        Publish::Webhook(it) => {
            // A receiver that is being deployed says 404 for a while.
            let timing = Timing::idempotent(Caps::WEBHOOK.per_second, it.timeout);
            Timing { rejections: 5, ..timing }
        }
    }
}

/// The page that a lane leads to, where incidents stand open until somebody ends them. It is saved,
/// and its words are those that the operator reads once the lane leads elsewhere.
pub(super) fn page(publish: &Publish) -> Option<String> {
    let of = |page: &VendorPage| Some(format!("{} {}", page.url, page.page));
    match publish {
        Publish::Embedded => Some("the page that farol serves".to_owned()),
        Publish::Statuspage(page) => Some(format!("{} {}", page.url, page.page)),
        Publish::Cachet(page) | Publish::IncidentIo(page) | Publish::Instatus(page) => of(page),
        Publish::Alertmanager(_) | Publish::PagerDuty(_) | Publish::Webhook(_) => None,
    }
}

/// How long one call of a lane may take.
fn patience(publish: &Publish) -> Patience {
    let timeout = match publish {
        Publish::Embedded => return Patience::embedded(),
        Publish::Statuspage(page) => page.timeout,
        Publish::Cachet(page) | Publish::IncidentIo(page) | Publish::Instatus(page) => page.timeout,
        Publish::Alertmanager(it) => it.timeout,
        Publish::PagerDuty(it) => it.timeout,
        Publish::Webhook(it) => it.timeout,
    };
    Patience::remote(timeout.to_duration())
}

/// What it takes to speak to the platforms' status APIs.
pub(super) struct Lanes<'a> {
    pub(super) secrets: &'a Secrets,
    pub(super) install: &'a str,
    /// The status API that we serve ourselves.
    pub(super) own: url::Url,
    pub(super) api_token: &'a Secret,
    /// Where the public reaches the pages, if that is known.
    pub(super) public: Option<&'a url::Url>,
    pub(super) clock: Clock,
}

impl Lanes<'_> {
    pub(super) fn publishers(
        &self,
        config: &Config,
    ) -> Result<BTreeMap<LaneId, Arc<Publisher>>, AppError> {
        let mut paces: Vec<(Target, Arc<Pace>)> = Vec::new();
        let mut publishers = BTreeMap::new();
        for (lane, platform, publish) in of(config) {
            let target = self.target(platform, publish)?;
            let account = target.account();
            let shared =
                paces.iter().find(|(other, _)| account.is_some() && other.account() == account);
            let pace = match (shared, publish) {
                (Some((_, pace)), _) => {
                    pace.at_least(timing(config, publish).spacing);
                    Arc::clone(pace)
                }
                (None, Publish::Embedded) => Arc::new(Pace::new(self.clock, Span::ZERO)),
                (None, _) => Arc::new(Pace::new(self.clock, timing(config, publish).spacing)),
            };
            paces.push((target.clone(), Arc::clone(&pace)));
            let publisher = Publisher::new(target, patience(publish), pace)?;
            publishers.insert(lane, Arc::new(publisher));
        }
        Ok(publishers)
    }

    fn target(&self, platform: &Platform, publish: &Publish) -> Result<Target, AppError> {
        let components = || self.ids(platform, publish.name());
        let page = |page: &VendorPage| -> Result<PageTarget, AppError> {
            Ok(PageTarget {
                url: page.url.clone(),
                page: page.page.clone(),
                token: self.secret(&page.token)?,
                components: components(),
                install: self.install.to_owned(),
            })
        };
        Ok(match publish {
            Publish::Embedded => Target::Statuspage(self.embedded(platform)),
            Publish::Statuspage(page) => Target::Statuspage(StatuspageTarget {
                url: page.url.clone(),
                page: page.page.clone(),
                token: self.secret(&page.token)?,
                components: components(),
                install: self.install.to_owned(),
                own: false,
            }),
            Publish::Cachet(cachet) => Target::Cachet(page(cachet)?),
            Publish::IncidentIo(incident_io) => Target::IncidentIo(page(incident_io)?),
            Publish::Instatus(instatus) => Target::Instatus(page(instatus)?),
            Publish::Alertmanager(it) => Target::Alertmanager(AlertmanagerTarget {
                url: it.url.clone(),
                login: self.login(it.auth.as_ref())?,
                about: self.about(platform),
            }),
            Publish::PagerDuty(it) => Target::PagerDuty(PagerDutyTarget {
                url: it.url.clone(),
                routing_key: self.secret(&it.routing_key)?,
                about: self.about(platform),
            }),
            Publish::Webhook(it) => Target::Webhook(WebhookTarget {
                url: it.url.clone(),
                secret: it.secret.as_ref().map(|secret| self.secret(secret)).transpose()?,
                template: it.template.clone(),
                about: self.about(platform),
            }),
        })
    }

    /// The embedded status API is spoken to as the vendor's is: over HTTP, in the same dialect.
    fn embedded(&self, platform: &Platform) -> StatuspageTarget {
        let id =
            |component: &Component| (component.id.clone(), serve::component_page_id(&component.id));
        StatuspageTarget {
            url: self.own.clone(),
            page: serve::page_id(&platform.id),
            token: self.api_token.clone(),
            components: platform.components.iter().map(id).collect(),
            install: self.install.to_owned(),
            own: true,
        }
    }

    /// The components' ids at `target`.
    fn ids(&self, platform: &Platform, target: &str) -> BTreeMap<ComponentId, String> {
        let id = |component: &Component| {
            Some((component.id.clone(), component.id_at(target)?.to_owned()))
        };
        platform.components.iter().filter_map(id).collect()
    }

    fn about(&self, platform: &Platform) -> About {
        let name = |component: &Component| (component.id.clone(), component.name.clone());
        About {
            platform: platform.id.clone(),
            page: self.public.and_then(|public| public.join(platform.id.as_str()).ok()),
            components: platform.components.iter().map(name).collect(),
        }
    }

    fn login(&self, auth: Option<&Auth>) -> Result<Login, AppError> {
        Ok(match auth {
            Some(Auth::Basic { user, password }) => {
                Login::Basic { user: user.clone(), password: self.secret(password)? }
            }
            Some(Auth::Bearer(token)) => Login::Bearer(self.secret(token)?),
            // No configuration has a client of OAuth 2.0 here.
            Some(Auth::OAuth2(_)) | None => Login::Open,
        })
    }

    fn secret(&self, reference: &SecretRef) -> Result<Secret, AppError> {
        let secret = self.secrets.get(reference).cloned();
        secret.ok_or_else(|| AppError::Secret(reference.clone()))
    }
}
