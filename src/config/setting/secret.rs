//! References to secrets: `{ env = "NAME" }`, `{ file = "/run/secrets/name" }`; never a value.

use std::path::PathBuf;

use serde_json::{Value, json};
use toml::de::DeValue;

use super::super::mistake::Mistake;
use super::super::problem::Problems;
use super::super::reader::{Field, Key, Node, Reader, Section, Setting, section_schema};
use super::super::secret::SecretRef;

const ENV: Key<EnvName> = Key::new("env", "The environment variable that holds the secret.");
const FILE: Key<SecretPath> = Key::new("file", "The file that holds the secret: an absolute path.");
const KINDS: &[&str] = &["env", "file"];

impl Setting for SecretRef {
    const EXPECTED: &'static str = "{ env = \"NAME\" } or { file = \"/run/secrets/name\" }";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        match node.get_ref() {
            DeValue::String(_) => {
                problems.hide(node.span());
                problems.report(node.span(), Mistake::PlainSecret { what: "a secret" });
                None
            }
            DeValue::Table(_) => Reference::read(node, problems).map(|reference| reference.0),
            DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_)
            | DeValue::Array(_) => {
                problems.hide(node.span());
                Self::wrong_type(node, problems)
            }
        }
    }

    fn schema() -> Value {
        section_schema::<Reference>()
    }
}

struct Reference(SecretRef);

impl Section for Reference {
    const NAME: &'static str = "a reference to a secret";

    fn read_keys(table: &mut Reader<'_, '_, '_>) -> Option<Self> {
        ask(table).map(Self)
    }
}

/// Asks for the keys of a reference; a table may have others beside them.
pub(in super::super) fn ask(table: &mut Reader<'_, '_, '_>) -> Option<SecretRef> {
    table.exactly_one(KINDS);
    match (table.take(&ENV), table.take(&FILE)) {
        (Field::Given(env), Field::Absent) => Some(SecretRef::Env(env.into_inner().0)),
        (Field::Absent, Field::Given(file)) => Some(SecretRef::File(file.into_inner().0)),
        _ => None,
    }
}

/// Whether what is called so is likely to be secret.
pub(crate) fn looks_secret(name: &str) -> bool {
    const WHOLE: [&str; 4] = ["authorization", "proxy-authorization", "cookie", "api-key"];
    const PARTS: [&str; 7] =
        ["token", "secret", "password", "passwd", "apikey", "api-key", "credential"];
    let name = name.to_lowercase().replace('_', "-");
    WHOLE.contains(&name.as_str()) || PARTS.iter().any(|part| name.contains(part))
}

struct EnvName(String);

impl Setting for EnvName {
    const EXPECTED: &'static str = "the name of an environment variable";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        let name = Self::text(node, problems)?;
        let good = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let starts = name.bytes().next().is_some_and(|first| !first.is_ascii_digit());
        if starts && name.bytes().all(good) {
            return Some(Self(name));
        }
        // It may well be the secret itself.
        problems.hide(node.span());
        let trouble = "this cannot be the name of an environment variable";
        problems.report(node.span(), Mistake::InvalidSecret { trouble });
        None
    }

    fn schema() -> Value {
        json!({ "type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*$" })
    }
}

/// The absolute path of a file.
pub(in super::super) struct SecretPath(pub(in super::super) PathBuf);

impl Setting for SecretPath {
    const EXPECTED: &'static str = "the absolute path of a file";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        let path = PathBuf::from(Self::text(node, problems)?);
        // A relative path would lead elsewhere in a container than on a desk.
        if path.is_absolute() {
            return Some(Self(path));
        }
        problems.hide(node.span());
        let trouble = "a secret's file must be given with its absolute path";
        problems.report(node.span(), Mistake::InvalidSecret { trouble });
        None
    }

    fn schema() -> Value {
        json!({ "type": "string", "pattern": "^/" })
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::read;
    use super::looks_secret;
    use crate::config::SecretRef;

    #[test]
    fn references_and_never_values() {
        assert_eq!(read("{ env = 'TOKEN' }"), Ok(SecretRef::Env("TOKEN".to_owned())));
        assert_eq!(read("{ file = '/run/x' }"), Ok(SecretRef::File("/run/x".into())));
        for (text, code) in [
            ("'s3cr3t'", "plain_secret"),
            ("12345", "wrong_type"),
            ("{}", "none_of"),
            ("{ env = 'A', file = '/b' }", "several_of"),
            ("{ env = 'Bearer abc' }", "invalid_secret"),
            ("{ env = '' }", "invalid_secret"),
            ("{ file = 'token' }", "invalid_secret"),
            ("{ value = 'x' }", "none_of"),
        ] {
            let words = read::<SecretRef>(text).unwrap_err();
            assert!(words.contains(code), "{text}: {words}");
            assert!(!words.contains("s3cr3t"));
        }
    }

    #[test]
    fn knows_what_is_secret_by_its_name() {
        for name in ["Authorization", "COOKIE", "X-Api-Key", "x-auth-token", "client_secret"] {
            assert!(looks_secret(name), "{name}");
        }
        for name in ["Accept", "User-Agent", "X-Request-Id"] {
            assert!(!looks_secret(name), "{name}");
        }
    }
}
