//! Parameters whose names tell that their values are secret, in a URL or whatever quotes one. Pure.

use super::{HIDDEN, is_secret_name};

/// What logins pass on in URLs, beside what any name tells.
const NAMES: [&str; 22] = [
    "code",
    "state",
    "nonce",
    "samlresponse",
    "samlrequest",
    "relaystate",
    "assertion",
    "ticket",
    "pwd",
    "pass",
    "passcode",
    "otp",
    "totp",
    "sid",
    "sig",
    "key",
    "auth",
    "jwt",
    "client_assertion",
    "code_verifier",
    "code_challenge",
    "logout_hint",
];

/// A letter that parts what is asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    /// A parameter may begin after it.
    Before,
    /// Its value does.
    Equals,
    /// No parameter goes on over it.
    After,
    /// Any other.
    Letter,
}

/// `text` without the values of parameters that are secret by name, and without the user of a URL.
pub(super) fn hide(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let (mut rest, mut in_parameters) = (text, false);
    while !rest.is_empty() {
        let (part, length) = first(rest);
        if part == Part::Before {
            in_parameters = true;
        } else if part == Part::Equals && in_parameters {
            let name = name(&shown);
            if is_secret_name(name) || NAMES.contains(&name.to_ascii_lowercase().as_str()) {
                shown.push_str(&rest[..length]);
                rest = &rest[length..];
                let value = value(rest);
                if !value.is_empty() {
                    shown.push_str(HIDDEN);
                }
                rest = &rest[value.len()..];
                continue;
            }
        }
        shown.push_str(&rest[..length]);
        rest = &rest[length..];
    }
    without_user(&shown)
}

/// What `text` begins with, and how long that is; encoded once it means the same in a URL that is
/// another's parameter.
fn first(text: &str) -> (Part, usize) {
    let bytes = text.as_bytes();
    if let Some(code) = text.get(..3).filter(|code| code.starts_with('%')) {
        return match code.to_ascii_uppercase().as_str() {
            "%3F" | "%26" | "%23" | "%3B" => (Part::Before, 3),
            "%3D" => (Part::Equals, 3),
            _ => (Part::Letter, 3),
        };
    }
    let part = match bytes.first() {
        Some(b'?' | b'&' | b'#' | b';') => Part::Before,
        Some(b'=') => Part::Equals,
        Some(b' ' | b'\t' | b'"' | b'\'' | b'<' | b'>') => Part::After,
        _ => Part::Letter,
    };
    (part, text.chars().next().map_or(1, char::len_utf8))
}

/// The name that stands at the end of `shown`.
fn name(shown: &str) -> &str {
    let is_of_names =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '[' | ']');
    let start = shown.rfind(|c| !is_of_names(c)).map_or(0, |at| {
        // After an encoded letter its digits are no part of the name.
        let encoded = shown[at..].starts_with('%');
        (if encoded { at + 3 } else { at + shown[at..].chars().next().map_or(1, char::len_utf8) })
            .min(shown.len())
    });
    shown.get(start..).unwrap_or_default()
}

/// The value that `rest` begins with.
fn value(rest: &str) -> &str {
    let mut at = 0;
    while let Some(tail) = rest.get(at..).filter(|tail| !tail.is_empty()) {
        let (part, length) = first(tail);
        if matches!(part, Part::Before | Part::After) {
            break;
        }
        at += length;
    }
    &rest[..at]
}

/// `https://user:password@host` without what is before the host.
fn without_user(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        shown.push_str(before);
        let authority = after.find(['/', '?', '#', ' ', '"', '\'', '<', '>']);
        let (authority, tail) = after.split_at(authority.unwrap_or(after.len()));
        match authority.rsplit_once('@') {
            Some((_, host)) => shown.extend([HIDDEN, "@", host]),
            None => shown.push_str(authority),
        }
        rest = tail;
    }
    shown + rest
}
