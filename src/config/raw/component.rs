//! `[[component]]`.

use toml::Spanned;

use super::super::mistake::Mistake;
use super::super::reader::{Field, Key, Reader, Section};
use super::super::setting::id::Id;
use super::super::setting::text::{Line, VendorId};
use super::check::RawCheck;
use crate::model::MajorWhen;

const ID: Key<Id> = Key::new("id", "The component's id; without it, made from the name.");
const NAME: Key<Line<200>> = Key::new("name", "The component's name, for the public.");
const GROUP: Key<Line<200>> = Key::new("group", "The group that it stands in on the page.");
const DESCRIPTION: Key<Line<1000>> = Key::new("description", "What it is, for the page.");
const DEPENDS_ON: Key<Vec<Spanned<Id>>> = Key::new(
    "depends_on",
    "The ids of the components that it cannot do without: its trouble is part of theirs.",
);
const MAJOR_WHEN: Key<MajorWhen> = Key::new(
    "major_when",
    "How many of its checks must be in a major outage for it to be in one; without it, one is enough.",
);
const STATUSPAGE_ID: Key<VendorId> = Key::new(
    "statuspage_id",
    "Its id on the Statuspage page; needed if the platform is published there.",
);
const CACHET_ID: Key<VendorId> =
    Key::new("cachet_id", "Its id in Cachet; needed if the platform is published there.");
const INCIDENT_IO_ID: Key<VendorId> =
    Key::new("incident_io_id", "Its id at incident.io; needed if the platform is published there.");
const INSTATUS_ID: Key<VendorId> =
    Key::new("instatus_id", "Its id at Instatus; needed if the platform is published there.");
const CHECK: Key<Vec<Spanned<RawCheck>>> = Key::new("check", "The checks that speak for it.");

/// A component's id at one page.
pub(in super::super) struct PageId {
    /// The page, as in `[publish.NAME]`.
    pub(in super::super) page: &'static str,
    pub(in super::super) key: &'static str,
    pub(in super::super) id: Field<VendorId>,
}

impl PageId {
    fn ask(table: &mut Reader<'_, '_, '_>, page: &'static str, key: &Key<VendorId>) -> Self {
        Self { page, key: key.name(), id: table.take(key) }
    }
}

/// `[[component]]`.
pub(in super::super) struct RawComponent {
    pub(in super::super) id: Field<Id>,
    pub(in super::super) name: Option<Spanned<Line<200>>>,
    pub(in super::super) group: Field<Line<200>>,
    pub(in super::super) description: Field<Line<1000>>,
    pub(in super::super) depends_on: Field<Vec<Spanned<Id>>>,
    pub(in super::super) major_when: Field<MajorWhen>,
    /// Its id at each page that has ids of its own, by the page's name, with the key.
    pub(in super::super) page_ids: [PageId; 4],
    pub(in super::super) checks: Option<Vec<Spanned<RawCheck>>>,
}

impl Section for RawComponent {
    const NAME: &'static str = "[[component]]";

    fn read_keys(table: &mut Reader<'_, '_, '_>) -> Option<Self> {
        Some(Self {
            id: table.take(&ID),
            name: table.require(&NAME),
            group: table.take(&GROUP),
            description: table.take(&DESCRIPTION),
            depends_on: table.take(&DEPENDS_ON),
            major_when: table.take(&MAJOR_WHEN),
            page_ids: [
                PageId::ask(table, "statuspage", &STATUSPAGE_ID),
                PageId::ask(table, "cachet", &CACHET_ID),
                PageId::ask(table, "incident_io", &INCIDENT_IO_ID),
                PageId::ask(table, "instatus", &INSTATUS_ID),
            ],
            checks: table.require_or(&CHECK, Mistake::NoChecks).map(Spanned::into_inner),
        })
    }
}
