//! Exchanges as an HTTP Archive, <https://w3c.github.io/web-performance/specs/HAR/Overview.html>:
//! what browsers' tools open. Without bodies, and without anything that was secret. Pure.

use std::net::IpAddr;
use std::sync::Arc;

use serde_json::{Value, json};
use url::Url;

use crate::check::{Exchange, Purpose};
use crate::model::{Observation, Phase, Span, Variant};

/// What a viewer shows where a type is not known.
const NO_TYPE: &str = "x-unknown";

/// The archive of one run of the check called `name`.
pub(super) fn text(name: &str, observation: &Observation, exchanges: &[Exchange]) -> String {
    let archive = archive(name, observation, exchanges);
    format!("{archive:#}\n")
}

fn archive(name: &str, observation: &Observation, exchanges: &[Exchange]) -> Value {
    let mut pages: Vec<Page<'_>> = Vec::new();
    let mut entries = Vec::new();
    for exchange in exchanges {
        let of = (exchange.variant.as_ref(), exchange.entry, exchange.step.as_ref());
        let known = pages.iter().position(|page| page.of == of);
        let number = known.unwrap_or(pages.len());
        match pages.get_mut(number) {
            Some(page) => page.last = exchange,
            None => pages.push(Page { of, first: exchange, last: exchange }),
        }
        entries.push(entry(exchange, &page_id(number)));
    }
    let several = observation.findings.len() > 1;
    let pages: Vec<Value> = pages
        .iter()
        .enumerate()
        .map(|(number, page)| page.value(&page_id(number), name, several))
        .collect();
    let verdicts = observation.findings.iter().map(|finding| {
        let reason = finding.reason.as_ref();
        let reason = reason.map(|reason| format!(": {}: {reason}", reason.name()));
        format!("{}{}", finding.verdict, reason.unwrap_or_default())
    });
    json!({ "log": {
        "version": "1.2",
        "creator": { "name": "farol", "version": env!("CARGO_PKG_VERSION") },
        "pages": pages,
        "entries": entries,
        "comment": verdicts.collect::<Vec<_>>().join("; "),
    } })
}

fn page_id(number: usize) -> String {
    format!("page_{}", number + 1)
}

/// A step, on one address.
struct Page<'e> {
    of: (Option<&'e Variant>, Option<IpAddr>, Option<&'e Arc<str>>),
    first: &'e Exchange,
    last: &'e Exchange,
}

impl Page<'_> {
    fn value(&self, id: &str, name: &str, several: bool) -> Value {
        let (variant, address, step) = self.of;
        let variant = variant.map_or_else(String::new, |name| format!(" [{name}]"));
        let title = step.map_or(name, |step| step);
        let address = address.filter(|_| several).map(|address| format!(" at {address}"));
        let until = self.last.offset.as_micros() + self.last.phases.total().as_micros();
        let took = until.saturating_sub(self.first.offset.as_micros());
        json!({
            "startedDateTime": self.first.started_at.to_rfc3339(),
            "id": id,
            "title": format!("{title}{variant}{}", address.unwrap_or_default()),
            "pageTimings": { "onContentLoad": -1, "onLoad": millis(Span::from_micros(took)) },
        })
    }
}

fn entry(exchange: &Exchange, page: &str) -> Value {
    let mut entry = json!({
        "pageref": page,
        "startedDateTime": exchange.started_at.to_rfc3339(),
        "time": millis(exchange.phases.total()),
        "request": request(exchange),
        "response": response(exchange),
        "cache": {},
        "timings": timings(exchange),
    });
    let mut add = |key: &str, value: Option<String>| {
        value.into_iter().for_each(|value| entry[key] = Value::from(value));
    };
    add("serverIPAddress", exchange.address.map(|address| address.to_string()));
    let purpose = match exchange.purpose {
        Purpose::Answer => None,
        Purpose::Part => Some("a part of the page"),
        Purpose::Token => Some("asks for a token"),
    };
    let extracted = Some(exchange.extracted.join(", ")).filter(|names| !names.is_empty());
    let extracted = extracted.map(|names| format!("extracted {names}"));
    let comment: Vec<String> = purpose.map(str::to_owned).into_iter().chain(extracted).collect();
    add("comment", Some(comment.join("; ")).filter(|comment| !comment.is_empty()));
    entry
}

