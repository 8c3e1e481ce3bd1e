//! What a step posts.

use std::sync::Arc;

use http::HeaderValue;
use serde_json::{Value, json};

use super::super::super::mistake::Mistake;
use super::super::super::plan::login::{JsonTemplate, PostBody, Template};
use super::super::super::problem::Problems;
use super::super::super::reader::{Field, Key, Node, Reader, Setting};
use super::super::super::setting::template::Fields;
use super::step::{Purpose, Use, used, used_fields};

const FORM: Key<Fields> = Key::new("form", "The form that a `post` sends.");
const JSON_BODY: Key<JsonTemplate> =
    Key::new("json_body", "The JSON that a `post` sends; its texts may have variables.");
const BODY: Key<Template> = Key::new("body", "What a `post` sends, as it is.");
const TYPE: Key<ContentType> =
    Key::new("type", "The `Content-Type` of `body`.").or_text("text/plain; charset=utf-8");
const KINDS: &[&str] = &["form", "json_body", "body"];

/// What kind of text a body is.
struct ContentType(Arc<str>);

impl Setting for ContentType {
    const EXPECTED: &'static str = "a type such as \"application/xml\"";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        let text = Self::text(node, problems)?;
        if text.contains('/') && HeaderValue::from_str(&text).is_ok() {
            return Some(Self(text.into()));
        }
        problems.report(node.span(), Mistake::InvalidHeader { part: "value" });
        None
    }

    fn schema() -> Value {
        json!({ "type": "string", "pattern": "/" })
    }
}

/// What is sent, as it was written.
pub(super) struct RawBody {
    form: Field<Fields>,
    json: Field<JsonTemplate>,
    body: Field<Template>,
    content_type: Field<ContentType>,
}

impl RawBody {
    pub(super) fn ask(table: &mut Reader<'_, '_, '_>) -> Self {
        Self {
            form: table.take(&FORM),
            json: table.take(&JSON_BODY),
            body: table.take(&BODY),
            content_type: table.take(&TYPE),
        }
    }

    /// What it comes to: an empty form, if nothing is said.
    pub(super) fn settle(
        self,
        table: &mut Reader<'_, '_, '_>,
        uses: &mut Vec<Use>,
    ) -> Option<PostBody> {
        let kinds: Vec<_> = table.there(KINDS).into_iter().map(|(_, span)| span).collect();
        if kinds.len() > 1 {
            table.report_all(kinds, Mistake::SeveralOf { section: "a `post`", keys: KINDS });
        }
        if matches!(self.body, Field::Absent) {
            for (key, span) in table.there(&["type"]) {
                let (trouble, help) = ("means nothing without `body`", "add it, or leave this out");
                table.report(span, Mistake::WithoutEffect { key, trouble, help });
            }
        }
        match self {
            Self { json: Field::Given(json), .. } => {
                let (span, json) = (json.span(), json.into_inner());
                let mut texts = Vec::new();
                json.collect(&mut texts);
                let note = |text: &Template| Use {
                    span: span.clone(),
                    text: text.clone(),
                    purpose: Purpose::Sent,
                };
                uses.extend(texts.into_iter().map(note));
                Some(PostBody::Json(json))
            }
            Self { body: Field::Given(body), content_type, .. } => {
                let plain = || ContentType("text/plain; charset=utf-8".into());
                let content_type = content_type.or(plain())?.0;
                Some(PostBody::Raw(used(body, Purpose::Sent, uses), content_type))
            }
            Self { json: Field::Wrong, .. } | Self { body: Field::Wrong, .. } => None,
            Self { form, .. } => used_fields(form, Purpose::Sent, uses).map(PostBody::Form),
        }
    }
}
