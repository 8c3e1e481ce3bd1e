//! A body to send: the text itself, or the file that it is in.

use std::sync::Arc;

use serde_json::{Value, json};

use super::super::plan::RequestBody;
use super::super::problem::Problems;
use super::super::reader::{Key, Node, Reader, Section, Setting, read_section, section_schema};
use super::secret::SecretPath;

const FILE: Key<SecretPath> = Key::new("file", "The file that holds the body: an absolute path.");

impl Setting for RequestBody {
    const EXPECTED: &'static str = "a text, or { file = \"/etc/farol/body.json\" }";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        if let Some(table) = node.get_ref().as_table() {
            read_section::<Table>(node.span(), table, problems).map(|table| table.0)
        } else if let Some(text) = node.get_ref().as_str() {
            Some(Self::Inline(Arc::from(text.as_bytes())))
        } else {
            Self::wrong_type(node, problems)
        }
    }

    fn schema() -> Value {
        json!({ "anyOf": [{ "type": "string" }, section_schema::<Table>()] })
    }
}

struct Table(RequestBody);

impl Section for Table {
    const NAME: &'static str = "`body`";

    fn read_keys(table: &mut Reader<'_, '_, '_>) -> Option<Self> {
        Some(Self(RequestBody::File(table.require(&FILE)?.into_inner().0)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::read;
    use super::RequestBody;

    #[test]
    fn a_text_or_a_file() {
        assert_eq!(read("'{}'"), Ok(RequestBody::from(*b"{}")));
        assert_eq!(read("{ file = '/b' }"), Ok(RequestBody::File("/b".into())));
        for (text, code) in
            [("{ file = 'b' }", "invalid_secret"), ("{}", "missing_key"), ("7", "wrong_type")]
        {
            assert!(read::<RequestBody>(text).unwrap_err().starts_with(code), "{text}");
        }
    }
}
