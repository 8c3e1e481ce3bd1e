//! A webhook: each step of an incident, posted as JSON to whoever wants it.
//!
//! With a secret each call is signed as others sign theirs: HMAC-SHA256 over the time and the
//! body, so that neither can be changed nor an old call be played again. `Idempotency-Key` names
//! the step: a call whose answer was lost is made again with the same.

use std::num::NonZeroU32;

use data_encoding::HEXLOWER;
use hmac::{Hmac, Mac};
use http::Method;
use serde_json::Value;
use sha2::Sha256;

use crate::config::{BodyTemplate, Secret};
use crate::model::Timestamp;
use crate::outbox::{Outcome, Payload, Request};

use super::about::About;
use super::dialect::{Call, Caps, Conversation, Dialect, Marker, Turn};
use super::once::Once;

/// What a webhook can do.
pub(super) const CAPS: Caps = Caps {
    marker: Marker::Key,
    atomic: true,
    drafts: false,
    idempotent: true,
    clears_components: true,
    per_second: NonZeroU32::new(10).unwrap(),
    longest_title: usize::MAX,
    longest_text: usize::MAX,
};

/// Somebody who wants to be told, and of what.
#[derive(Clone, Debug)]
pub(super) struct Webhook {
    pub(super) secret: Option<Secret>,
    pub(super) template: Option<BodyTemplate>,
    pub(super) about: About,
}

impl Dialect for Webhook {
    fn begin<'a>(
        &'a self,
        request: &'a Request,
        now: Timestamp,
    ) -> Box<dyn Conversation + Send + 'a> {
        Box::new(Once::of(request, |payload| self.turn(payload, now)))
    }
}

impl Webhook {
    fn turn(&self, payload: &Payload, now: Timestamp) -> Turn {
        let event = self.about.event(payload);
        let body = match &self.template {
            None => event,
            Some(template) => match template.render(&event) {
                Ok(body) => body,
                // It was tried at the start, but not with every text that there is.
                Err(error) => {
                    let detail = format!("the template: {error}");
                    return Turn::Over(Outcome::Rejected { status: 0, detail });
                }
            },
        };
        let timestamp = now.as_micros().div_euclid(1_000_000).to_string();
        let step = format!("{}-{}", payload.key, payload.sequence);
        let mut headers = vec![("idempotency-key", step), ("x-farol-timestamp", timestamp.clone())];
        if let Some(secret) = &self.secret {
            headers.push(("x-farol-signature", signature(secret, &timestamp, &body)));
        }
        Turn::Call(Call {
            method: Method::POST,
            path: Vec::new(),
            query: Vec::new(),
            headers,
            body: Some(body),
            if_match: None,
        })
    }
}

/// `v1=` and the HMAC-SHA256 of the time, a dot and the body.
fn signature(secret: &Secret, timestamp: &str, body: &Value) -> String {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.reveal().as_bytes()) else {
        // A key of any length is a key.
        return String::new();
    };
    mac.update(timestamp.as_bytes());
    mac.update(b".");
    mac.update(body.to_string().as_bytes());
    format!("v1={}", HEXLOWER.encode(&mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{CAPS, Webhook, signature};
    use crate::config::{BodyTemplate, Secret};
    use crate::outbox::Request;
    use crate::publish::sample;

    fn webhook(template: Option<&str>) -> Webhook {
        let template = template.map(|text| BodyTemplate::new(text).unwrap());
        Webhook { secret: Some(Secret::new("hush")), template, about: sample::about() }
    }

    #[test]
    fn every_request_as_it_is_said() {
        insta::assert_snapshot!(sample::said(&webhook(None)));
    }

    #[test]
    fn every_answer_as_it_is_understood() {
        insta::assert_snapshot!(sample::heard(&webhook(None), CAPS.idempotent));
    }

    #[test]
    fn a_template_makes_another_body() {
        let webhook =
            webhook(Some(r#"{ "text": {{ title ~ ": " ~ status }}, "of": {{ components }} }"#));
        let body = sample::body_of(&webhook, &Request::Create(sample::opening()));
        assert_eq!(body["text"], "Desk is failing for \"some\" users: investigating");
        assert_eq!(body["of"][0]["id"], "crm");
    }

    /// What a template was tried with at the start has all that an event has, and no more.
    #[test]
    fn the_sample_is_an_event() {
        fn shape(value: &Value) -> Value {
            match value {
                Value::Object(object) => {
                    object.iter().map(|(key, value)| (key.clone(), shape(value))).collect()
                }
                Value::Array(rows) => rows.first().map(shape).into_iter().collect(),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => json!(0),
            }
        }
        let event = sample::about().event(&sample::opening());
        assert_eq!(shape(&event), shape(&BodyTemplate::sample()));
    }

    /// As Python's `hmac.new(b"hush", b"1631664060.{}", "sha256").hexdigest()` has it.
    #[test]
    fn a_signature_is_what_others_make_of_the_same() {
        let signed = signature(&Secret::new("hush"), "1631664060", &json!({}));
        assert_eq!(signed, "v1=568019037149d86003a4c75141903be4b9c009ed487df528e4b1577d1bbc800f");
    }
}
