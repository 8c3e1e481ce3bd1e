//! `[[component]]`.

use toml::Spanned;

use super::super::mistake::Mistake;
use super::super::reader::{Field, Key, Reader, Section};
use super::super::setting::id::Id;
use super::super::setting::text::{Line, VendorId};
use super::check::RawCheck;

const ID: Key<Id> = Key::new("id", "The component's id; without it, made from the name.");
const NAME: Key<Line<200>> = Key::new("name", "The component's name, for the public.");
const GROUP: Key<Line<200>> = Key::new("group", "The group that it stands in on the page.");
const DESCRIPTION: Key<Line<1000>> = Key::new("description", "What it is, for the page.");
const DEPENDS_ON: Key<Vec<Spanned<Id>>> = Key::new(
    "depends_on",
    "The ids of the components that it cannot do without: its trouble is part of theirs.",
);
const STATUSPAGE_ID: Key<VendorId> = Key::new(
    "statuspage_id",
    "Its id on the Statuspage page; needed if the platform is published there.",
);
const CHECK: Key<Vec<Spanned<RawCheck>>> = Key::new("check", "The checks that speak for it.");

/// `[[component]]`.
pub(in super::super) struct RawComponent {
    pub(in super::super) id: Field<Id>,
    pub(in super::super) name: Option<Spanned<Line<200>>>,
    pub(in super::super) group: Field<Line<200>>,
    pub(in super::super) description: Field<Line<1000>>,
    pub(in super::super) depends_on: Field<Vec<Spanned<Id>>>,
    pub(in super::super) statuspage_id: Field<VendorId>,
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
            statuspage_id: table.take(&STATUSPAGE_ID),
            checks: table.require_or(&CHECK, Mistake::NoChecks).map(Spanned::into_inner),
        })
    }
}
