//! The ways to the status APIs: for each platform its own, the vendor's or the one we serve.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::clock::Clock;
use crate::config::{Component, Config, Platform, Publish, Secret, Secrets, Statuspage};
use crate::model::{PlatformId, Span};
use crate::outbox::Timing;
use crate::publish::{Pace, Patience, Publisher, StatuspageTarget};
use crate::serve;

use super::AppError;

/// The waits of a lane to a status API.
pub(super) fn timing(publish: &Publish) -> Timing {
    let timing = match publish {
        Publish::Embedded => Timing::embedded(),
        Publish::Statuspage(page) => Timing::remote(page.requests_per_second, page.timeout),
    };
    Timing { sweep_every: Some(Span::from_secs(600)), ..timing }
}

/// What it takes to speak to the platforms' status APIs.
pub(super) struct Lanes<'a> {
    pub(super) secrets: &'a Secrets,
    pub(super) install: &'a str,
    /// The status API that we serve ourselves.
    pub(super) own: url::Url,
    pub(super) api_token: &'a Secret,
    pub(super) clock: Clock,
}

impl Lanes<'_> {
    pub(super) fn publishers(
        &self,
        config: &Config,
    ) -> Result<BTreeMap<PlatformId, Arc<Publisher>>, AppError> {
        let mut paces: Vec<(StatuspageTarget, Arc<Pace>)> = Vec::new();
        let mut publishers = BTreeMap::new();
        for platform in &config.platforms {
            let (target, patience, spacing) = match &platform.publish {
                Publish::Embedded => (self.embedded(platform), Patience::embedded(), Span::ZERO),
                Publish::Statuspage(page) => (
                    self.vendor(platform, page)?,
                    Patience::remote(page.timeout.to_duration()),
                    timing(&platform.publish).spacing,
                ),
            };
            let shared = paces.iter().find(|(other, _)| {
                other.url == target.url && other.token == target.token && !target.own
            });
            let pace = match shared {
                Some((_, pace)) => Arc::clone(pace),
                None => Arc::new(Pace::new(self.clock, spacing)),
            };
            paces.push((target.clone(), Arc::clone(&pace)));
            let publisher = Publisher::new(target, patience, pace)?;
            publishers.insert(platform.id.clone(), Arc::new(publisher));
        }
        Ok(publishers)
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

    fn vendor(&self, platform: &Platform, page: &Statuspage) -> Result<StatuspageTarget, AppError> {
        let token = self.secrets.get(&page.token).cloned();
        let id =
            |component: &Component| Some((component.id.clone(), component.statuspage_id.clone()?));
        Ok(StatuspageTarget {
            url: page.url.clone(),
            page: page.page.clone(),
            token: token.ok_or_else(|| AppError::Secret(page.token.clone()))?,
            components: platform.components.iter().filter_map(id).collect(),
            install: self.install.to_owned(),
            own: false,
        })
    }
}
