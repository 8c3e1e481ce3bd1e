//! Domain names.

use hickory_proto::rr::Name;
use serde_json::{Value, json};

use super::super::mistake::{Mistake, shorten};
use super::super::problem::Problems;
use super::super::reader::{Node, Setting};

/// A name, taken as fully qualified whether or not it ends with a dot: a probe must not depend on
/// the search list of the host that it runs on.
impl Setting for Name {
    const EXPECTED: &'static str = "a domain name in quotes";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        let text = Self::text(node, problems)?;
        let reason = match text.as_str() {
            "" => "it is empty".to_owned(),
            text => match Self::from_utf8(text) {
                Ok(mut name) => {
                    name.set_fqdn(true);
                    return Some(name);
                }
                // Some of its words end in a colon with nothing after it.
                Err(error) => error.to_string().trim_end_matches([':', ' ']).to_lowercase(),
            },
        };
        problems.report(node.span(), Mistake::InvalidDomain { got: shorten(&text), reason });
        None
    }

    fn schema() -> Value {
        json!({ "type": "string", "minLength": 1 })
    }
}

#[cfg(test)]
mod tests {
    use hickory_proto::rr::Name;

    use super::super::tests::read;

    #[test]
    fn names_are_absolute() {
        for (text, name) in [
            ("'desk.example'", "desk.example."),
            ("'desk.example.'", "desk.example."),
            ("'_sip._tcp.example'", "_sip._tcp.example."),
            ("'.'", "."),
        ] {
            assert_eq!(read::<Name>(text).unwrap().to_string(), name);
        }
        for text in ["''", "'a..b'", "'a b'", "'-a.example'"] {
            assert!(read::<Name>(text).unwrap_err().starts_with("invalid_domain"), "{text}");
        }
        assert!(read::<Name>(&format!("'{}.example'", "a".repeat(64))).is_err());
    }
}
