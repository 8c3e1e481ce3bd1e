//! The HAR that is written, held against what HAR 1.2 demands of every field, and what it tells.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::{farol_beside, hostile};

/// An object with these fields, and its own beside them.
fn object(required: Value, optional: Value) -> Value {
    let (Value::Object(mut properties), Value::Object(optional)) = (required, optional) else {
        panic!("fields have names");
    };
    let names: Vec<String> = properties.keys().cloned().collect();
    properties.extend(optional);
    properties.insert("comment".to_owned(), json!({ "type": "string" }));
    json!({
        "type": "object", "required": names, "properties": properties,
        "patternProperties": { "^_": {} }, "additionalProperties": false,
    })
}

/// HAR 1.2: every object with the fields that it must have and those that it may, of their types.
/// Fields of one's own begin with an underscore.
fn schema() -> Value {
    let text = json!({ "type": "string" });
    let count = json!({ "type": "integer", "minimum": -1 });
    let time = json!({ "type": "number", "minimum": 0 });
    let maybe = json!({ "oneOf": [{ "type": "number", "minimum": 0 }, { "const": -1 }] });
    let at = json!({
        "type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$",
    });
    let list = |items: Value| json!({ "type": "array", "items": items });
    let pair = object(json!({ "name": text, "value": text }), json!({}));
    let yes = json!({ "type": "boolean" });
    let cookie = object(
        json!({ "name": text, "value": text }),
        json!({ "path": text, "domain": text, "expires": at, "httpOnly": yes, "secure": yes, "sameSite": text }),
    );
    let request = object(
        json!({
            "method": text, "url": { "type": "string", "format": "uri" }, "httpVersion": text,
            "cookies": list(cookie.clone()), "headers": list(pair.clone()),
            "queryString": list(pair.clone()), "headersSize": count, "bodySize": count,
        }),
        json!({}),
    );
    let content = object(
        json!({ "size": { "type": "integer", "minimum": 0 }, "mimeType": text }),
        json!({ "compression": { "type": "integer" } }),
    );
    let response = object(
        json!({
            "status": { "type": "integer" }, "statusText": text, "httpVersion": text,
            "cookies": list(cookie), "headers": list(pair), "content": content,
            "redirectURL": text, "headersSize": count, "bodySize": count,
        }),
        json!({}),
    );
    let timings = object(
        json!({ "send": time, "wait": time, "receive": time }),
        json!({ "blocked": maybe, "dns": maybe, "connect": maybe, "ssl": maybe }),
    );
    let entry = object(
        json!({
            "startedDateTime": at, "time": time, "request": request, "response": response,
            "cache": object(json!({}), json!({})), "timings": timings,
        }),
        json!({ "pageref": text, "serverIPAddress": text, "connection": text }),
    );
    let page = object(
        json!({
            "startedDateTime": at, "id": text, "title": text,
            "pageTimings": object(json!({}), json!({ "onContentLoad": maybe, "onLoad": maybe })),
        }),
        json!({}),
    );
    let creator = object(json!({ "name": text, "version": text }), json!({}));
    let log = object(
        json!({ "version": { "const": "1.2" }, "creator": creator, "entries": list(entry) }),
        json!({ "pages": list(page), "browser": {} }),
    );
    object(json!({ "log": log }), json!({}))
}

/// The archive of the check `wanted`, which is one.
async fn archive(dir: &Path, wanted: &str) -> Value {
    let arguments = ["check", "--trace", wanted, "--har", "it.har", "p.toml"];
    let output = farol_beside(dir, &arguments).await;
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    let archive: Value = serde_json::from_slice(&fs::read(dir.join("it.har")).unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema()).unwrap();
    let wrong: Vec<String> = validator
        .iter_errors(&archive)
        .map(|error| format!("{}: {error}", error.instance_path))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for entry in archive["log"]["entries"].as_array().unwrap() {
        let pages = archive["log"]["pages"].as_array().unwrap();
        assert!(pages.iter().any(|page| page["id"] == entry["pageref"]), "{entry}");
        // TLS is a part of the connecting, and does not count twice.
        let parts = ["blocked", "dns", "connect", "send", "wait", "receive"];
        let sum: f64 =
            parts.iter().map(|part| entry["timings"][part].as_f64().unwrap().max(0.0)).sum();
        assert!((sum - entry["time"].as_f64().unwrap()).abs() < 0.001, "{entry}");
        let url: Result<url::Url, _> = entry["request"]["url"].as_str().unwrap().parse();
        assert!(url.is_ok(), "{entry}");
    }
    archive
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_archive_is_one() {
    let dir = tempfile::tempdir().unwrap();
    hostile::write(dir.path(), hostile::serve().await);
    for (name, _, _) in hostile::checks() {
        let archive = archive(dir.path(), name).await;
        assert!(!archive["log"]["entries"].as_array().unwrap().is_empty(), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_archive_tells_what_was_asked_and_answered() {
    let dir = tempfile::tempdir().unwrap();
    let address = hostile::serve().await;
    hostile::write(dir.path(), address);
    let archive = archive(dir.path(), "cookie").await;
    let [page] = &archive["log"]["pages"].as_array().unwrap()[..] else { panic!("{archive}") };
    assert_eq!(page["title"], "cookie");
    let entries = archive["log"]["entries"].as_array().unwrap();
    let [first, second] = &entries[..] else { panic!("{archive}") };
    assert_eq!(first["request"]["url"], format!("http://{address}/cookie"));
    assert_eq!(first["response"]["status"], 302);
    assert_eq!(first["response"]["redirectURL"], format!("http://{address}/json"));
    assert_eq!(first["serverIPAddress"], "127.0.0.1");
    let given = json!([{ "name": "sid", "value": "[redacted]", "path": "/", "httpOnly": true }]);
    assert_eq!(first["response"]["cookies"], given);
    assert_eq!(first["timings"]["ssl"], -1.0);
    let shown = json!([{ "name": "sid", "value": "[redacted]" }]);
    assert_eq!(second["request"]["cookies"], shown);
    assert_eq!(second["response"]["status"], 200);
    assert!(second["response"]["content"]["size"].as_u64().unwrap() > 0);
    assert!(archive["log"]["comment"].as_str().unwrap().starts_with("fail: json: "));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_failed_has_no_answer_and_its_reason() {
    let dir = tempfile::tempdir().unwrap();
    hostile::write(dir.path(), hostile::serve().await);
    let archive = archive(dir.path(), "proxy").await;
    let response = &archive["log"]["entries"][0]["response"];
    assert_eq!(response["status"], 0);
    let error = response["_error"].as_str().unwrap();
    assert!(error.starts_with("proxy_denied: ") && error.contains("[redacted]"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_cannot_be_written_is_told() {
    let dir = tempfile::tempdir().unwrap();
    hostile::write(dir.path(), hostile::serve().await);
    let arguments = ["check", "--trace", "key", "--har", "no/such/folder.har", "p.toml"];
    let output = farol_beside(dir.path(), &arguments).await;
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.starts_with("farol: cannot write no/such/folder.har: "), "{told}");
    let output = farol_beside(dir.path(), &["check", "--har", "it.har", "p.toml"]).await;
    assert_eq!(output.status.code(), Some(2), "an archive of what?");
}
