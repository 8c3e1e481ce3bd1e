//! Where the aliases in an answer lead. Pure.

use hickory_proto::rr::{Name, RData, Record};

use crate::model::Reason;

/// Most aliases that are followed: more than any resolver does. Each is searched for among all
/// records, so that without an end they would keep us busy.
const MOST_ALIASES: usize = 32;

/// The name at the end of the aliases that lead on from `name` among `records`, which is `name`
/// itself if there are none.
pub fn follow(records: &[Record], name: &Name) -> Result<Name, Reason> {
    let mut at = name;
    for _ in 0..=MOST_ALIASES {
        let alias = records.iter().find_map(|record| {
            let RData::CNAME(target) = &record.data else { return None };
            (record.name == *at).then_some(&target.0)
        });
        match alias {
            Some(target) => at = target,
            None => return Ok(at.clone()),
        }
    }
    let detail = format!("the aliases of {name} lead in a circle, or too far");
    Err(Reason::MalformedAnswer { detail })
}

#[cfg(test)]
mod tests {
    use hickory_proto::rr::rdata::CNAME;
    use hickory_proto::rr::{Name, RData, Record};

    use super::{MOST_ALIASES, follow};

    fn name(text: &str) -> Name {
        text.parse().unwrap()
    }

    #[test]
    fn aliases_are_followed_in_any_order_and_circles_are_left() {
        let alias =
            |from: &str, to: &str| Record::from_rdata(name(from), 1, RData::CNAME(CNAME(name(to))));
        let chain = [alias("b.", "c."), alias("A.", "b."), alias("x.", "y.")];
        assert_eq!(follow(&chain, &name("a.")).unwrap(), name("c."));
        assert_eq!(follow(&chain, &name("c.")).unwrap(), name("c."));
        assert_eq!(follow(&[], &name("a.")).unwrap(), name("a."));
        let long = |count| -> Vec<Record> {
            (0..count).map(|n| alias(&format!("a{n}."), &format!("a{}.", n + 1))).collect()
        };
        assert_eq!(follow(&long(MOST_ALIASES), &name("a0.")).unwrap(), name("a32."));
        assert!(follow(&long(MOST_ALIASES + 1), &name("a0.")).is_err());
        for circle in [&[alias("a.", "a.")][..], &[alias("a.", "b."), alias("b.", "a.")]] {
            assert_eq!(follow(circle, &name("a.")).unwrap_err().name(), "malformed_answer");
        }
    }
}
