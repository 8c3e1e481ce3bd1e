//! Where a platform's incidents are published.

use std::num::NonZeroU32;

use url::Url;

use super::super::secret::SecretRef;
use super::Platform;
use crate::model::{LaneId, Span};

/// One place where a platform's incidents are published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Publish {
    /// To the status API and page that farol itself serves.
    Embedded,
    /// To Atlassian Statuspage, or whatever speaks its API.
    Statuspage(Statuspage),
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
    /// Whether subscribers are told.
    pub notify: bool,
    /// How many requests the API allows in a second.
    pub requests_per_second: NonZeroU32,
    /// How long one request may take.
    pub timeout: Span,
}

impl Publish {
    /// Its name, as in `[publish.NAME]`.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Embedded => "embedded",
            Self::Statuspage(_) => "statuspage",
        }
    }

    /// The secrets that it takes.
    pub(super) fn secrets(&self) -> Vec<SecretRef> {
        match self {
            Self::Embedded => Vec::new(),
            Self::Statuspage(page) => vec![page.token.clone()],
        }
    }
}

impl Platform {
    /// The lanes to its status APIs. The first that is a page in Statuspage's dialect is called as
    /// the platform is, whatever else there is: its saved state is found again under that name.
    pub fn lanes(&self) -> impl Iterator<Item = (LaneId, &Publish)> {
        let is_page = |publish: &Publish| match publish {
            Publish::Embedded | Publish::Statuspage(_) => true,
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
