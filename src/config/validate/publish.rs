//! Where a platform is published, when all that the file says of it is taken together, and what its
//! components are called there.

use std::collections::BTreeMap;
use std::ops::Range;

use super::super::mistake::Mistake;
use super::super::plan::Publish;
use super::super::problem::Problems;
use super::super::raw::component::PageId;
use super::super::raw::publish::RawPublish;
use super::super::reader::Field;
use super::super::setting::duration::Duration;
use crate::model::Publishing;

/// The targets, and how much is published; `None` if something of it is wrong.
///
/// 1. With pages there are those that are named, and no other.
/// 2. Without any there is the page that farol itself serves: what wakes somebody replaces no page.
pub(super) fn publish(raw: Field<RawPublish>) -> Option<(Vec<Publish>, Publishing)> {
    let default = Publishing::default();
    let Some(raw) = raw.optional()? else { return Some((vec![Publish::Embedded], default)) };
    let publishing = Publishing {
        modes: raw.mode.or(default.modes)?,
        draft_expires: raw.draft_expires.or(Duration(default.draft_expires))?.0,
        approve_after: raw.auto_approve_after.optional()?.map(|after| after.0),
        late: raw.publish_late.or(default.late)?,
        postmortem: raw.postmortem.or(default.postmortem)?,
    };
    let mut targets = raw.targets.into_iter().collect::<Option<Vec<_>>>()?;
    if !targets.iter().any(Publish::is_page) {
        targets.insert(0, Publish::Embedded);
    }
    Some((targets, publishing))
}

/// The targets that the file names.
pub(super) fn named(raw: &Field<RawPublish>) -> Vec<&'static str> {
    match raw {
        Field::Given(publish) => publish.get_ref().named.clone(),
        Field::Absent | Field::Wrong => Vec::new(),
    }
}

/// A component needs an id at each page that the platform is published to.
pub(super) fn an_id_for_each(
    ids: &[PageId],
    published_to: &[&str],
    component: &Range<usize>,
    problems: &mut Problems<'_>,
) {
    for PageId { page, key, id } in ids {
        if published_to.contains(page) && matches!(id, Field::Absent) {
            problems.report(component.clone(), Mistake::NoPageId { key, page });
        }
    }
}

/// No two components may have one id at a page: they would overwrite each other's status.
pub(super) fn no_id_twice(
    ids: &[PageId],
    known: &mut BTreeMap<(&'static str, String), Range<usize>>,
    problems: &mut Problems<'_>,
) {
    for PageId { key, id, .. } in ids {
        let Field::Given(id) = id else { continue };
        let text = id.get_ref().0.clone();
        if let Some(first) = known.get(&(*key, text.clone())) {
            let places = [(id.span(), Some("again")), (first.clone(), Some("first"))];
            problems.report_all(places, Mistake::DuplicatePageId { key, id: text });
        } else {
            known.insert((key, text), id.span());
        }
    }
}
