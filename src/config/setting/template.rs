//! Texts with variables in them: `"/api/{{id}}"`. Whether there is such a variable is found out
//! where it is known what comes before.

use std::ops::Range;

use http::{HeaderName, HeaderValue};
use serde_json::{Value, json};
use toml::Spanned;
use toml::de::DeValue;

use super::super::mistake::Mistake;
use super::super::plan::HeaderText;
use super::super::plan::login::{JsonTemplate, Template, TemplateHeader, TemplatePart, Variable};
use super::super::problem::Problems;
use super::super::reader::{Node, Setting, section_schema};
use super::header::{SecretText, read_headers};
use super::literal::Literal;
use super::secret::looks_secret;

impl Template {
    /// Splits a text at its variables. A `{{` that is not closed is written as it is.
    pub(in super::super) fn parse(text: &str) -> Self {
        let mut parts = Vec::new();
        let plain = |text: &str| (!text.is_empty()).then(|| TemplatePart::Text(text.into()));
        let mut rest = text;
        while let Some((head, (name, tail))) =
            rest.split_once("{{").and_then(|(head, open)| Some((head, open.split_once("}}")?)))
        {
            parts.extend(plain(head));
            parts.push(TemplatePart::Variable(Variable::named(name.trim())));
            rest = tail;
        }
        parts.extend(plain(rest));
        Self(parts)
    }

    /// The beginning of a variable that is not closed.
    pub(in super::super) fn open(&self) -> Option<&str> {
        let TemplatePart::Text(last) = self.0.last()? else { return None };
        let (_, open) = last.split_once("{{")?;
        let begins = open.trim_start().starts_with(|first: char| first.is_ascii_alphabetic());
        last.get(last.len() - open.len() - 2..).filter(|_| begins)
    }

    /// What a step has extracted as `name`, alone.
    pub(in super::super) fn of(name: &str) -> Self {
        Self(vec![TemplatePart::Variable(Variable::Extracted(name.into()))])
    }

    /// The text, if there are no variables in it.
    pub(in super::super) fn constant(&self) -> Option<String> {
        let text = |part: &TemplatePart| match part {
            TemplatePart::Text(text) => Some(text.to_string()),
            TemplatePart::Variable(_) => None,
        };
        self.0.iter().map(text).collect()
    }

    fn is_constant(&self) -> bool {
        self.variables().next().is_none()
    }
}

/// Whether `name` can be that of a variable, or of a part of one: letters, digits and `_`.
pub(in super::super) fn is_identifier(name: &str) -> bool {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    name.len() <= 64
        && name.bytes().next().is_some_and(|first| first.is_ascii_alphabetic())
        && name.bytes().all(good)
}

impl Variable {
    /// The words that no step can give to what it extracts.
    pub(in super::super) const RESERVED: [&str; 6] =
        ["user", "password", "totp", "run", "random", "challenge"];

    /// What is meant by a name. One that nobody has heard of is looked for among what steps have
    /// extracted, and not found.
    fn named(name: &str) -> Self {
        match (name, name.split_once('.')) {
            ("user", _) => Self::User,
            ("password", _) => Self::Password,
            ("totp", _) => Self::Totp,
            ("run", _) => Self::Run,
            (_, Some(("random", own))) if is_identifier(own) => Self::Random(own.into()),
            (_, Some(("challenge", own))) if is_identifier(own) => Self::Challenge(own.into()),
            (name, _) => Self::Extracted(name.into()),
        }
    }
}

impl Setting for Template {
    const EXPECTED: &'static str = "a text in quotes";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        Self::text(node, problems).map(|text| Self::parse(&text))
    }

    fn schema() -> Value {
        json!({ "type": "string" })
    }
}

/// The fields of a form or of a query, in the order of their names.
pub(in super::super) struct Fields(pub(in super::super) Vec<(String, Spanned<Template>)>);

impl Setting for Fields {
    const EXPECTED: &'static str = "a table such as { user = \"{{user}}\" }";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        let DeValue::Table(table) = node.get_ref() else {
            return Self::wrong_type(node, problems);
        };
        let fields: Vec<_> = table
            .iter()
            .map(|(name, value)| {
                let text = read_field(name.get_ref(), value, problems)?;
                Some((name.get_ref().to_string(), Spanned::new(value.span(), text)))
            })
            .collect();
        fields.into_iter().collect::<Option<_>>().map(Self)
    }

    fn schema() -> Value {
        json!({ "type": "object", "additionalProperties": {
            "anyOf": [{ "type": "string" }, section_schema::<SecretText>()]
        } })
    }
}

fn read_field(name: &str, node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Template> {
    if node.get_ref().is_table() {
        return Some(match SecretText::read(node, problems)?.0 {
            HeaderText::Secret { prefix, secret } => {
                let mut text = Template::parse(&prefix);
                text.0.push(TemplatePart::Variable(Variable::Secret(secret)));
                text
            }
            HeaderText::Plain(_) => return None,
        });
    }
    let text = Template::read(node, problems)?;
    if looks_secret(name) && text.is_constant() && !text.0.is_empty() {
        refuse_plain(node.span(), "the value of this field", problems);
        return None;
    }
    Some(text)
}

fn refuse_plain(span: Range<usize>, what: &'static str, problems: &mut Problems<'_>) {
    problems.hide(span.clone());
    problems.report(span, Mistake::PlainSecret { what });
}

/// The headers of a step.
pub(in super::super) struct TemplateHeaders(
    pub(in super::super) Vec<(HeaderName, Spanned<TemplateHeader>)>,
);

impl Setting for TemplateHeaders {
    const EXPECTED: &'static str = "a table such as { X-CSRF = \"{{token}}\" }";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        let DeValue::Table(table) = node.get_ref() else {
            return Self::wrong_type(node, problems);
        };
        read_headers(table, read_header, problems).map(Self)
    }

    fn schema() -> Value {
        Fields::schema()
    }
}

