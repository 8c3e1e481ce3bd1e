//! Domain names.

use hickory_proto::rr::Name;
use serde_json::{Value, json};

use super::super::problem::Problems;
use super::super::reader::{Node, Setting};
use super::place::or_report;

/// A name, taken as fully qualified whether or not it ends with a dot: a probe must not depend on
/// the search list of the host that it runs on.
impl Setting for Name {
    const EXPECTED: &'static str = "a domain name in quotes";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        let text = Self::text(node, problems)?;
        let name = match text.as_str() {
            "" => Err("it is empty".to_owned()),
            // Some of its words end in a colon with nothing after it.
            text => Self::from_utf8(text)
                .map_err(|error| error.to_string().trim_end_matches([':', ' ']).to_lowercase()),
        };
        let mut name = or_report(name, &text, node, problems)?;
        name.set_fqdn(true);
        Some(name)
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
