//! Where a platform is published, when all that the file says of it is taken together.

use super::super::plan::Publish;
use super::super::raw::publish::RawPublish;
use super::super::reader::Field;

/// The targets, none of which is the file's fault if there is nothing to read.
///
/// 1. Without any target there is the page that farol itself serves.
/// 2. With targets there are these alone.
pub(super) fn publish(raw: Field<RawPublish>) -> Option<Vec<Publish>> {
    let named = raw.optional()?.unwrap_or_default().targets;
    let mut targets = named.into_iter().collect::<Option<Vec<_>>>()?;
    if targets.is_empty() {
        targets.push(Publish::Embedded);
    }
    Some(targets)
}

/// The targets that the file names.
pub(super) fn named(raw: &Field<RawPublish>) -> Vec<&'static str> {
    match raw {
        Field::Given(publish) => publish.get_ref().named.clone(),
        Field::Absent | Field::Wrong => Vec::new(),
    }
}