fn read_header(
    name: &HeaderName,
    node: &Node<'_>,
    problems: &mut Problems<'_>,
) -> Option<Spanned<TemplateHeader>> {
    let at = |header| Some(Spanned::new(node.span(), header));
    if node.get_ref().is_table() {
        return at(TemplateHeader::Text(SecretText::read(node, problems)?.0));
    }
    let text = Template::read(node, problems)?;
    if looks_secret(name.as_str()) && text.is_constant() {
        refuse_plain(node.span(), "the value of this header", problems);
        return None;
    }
    let good = text.0.iter().all(|part| match part {
        TemplatePart::Text(text) => HeaderValue::from_str(text).is_ok(),
        TemplatePart::Variable(_) => true,
    });
    if !good {
        problems.report(node.span(), Mistake::InvalidHeader { part: "value" });
        return None;
    }
    at(TemplateHeader::Template(text))
}

impl Setting for JsonTemplate {
    const EXPECTED: &'static str = Literal::EXPECTED;

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        Some(match node.get_ref() {
            DeValue::String(text) => Self::Text(Template::parse(text)),
            DeValue::Array(items) => {
                let items: Vec<_> = items.iter().map(|item| Self::read(item, problems)).collect();
                Self::List(items.into_iter().collect::<Option<_>>()?)
            }
            DeValue::Table(table) => {
                let entries: Vec<_> = table
                    .iter()
                    .map(|(key, value)| {
                        let name = key.get_ref().as_ref();
                        Some((name.to_owned(), read_entry(name, value, problems)?))
                    })
                    .collect();
                Self::Object(entries.into_iter().collect::<Option<_>>()?)
            }
            DeValue::Boolean(_)
            | DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Datetime(_) => Self::Plain(Literal::read(node, problems)?.0),
        })
    }

    fn schema() -> Value {
        Literal::schema()
    }
}

/// A value in an object: what is called a password is none in plain text.
fn read_entry(name: &str, node: &Node<'_>, problems: &mut Problems<'_>) -> Option<JsonTemplate> {
    let value = JsonTemplate::read(node, problems)?;
    if let JsonTemplate::Text(text) = &value
        && looks_secret(name)
        && text.is_constant()
        && !text.0.is_empty()
    {
        refuse_plain(node.span(), "the value of this field", problems);
        return None;
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::super::super::plan::login::{JsonTemplate, Template, TemplatePart, Variable};
    use super::super::tests::read;
    use super::{Fields, TemplateHeaders};

    fn text(text: &str) -> TemplatePart {
        TemplatePart::Text(text.into())
    }

    #[test]
    fn texts_are_split_at_their_variables() {
        let extracted = |name: &str| TemplatePart::Variable(Variable::Extracted(name.into()));
        for (written, parts) in [
            ("", vec![]),
            ("/login", vec![text("/login")]),
            ("/a/{{ id }}?b", vec![text("/a/"), extracted("id"), text("?b")]),
            ("{{user}}{{run}}", [Variable::User, Variable::Run].map(TemplatePart::Variable).into()),
            ("{{random.a}}", vec![TemplatePart::Variable(Variable::Random("a".into()))]),
            ("{{challenge.a}}", vec![TemplatePart::Variable(Variable::Challenge("a".into()))]),
            // These nobody can have extracted, and so they are told as unknown.
            ("{{random.}}", vec![extracted("random.")]),
            ("{{}}", vec![extracted("")]),
            ("{ {{ }", vec![text("{ {{ }")]),
            ("}}{{", vec![text("}}{{")]),
        ] {
            assert_eq!(Template::parse(written).0, parts, "{written}");
        }
    }

    #[test]
    fn what_is_called_secret_is_not_written_in_plain() {
        assert!(read::<Fields>("{ token = '{{t}}', secret = { env = 'S' }, a = 'b' }").is_ok());
        assert!(read::<TemplateHeaders>("{ Authorization = 'Bearer {{t}}', A = 'b' }").is_ok());
        assert!(read::<JsonTemplate>("{ a = [1, true, { b = '{{c}}' }], password = '' }").is_ok());
        for words in [
            read::<Fields>("{ token = 'hush' }").map(drop),
            read::<TemplateHeaders>("{ Authorization = 'Bearer hush' }").map(drop),
            read::<JsonTemplate>("[{ password = 'hush' }]").map(drop),
        ] {
            let words = words.unwrap_err();
            assert!(words.starts_with("plain_secret") && !words.contains("hush"), "{words}");
        }
        for (written, code) in [
            ("{ Host = 'a' }", "reserved_header"),
            ("{ A = \"\\n{{b}}\" }", "invalid_header"),
            ("{ A = '1', a = '2' }", "duplicate_header"),
        ] {
            let words = read::<TemplateHeaders>(written).map(drop).unwrap_err();
            assert!(words.starts_with(code), "{written}: {words}");
        }
    }
}