fn request(exchange: &Exchange) -> Value {
    let query: Vec<Value> = Url::parse(&exchange.url)
        .iter()
        .flat_map(|url| {
            url.query_pairs().map(|(name, value)| pair(&name, &value)).collect::<Vec<_>>()
        })
        .collect();
    let cookies = of_name(&exchange.request_headers, "cookie").flat_map(|value| value.split("; "));
    json!({
        "method": exchange.method,
        "url": exchange.url,
        "httpVersion": version(exchange),
        "cookies": cookies.map(cookie).collect::<Vec<_>>(),
        "headers": headers(&exchange.request_headers),
        "queryString": query,
        // Both would tell how long a secret is.
        "headersSize": -1,
        "bodySize": if exchange.has_body { -1 } else { 0 },
    })
}

fn response(exchange: &Exchange) -> Value {
    let Some(answer) = &exchange.answer else {
        // A status of zero and `_error` are how browsers write that nothing came.
        return json!({
            "status": 0, "statusText": "", "httpVersion": "", "cookies": [], "headers": [],
            "content": { "size": 0, "mimeType": NO_TYPE },
            "redirectURL": "", "headersSize": -1, "bodySize": -1,
            "_error": exchange.failure,
        });
    };
    let status_text = http::StatusCode::from_u16(answer.status).ok();
    let status_text = status_text.and_then(|status| status.canonical_reason()).unwrap_or_default();
    let mime_type = Some(answer.mime_type.as_str()).filter(|mime_type| !mime_type.is_empty());
    let cookies = of_name(&answer.headers, "set-cookie").map(cookie);
    let mut response = json!({
        "status": answer.status,
        "statusText": status_text,
        "httpVersion": version(exchange),
        "cookies": cookies.collect::<Vec<_>>(),
        "headers": headers(&answer.headers),
        "content": {
            "size": answer.content_bytes.unwrap_or(answer.body_bytes),
            "mimeType": mime_type.unwrap_or(NO_TYPE),
        },
        "redirectURL": exchange.redirect.as_deref().unwrap_or_default(),
        "headersSize": -1,
        "bodySize": answer.body_bytes,
    });
    if let Some(failure) = &exchange.failure {
        response["_error"] = Value::from(failure.as_str());
    }
    response
}

/// A phase that was not reached is -1 where the format has that; it wants the last three of
/// everybody. TLS counts as a part of the connecting, too.
fn timings(exchange: &Exchange) -> Value {
    let took = |phase| exchange.phases.get(phase);
    let or_none = |span: Option<Span>| span.map_or(-1.0, millis);
    let or_zero = |phase| took(phase).map_or(0.0, millis);
    let tls = took(Phase::Tls);
    let connect = took(Phase::Connect).map(|connect| {
        Span::from_micros(connect.as_micros() + tls.unwrap_or(Span::ZERO).as_micros())
    });
    json!({
        "blocked": -1,
        "dns": or_none(took(Phase::Resolve)),
        "connect": or_none(connect),
        "ssl": or_none(tls),
        "send": or_zero(Phase::Send),
        "wait": or_zero(Phase::FirstByte),
        "receive": or_zero(Phase::Transfer),
    })
}

fn version(exchange: &Exchange) -> String {
    let version = exchange.answer.as_ref().map(|answer| answer.version.as_str());
    version.map_or_else(|| "unknown".to_owned(), |version| format!("HTTP/{version}"))
}

fn headers(headers: &[(String, String)]) -> Vec<Value> {
    headers.iter().map(|(name, value)| pair(name, value)).collect()
}

fn pair(name: &str, value: &str) -> Value {
    json!({ "name": name, "value": value })
}

fn of_name<'h>(
    headers: &'h [(String, String)],
    wanted: &'static str,
) -> impl Iterator<Item = &'h str> {
    headers.iter().filter(move |(name, _)| name == wanted).map(|(_, value)| value.as_str())
}

/// A cookie as a header has it, with its attributes if there are any.
fn cookie(text: &str) -> Value {
    let mut parts = text.split(';').map(str::trim);
    let (name, value) = parts.next().and_then(|pair| pair.split_once('=')).unwrap_or_default();
    let mut cookie = pair(name, value);
    for attribute in parts {
        let (key, value) = attribute.split_once('=').unwrap_or((attribute, ""));
        match key.to_ascii_lowercase().as_str() {
            "path" => cookie["path"] = Value::from(value),
            "domain" => cookie["domain"] = Value::from(value),
            "samesite" => cookie["sameSite"] = Value::from(value),
            "httponly" => cookie["httpOnly"] = Value::from(true),
            "secure" => cookie["secure"] = Value::from(true),
            _ => {}
        }
    }
    cookie
}

fn millis(span: Span) -> f64 {
    span.as_secs_f64() * 1e3
}
