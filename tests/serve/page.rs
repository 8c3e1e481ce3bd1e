//! The page as HTML.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::site::{Served, blip, component, platform, start, start_at, start_with};

async fn text(site: &Served, path: &str) -> String {
    let response = site.get(path).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["content-type"], "text/html; charset=utf-8");
    response.text().await.unwrap()
}

#[tokio::test]
async fn what_is_published_cannot_become_markup() {
    let site = start_with(&[platform("blip", &[("desk", "<b>Desk</b>", Some("<i>G</i>"))])]).await;
    let evil = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>";
    let body = json!({ "incident": {
        "name": evil, "body": evil, "components": { component("desk"): "major_outage" },
    }});
    site.call(Method::POST, "/incidents", &body).await;
    let page = text(&site, "/").await;
    assert!(page.contains("&lt;script&gt;alert(1)"), "the text is shown as it is");
    for markup in ["<script>alert", "<img", "<b>Desk", "<i>G"] {
        assert!(!page.contains(markup), "{markup}");
    }
}

#[tokio::test]
async fn nothing_but_the_pages_own_style_and_script_may_run() {
    let site = start_with(&[blip()]).await;
    let response = site.get("/").await;
    let policy = response.headers()["content-security-policy"].to_str().unwrap().to_owned();
    let page = response.text().await.unwrap();
    for (directive, tag) in [("style-src", "style"), ("script-src", "script")] {
        let from = page.find(&format!("<{tag}>")).unwrap() + tag.len() + 2;
        let to = page.find(&format!("</{tag}>")).unwrap();
        let digest = <sha2::Sha256 as sha2::Digest>::digest(&page[from..to]);
        let source = format!("{directive} 'sha256-{}'", data_encoding::BASE64.encode(&digest));
        assert!(policy.contains(&source), "{policy} lacks {source}");
    }
    assert!(policy.starts_with("default-src 'none'"), "{policy}");
    assert!(!page.contains(" style=") && !page.contains("://"), "nothing comes from elsewhere");
}

#[tokio::test]
async fn a_platform_says_how_it_is_in_words() {
    let site = start_with(&[blip()]).await;
    let well = text(&site, "/").await;
    assert!(well.contains("All Systems Operational"));
    assert!(well.contains("No incidents so far today."));
    assert!(well.contains("America&#x2f;Sao_Paulo (UTC−3)"));
    assert_eq!(well.matches("class=\"day\"").count(), 14);
    assert!(!well.contains("Open incidents"));
    let body = json!({ "incident": {
        "name": "Logins fail", "body": "Looking into it.",
        "components": { component("desk"): "partial_outage" },
    }});
    let (_, opened) = site.call(Method::POST, "/incidents", &body).await;
    let bad = text(&site, "/blip").await;
    for words in ["Minor Service Outage", "Open incidents", "Logins fail", "Partial outage"] {
        assert!(bad.contains(words), "{words}");
    }
    let id = opened["id"].as_str().unwrap();
    assert!(bad.contains(&format!("id=\"{id}\"")), "its shortlink leads here");
    let resolve = json!({ "incident": {
        "status": "resolved", "body": "Over.", "components": { component("desk"): "operational" },
    }});
    site.call(Method::PATCH, &format!("/incidents/{id}"), &resolve).await;
    let over = text(&site, "/").await;
    assert!(!over.contains("Open incidents") && over.contains("Logins fail"));
    let newest_first = over.find("Over.").unwrap() < over.find("Looking into it.").unwrap();
    assert!(newest_first);
}

#[tokio::test]
async fn several_platforms_are_listed_and_strangers_are_not_found() {
    let site = start().await;
    let list = text(&site, "/").await;
    assert!(list.contains("href=\"blip\"") && list.contains("href=\"take\""));
    let missing = site.get("/nobody").await;
    assert_eq!(missing.status(), StatusCode::NOT_FOUND);
    assert!(missing.text().await.unwrap().contains("There is no page here."));
    assert_eq!(site.get("/a/b/c").await.status(), StatusCode::NOT_FOUND);
    let empty = start_with(&[]).await;
    assert!(text(&empty, "/").await.contains("There is no status page here."));
    let icon = site.get("/favicon.svg").await;
    assert_eq!(icon.headers()["content-type"], "image/svg+xml");
}

/// Serves a page for a person to look at, at 127.0.0.1:8899, and a list of two platforms at port
/// 8898, for ten minutes: `cargo test --test serve -- --ignored to_look_at`.
#[tokio::test]
#[ignore = "for a person to look at"]
async fn to_look_at() {
    let mut info = platform(
        "blip",
        &[
            ("desk", "Desk", Some("Customer service")),
            ("crm", "CRM", Some("Customer service")),
            ("api", "Public API", None),
            ("builder", "Builder", None),
            ("media", "Media storage", None),
            ("portal", "Portal", None),
        ],
    );
    "Blip".clone_into(&mut info.name);
    info.components[0].description = Some("Where agents answer customers.".to_owned());
    let one = start_at("127.0.0.1:8899", std::slice::from_ref(&info)).await;
    let other = platform("take", &[("api", "Take API", None)]);
    let several = start_at("127.0.0.1:8898", &[info, other]).await;
    seed(&one).await;
    seed(&several).await;
    tokio::time::sleep(Duration::from_secs(600)).await;
}

async fn seed(site: &Served) {
    let old = json!({ "incident": {
        "name": "Slow answers from the public API", "status": "resolved",
        "body": "Between 09:12 and 09:40 answers took several seconds. This is over.",
        "impact_override": "minor", "component_ids": [component("api")],
    }});
    site.call(Method::POST, "/incidents", &old).await;
    let body = json!({ "incident": {
        "name": "Some agents cannot log in to Desk",
        "body": "Since 14:03 some logins to Desk fail. Conversations that are open go on.\n\
                 We will say more by 14:33.",
        "components": {
            component("desk"): "partial_outage", component("crm"): "degraded_performance",
            component("builder"): "major_outage", component("media"): "under_maintenance",
        },
    }});
    let (_, opened) = site.call(Method::POST, "/incidents", &body).await;
    let path = format!("/incidents/{}", opened["id"].as_str().unwrap());
    let update = json!({ "incident": {
        "status": "identified", "body": "One of three servers has the wrong time. It is being mended.",
    }});
    site.call(Method::PATCH, &path, &update).await;
}
