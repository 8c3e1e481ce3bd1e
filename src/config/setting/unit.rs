//! Texts that are a number and its unit: what they share.

use toml::de::DeValue;

use super::super::mistake::{Mistake, shorten};
use super::super::problem::Problems;
use super::super::reader::{Node, Setting};

/// Reads with `parse` what has a unit, one of `units`, and so is a text; a bare number is told so.
pub(super) fn read_with_unit<T: Setting>(
    node: &Node<'_>,
    problems: &mut Problems<'_>,
    units: &'static [&'static str],
    parse: impl FnOnce(&str) -> Result<T, Mistake>,
) -> Option<T> {
    let read = match node.get_ref() {
        DeValue::String(text) => parse(text),
        DeValue::Integer(_) | DeValue::Float(_) => {
            Err(Mistake::NoUnit { got: shorten(problems.text(node.span())), units })
        }
        DeValue::Boolean(_) | DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => {
            return T::wrong_type(node, problems);
        }
    };
    read.map_err(|mistake| problems.report(node.span(), mistake)).ok()
}
