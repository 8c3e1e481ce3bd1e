//! The body of a webhook, as its receiver wants it: a template that makes JSON.
//!
//! What is filled in is written as JSON, quotes and all, so that no text can break out of its
//! place. A template is tried when it is read: with a text that has quotes and line breaks.

use minijinja::{AutoEscape, Environment, UndefinedBehavior};
use serde_json::{Value, json};

/// The name that a template has in its own messages.
const NAME: &str = "template";

/// A template that makes JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BodyTemplate(String);

/// Why a template makes no JSON.
#[derive(Debug, thiserror::Error)]
pub enum BodyTemplateError {
    /// It cannot be read, or names what there is not.
    #[error("{0:#}")]
    Template(#[from] minijinja::Error),
    /// What it makes is no JSON.
    #[error("it does not make JSON: {0}")]
    Json(#[from] serde_json::Error),
}

impl BodyTemplate {
    /// Takes a template that makes JSON of a sample.
    pub fn new(text: impl Into<String>) -> Result<Self, BodyTemplateError> {
        let template = Self(text.into());
        template.render(&Self::sample())?;
        Ok(template)
    }

    /// What it makes of an event.
    pub fn render(&self, event: &Value) -> Result<Value, BodyTemplateError> {
        let mut environment = Environment::new();
        environment.set_auto_escape_callback(|_| AutoEscape::Json);
        // A name that is misspelt is a mistake, and not an empty text.
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        let made = environment.render_named_str(NAME, &self.0, event)?;
        Ok(serde_json::from_str(&made)?)
    }

    /// An event as any may be.
    pub fn sample() -> Value {
        json!({
            "version": 1,
            "event": "open",
            "platform": "shop",
            "incident": "7k3fq2",
            "sequence": 1,
            "status": "investigating",
            "impact": "major",
            "title": "\"Checkout\" is failing\\",
            "body": "One line.\n\nAnother: {} [] \u{2028}",
            "started_at": "2021-09-15T00:00:00Z",
            "at": "2021-09-15T00:01:00Z",
            "page": null,
            "components": [{ "id": "checkout", "name": "Checkout", "status": "major_outage" }],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::BodyTemplate;

    #[test]
    fn a_text_cannot_leave_its_place() {
        let template = BodyTemplate::new(r#"{ "text": {{ title }} }"#).unwrap();
        let made = template.render(&BodyTemplate::sample()).unwrap();
        assert_eq!(made["text"], BodyTemplate::sample()["title"]);
    }

    #[test]
    fn what_makes_no_json_is_found_at_once() {
        for text in [
            r#"{ "text": "{{ title }}" }"#,
            r#"{ "text": {{ titel }} }"#,
            r#"{ "text": {{ title }"#,
            "{ text: 1 }",
            "",
        ] {
            assert!(BodyTemplate::new(text).is_err(), "{text}");
        }
    }
}
