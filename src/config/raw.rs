//! Step one: a probe file as it was written. Every setting is of its own type and knows its place;
//! none has been weighed against another yet.

pub(super) mod check;
mod clock;
pub(super) mod component;
pub(super) mod dns;
mod dns_expect;
pub(super) mod expect;
pub(super) mod grpc;
pub(super) mod http;
pub(super) mod http_client;
pub(super) mod icmp;
pub(super) mod login;
pub(super) mod maintenance;
mod pagers;
pub(super) mod papers;
pub(super) mod platform;
pub(super) mod prober;
pub(super) mod publish;
mod script;
pub(super) mod tcp;
pub(super) mod tls;
pub(super) mod tuning;
pub(super) mod websocket;
pub(super) mod words;

use toml::Spanned;

use super::mistake::Mistake;
use super::reader::{Field, Key, Reader, Section};
use super::variables::VARIABLES;
use component::RawComponent;
use maintenance::RawMaintenance;
use platform::RawPlatform;
use publish::RawPublish;
use tuning::RawTuning;
use words::RawWords;

const PLATFORM: Key<RawPlatform> =
    Key::new("platform", "The platform that this file is about, and how its incidents are led.");
const PUBLISH: Key<RawPublish> = Key::new(
    "publish",
    "Where incidents are published; without it, on the status page that farol itself serves.",
);
const DEFAULTS: Key<RawTuning> =
    Key::new("defaults", "What holds for every check that does not say otherwise.");
const COMPONENT: Key<Vec<Spanned<RawComponent>>> =
    Key::new("component", "What customers see on the status page, in its order.");
const MAINTENANCE: Key<Vec<Spanned<RawMaintenance>>> =
    Key::new("maintenance", "Work that is announced: while it lasts, its components open nothing.");
const WORDS: Key<RawWords> =
    Key::new("words", "What the public reads in words of your own; without it, farol's.");

/// A probe file.
pub(super) struct RawFile {
    pub(super) platform: Option<Spanned<RawPlatform>>,
    pub(super) publish: Field<RawPublish>,
    pub(super) defaults: Field<RawTuning>,
    pub(super) components: Option<Vec<Spanned<RawComponent>>>,
    pub(super) maintenances: Field<Vec<Spanned<RawMaintenance>>>,
    pub(super) words: Field<RawWords>,
}

impl Section for RawFile {
    const NAME: &'static str = "the probe file";

    fn read_keys(table: &mut Reader<'_, '_, '_>) -> Option<Self> {
        let _ = table.take(&VARIABLES);
        Some(Self {
            platform: table.require(&PLATFORM),
            publish: table.take(&PUBLISH),
            defaults: table.take(&DEFAULTS),
            components: table
                .require_or(&COMPONENT, Mistake::EmptyPlatform)
                .map(Spanned::into_inner),
            maintenances: table.take(&MAINTENANCE),
            words: table.take(&WORDS),
        })
    }
}
