//! Paths into JSON, as RFC 9535 writes them: `"$.agents[*].updated_at"`.

use serde_json::{Value, json};
use serde_json_path::JsonPath;

use super::super::mistake::{Mistake, shorten};
use super::super::problem::Problems;
use super::super::reader::{Node, Setting};

/// Longer ones are programs; those belong to the target.
const LONGEST: usize = 500;

/// A path, as written and compiled.
#[derive(Clone, Debug)]
pub(in super::super) struct Path(pub(in super::super) String, pub(in super::super) JsonPath);

impl Setting for Path {
    const EXPECTED: &'static str = "a JSON path such as \"$.status\"";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        let text = Self::text(node, problems)?;
        let reason = match JsonPath::parse(&text) {
            Ok(_) if text.chars().count() > LONGEST => format!("longer than {LONGEST} characters"),
            Ok(path) => return Some(Self(text, path)),
            Err(_) if !text.starts_with('$') => "it does not begin with `$`".to_owned(),
            Err(error) => shorten(&error.to_string()),
        };
        problems.report(node.span(), Mistake::InvalidJsonPath { got: shorten(&text), reason });
        None
    }

    fn schema() -> Value {
        json!({ "type": "string", "pattern": r"^\$", "maxLength": LONGEST })
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::read;
    use super::Path;

    #[test]
    fn takes_what_the_rfc_knows() {
        for text in ["$", "$.a.b", "$['a b'][0]", "$..id", "$.a[?@.b > 5].c", "$.a[1:3]"] {
            assert!(read::<Path>(&format!("\"{text}\"")).is_ok(), "{text}");
        }
        for text in ["''", "'a.b'", "'$.'", "'$['", "'$.a['", "'$.a b'"] {
            let words = read::<Path>(text).unwrap_err();
            assert!(words.starts_with("invalid_json_path"), "{text}: {words}");
        }
        assert!(read::<Path>(&format!("'${}'", ".a".repeat(250))).is_err());
        assert!(read::<Path>("7").unwrap_err().starts_with("wrong_type"));
    }
}
