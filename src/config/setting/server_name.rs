//! The name that a certificate must be for, where it is not the host's.

use rustls::pki_types::DnsName;
use serde_json::{Value, json};

use super::super::problem::Problems;
use super::super::reader::{Node, Setting};
use super::place::or_report;

/// A name as SNI carries it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct ServerName(pub(in super::super) String);

impl Setting for ServerName {
    const EXPECTED: &'static str = "a name such as \"mail.example\"";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        let text = Self::text(node, problems)?;
        // A name in another script is sent in its ASCII form.
        let name = url::Host::parse(&text).map_err(|error| error.to_string()).and_then(|host| {
            let name = host.to_string();
            DnsName::try_from(name.as_str()).map_err(|error| error.to_string())?;
            Ok(Self(name))
        });
        or_report(name, &text, node, problems)
    }

    fn schema() -> Value {
        json!({ "type": "string", "minLength": 1 })
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::read;
    use super::ServerName;

    #[test]
    fn names_and_nothing_else() {
        for (text, name) in
            [("'Mail.example'", "mail.example"), ("'correção.example'", "xn--correo-7ta5a.example")]
        {
            assert_eq!(read(text), Ok(ServerName(name.to_owned())), "{text}");
        }
        for text in ["''", "'a b'", "'192.0.2.1'", "'https://mail.example'", "'a..b'"] {
            assert!(read::<ServerName>(text).unwrap_err().starts_with("invalid_domain"), "{text}");
        }
    }
}
