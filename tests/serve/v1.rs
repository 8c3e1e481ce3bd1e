//! The management API.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::site::{TOKEN, answer, component, page_path, start};

/// A new incident with a partial outage of one component.
fn trouble() -> Value {
    json!({ "incident": {
        "name": "Logins fail",
        "status": "investigating",
        "body": "Some logins fail.",
        "components": { component("desk"): "partial_outage" },
        "component_ids": [component("desk")],
        "deliver_notifications": false,
        "metadata": { "farol": { "k": "k1", "n": "1" } },
    }})
}

#[tokio::test]
async fn a_key_is_taken_in_every_form_and_nothing_else_is() {
    let site = start().await;
    let path = format!("{}/incidents.json", page_path());
    for scheme in ["OAuth ", "oauth ", "Bearer ", "bearer  ", ""] {
        let value = format!("{scheme}{TOKEN}");
        let request = site.request(Method::GET, &path).header("authorization", value);
        assert_eq!(request.send().await.unwrap().status(), StatusCode::OK, "{scheme:?}");
    }
    assert_eq!(site.get(&format!("{path}?api_key={TOKEN}")).await.status(), StatusCode::OK);

    let longer = format!("OAuth {TOKEN}x");
    for value in ["", "OAuth", "OAuth ", "OAuth wrong", "Basic correct-horse", &longer] {
        let request = site.request(Method::GET, &path).header("authorization", value);
        let (status, body) = answer(request).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{value:?}");
        let expected = json!({
            "error": "Could not authenticate", "message": "Could not authenticate",
        });
        assert_eq!(body, expected);
    }
    let (status, _) = answer(site.request(Method::GET, "/v1/pages/none")).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED, "strangers do not learn which pages there are");
}

#[tokio::test]
async fn pages_components_and_groups_have_the_vendors_shapes() {
    let site = start().await;
    let request = site.request(Method::GET, "/v1/pages.json").bearer_auth(TOKEN);
    let (_, pages) = answer(request).await;
    assert_eq!(pages.as_array().unwrap().len(), 2);
    let (_, page) = site.call(Method::GET, "", &Value::Null).await;
    assert_eq!(page["name"], "BLIP");
    assert_eq!(page["time_zone"], "America/Sao_Paulo");

    let (_, rows) = site.call(Method::GET, "/components", &Value::Null).await;
    let names: Vec<_> = rows.as_array().unwrap().iter().map(|row| &row["name"]).collect();
    assert_eq!(names, ["Apps", "Desk", "CRM", "API"]);
    let (group, desk, api) = (&rows[0], &rows[1], &rows[3]);
    assert_eq!(group["group"], true);
    assert_eq!(group["components"], json!([component("desk"), component("crm")]));
    assert_eq!(desk["group_id"], group["id"]);
    assert_eq!(desk["id"], component("desk"));
    for null in ["group_id", "description", "start_date"] {
        assert!(api.get(null).is_some_and(Value::is_null), "{null}");
    }
    for flag in ["group", "showcase", "only_show_if_degraded"] {
        assert_eq!(api[flag], false, "{flag}");
    }
    let (_, groups) = site.call(Method::GET, "/component-groups", &Value::Null).await;
    assert_eq!(groups[0]["components"], group["components"]);
    let (_, one) = site.call(Method::GET, "/components?per_page=1&page=2", &Value::Null).await;
    assert_eq!(one.as_array().unwrap().len(), 1);
    assert_eq!(one[0]["name"], "Desk");
}

#[tokio::test]
async fn an_incident_lives_from_the_first_word_to_the_last() {
    let site = start().await;
    let (status, opened) = site.call(Method::POST, "/incidents", &trouble()).await;
    assert_eq!(status, StatusCode::CREATED, "{opened}");
    assert_eq!(opened["impact"], "major", "the only component is partly out");
    assert_eq!(opened["impact_override"], Value::Null);
    assert_eq!(opened["resolved_at"], Value::Null);
    assert_eq!(opened["metadata"]["farol"]["k"], "k1");
    assert_eq!(opened["components"][0]["status"], "partial_outage");
    let update = &opened["incident_updates"][0];
    assert_eq!(update["deliver_notifications"], false);
    let affected = json!([{
        "code": component("desk"), "name": "Desk",
        "old_status": "operational", "new_status": "partial_outage",
    }]);
    assert_eq!(update["affected_components"], affected);

    let id = opened["id"].as_str().unwrap();
    let path = format!("/incidents/{id}.json");
    let resolve = json!({ "incident": {
        "status": "resolved",
        "body": "It is over.",
        "components": { component("desk"): "operational" },
        "metadata": { "farol": { "k": "k1", "n": "2" } },
    }});
    let (status, resolved) = site.call(Method::PATCH, &path, &resolve).await;
    assert_eq!(status, StatusCode::OK, "{resolved}");
    assert_eq!(resolved["incident_updates"].as_array().unwrap().len(), 2, "one change, one update");
    assert_eq!(resolved["incident_updates"][0]["body"], "It is over.");
    assert_eq!(resolved["components"][0]["status"], "operational");
    assert_eq!(resolved["metadata"]["farol"]["n"], "2");
    assert_eq!(resolved["impact"], "major", "it did hurt");
    assert!(resolved["resolved_at"].is_string());

    let (_, open) = site.call(Method::GET, "/incidents/unresolved", &Value::Null).await;
    assert_eq!(open, json!([]));
    let (_, read) = site.call(Method::GET, &path, &Value::Null).await;
    assert_eq!(read, resolved);
    let (status, _) = site.call(Method::DELETE, &path, &Value::Null).await;
    assert_eq!(status, StatusCode::OK);
    let (status, _) = site.call(Method::GET, &path, &Value::Null).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn resolving_without_components_leaves_them_as_the_vendor_does() {
    let site = start().await;
    let (_, opened) = site.call(Method::POST, "/incidents", &trouble()).await;
    let path = format!("/incidents/{}", opened["id"].as_str().unwrap());
    let resolve = json!({ "incident": { "status": "resolved" } });
    let (_, resolved) = site.call(Method::PUT, &path, &resolve).await;
    assert_eq!(resolved["components"][0]["status"], "partial_outage");
}

#[tokio::test]
async fn forms_and_json_without_a_content_type_are_understood() {
    let site = start().await;
    let desk = component("desk");
    let form = format!(
        "incident[name]=A+form&incident[status]=identified&incident[component_ids][]={desk}\
         &incident[components][{desk}]=degraded_performance&incident[deliver_notifications]=false\
         &incident[metadata][farol][k]=form"
    );
    let path = format!("{}/incidents", page_path());
    let post = || site.request(Method::POST, &path).header("authorization", TOKEN);
    let typed = post().header("content-type", "application/x-www-form-urlencoded").body(form);
    let (status, opened) = answer(typed).await;
    assert_eq!(status, StatusCode::CREATED, "{opened}");
    assert_eq!(opened["status"], "identified");
    assert_eq!(opened["components"][0]["status"], "degraded_performance");
    assert_eq!(opened["incident_updates"][0]["deliver_notifications"], false);
    assert_eq!(opened["metadata"]["farol"]["k"], "form");

    let (status, opened) = answer(post().body(trouble().to_string())).await;
    assert_eq!(status, StatusCode::CREATED, "{opened}");
    let get = site
        .request(Method::GET, &path)
        .header("authorization", TOKEN)
        .header("content-type", "application/x-www-form-urlencoded");
    let (_, listed) = answer(get).await;
    assert_eq!(listed.as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn one_key_makes_one_incident_even_at_the_same_time() {
    let site = start().await;
    let trouble = trouble();
    let call = || site.call(Method::POST, "/incidents", &trouble);
    let answers = tokio::join!(call(), call(), call(), call(), call(), call());
    let (answers, last) = ([answers.0, answers.1, answers.2, answers.3, answers.4], answers.5);
    for answer in answers {
        assert_eq!(answer, last);
    }
    assert_eq!(last.0, StatusCode::CREATED);
    let (_, listed) = site.call(Method::GET, "/incidents", &Value::Null).await;
    assert_eq!(listed.as_array().unwrap().len(), 1);
    assert_eq!(listed[0]["incident_updates"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_request_that_says_it_is_the_same_is_carried_out_once() {
    let site = start().await;
    let path = format!("{}/incidents", page_path());
    let body = json!({ "incident": { "name": "Plain" } });
    let post = |key: &'static str| {
        let request = site.request(Method::POST, &path).header("authorization", TOKEN);
        answer(request.header("idempotency-key", key).json(&body))
    };
    let first = post("one").await;
    assert_eq!(first, post("one").await);
    assert_ne!(first, post("two").await);
    let id = first.1["id"].as_str().unwrap();
    let path = format!("{path}/{id}");
    let change = json!({ "incident": { "body": "More." } });
    for _ in 0..2 {
        let request = site.request(Method::PATCH, &path).header("authorization", TOKEN);
        let (_, changed) = answer(request.header("idempotency-key", "three").json(&change)).await;
        assert_eq!(changed["incident_updates"].as_array().unwrap().len(), 2);
    }
}

#[tokio::test]
async fn lists_are_paged_searched_and_newest_first() {
    let site = start().await;
    for name in ["first", "second", "third"] {
        let body = json!({ "incident": { "name": name } });
        site.call(Method::POST, "/incidents", &body).await;
    }
    let names = async |query: &str| -> Vec<String> {
        let (_, listed) = site.call(Method::GET, query, &Value::Null).await;
        let name = |incident: &Value| incident["name"].as_str().unwrap().to_owned();
        listed.as_array().unwrap().iter().map(name).collect()
    };
    assert_eq!(names("/incidents").await, ["third", "second", "first"]);
    assert_eq!(names("/incidents?limit=2&page=2").await, ["first"]);
    assert_eq!(names("/incidents/unresolved?per_page=1&page=3").await, ["first"]);
    assert_eq!(names("/incidents?q=SECOND").await, ["second"]);
    assert_eq!(names("/incidents?limit=nonsense&page=0").await.len(), 3);
    for view in ["scheduled", "upcoming", "active_maintenance"] {
        assert!(names(&format!("/incidents/{view}.json")).await.is_empty());
    }
}

#[tokio::test]
async fn everything_wrong_with_an_incident_is_said_at_once() {
    let site = start().await;
    let body = json!({ "incident": {
        "name": "x".repeat(256), "status": "bad", "body": 7, "component_ids": "x",
        "components": { "x": "gone" }, "impact_override": "huge", "metadata": { "a": 1 },
        "deliver_notifications": "maybe", "backfilled": true, "scheduled_for": "2030-01-01",
    }});
    let (status, body) = site.call(Method::POST, "/incidents", &body).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    let problems: Vec<&str> =
        body["error"].as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect();
    assert_eq!(body["message"], problems.join("; "));
    insta::assert_snapshot!(problems.join("\n"));
}

#[tokio::test]
async fn what_cannot_be_done_is_refused_with_its_code() {
    let site = start().await;
    let unknown = json!({ "incident": {
        "name": "x", "components": { "aaaaaaaaaaaa": "major_outage" },
    }});
    let blank = json!({ "incident": { "name": "  " } });
    let nothing = json!({});
    let degraded = json!({ "component": { "status": "degraded_performance" } });
    let renamed = json!({ "component": { "name": "x" } });
    let (_, groups) = site.call(Method::GET, "/component-groups", &Value::Null).await;
    let group = format!("/components/{}", groups[0]["id"].as_str().unwrap());
    let desk = format!("/components/{}", component("desk"));
    let cases = [
        (Method::POST, "/incidents", &unknown, 422),
        (Method::POST, "/incidents", &blank, 422),
        (Method::POST, "/incidents", &nothing, 400),
        (Method::PATCH, "/incidents/aaaaaaaaaaaa", &trouble(), 404),
        (Method::PUT, "/incidents", &trouble(), 405),
        (Method::POST, "/incidents/x/y", &trouble(), 404),
        (Method::GET, "/nothing", &Value::Null, 404),
        (Method::PATCH, "/components/aaaaaaaaaaaa", &degraded, 404),
        (Method::PATCH, group.as_str(), &degraded, 422),
        (Method::PATCH, desk.as_str(), &renamed, 422),
        (Method::DELETE, desk.as_str(), &Value::Null, 405),
    ];
    for (method, path, body, code) in cases {
        let (status, answer) = site.call(method.clone(), path, body).await;
        assert_eq!(status.as_u16(), code, "{method} {path}: {answer}");
        assert!(!answer["error"].is_null() && answer["message"].is_string(), "{answer}");
    }
    let (_, listed) = site.call(Method::GET, "/incidents", &Value::Null).await;
    assert_eq!(listed, json!([]), "nothing was half done");
    let other = "/v1/pages/aaaaaaaaaaaa/incidents";
    let (status, _) = answer(site.request(Method::GET, other).bearer_auth(TOKEN)).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_component_can_be_set_alone() {
    let site = start().await;
    let path = format!("/components/{}.json", component("api"));
    let body = json!({ "component": { "status": "under_maintenance" } });
    let (status, answer) = site.call(Method::PATCH, &path, &body).await;
    assert_eq!((status, &answer["status"]), (StatusCode::OK, &json!("under_maintenance")));
    let (_, read) = site.call(Method::GET, &path, &Value::Null).await;
    assert_eq!(read, answer);
}

#[tokio::test]
async fn a_body_that_is_too_large_or_nonsense_is_refused() {
    let site = start().await;
    let path = format!("{}/incidents", page_path());
    let post = |body: Vec<u8>| {
        answer(site.request(Method::POST, &path).header("authorization", TOKEN).body(body))
    };
    let (status, _) = post(vec![b'a'; 300 * 1024]).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    let deep = format!("{{\"incident\":{}", "[".repeat(100_000)).into_bytes();
    for body in [deep, b"{\"incident\":".to_vec(), vec![0xff, 0xfe], b"incident[=1".to_vec()] {
        let (status, answer) = post(body).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{answer}");
    }
    assert_eq!(site.get("/healthz").await.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_change_of_another_version_is_refused_and_a_text_can_be_edited() {
    let site = start().await;
    let body = json!({ "incident": { "name": "Slow", "body": "We look into it." } });
    let (_, made) = site.call(Method::POST, "/incidents", &body).await;
    let path = format!("/incidents/{}", made["id"].as_str().unwrap());
    let whole = format!("{}{path}", page_path());
    let authorized =
        |method| site.request(method, &whole).header("authorization", format!("OAuth {TOKEN}"));
    let read = authorized(Method::GET).send().await.unwrap();
    let version = read.headers()["etag"].to_str().unwrap().to_owned();

    let update = made["incident_updates"][0]["id"].as_str().unwrap();
    let edit = json!({ "incident_update": { "body": "We know." } });
    let at = format!("{path}/incident_updates/{update}");
    let (status, edited) = site.call(Method::PATCH, &at, &edit).await;
    assert_eq!((status, &edited["body"]), (StatusCode::OK, &json!("We know.")));
    let (status, _) = site.call(Method::PATCH, &at, &json!({ "incident_update": {} })).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    let nowhere = format!("{path}/incident_updates/other");
    assert_eq!(site.call(Method::PATCH, &nowhere, &edit).await.0, StatusCode::NOT_FOUND);

    let change = json!({ "incident": { "name": "Fast" } });
    let stale = authorized(Method::PATCH).header("if-match", version).json(&change);
    assert_eq!(answer(stale).await.0, StatusCode::PRECONDITION_FAILED);
    let read = authorized(Method::GET).send().await.unwrap();
    let version = read.headers()["etag"].to_str().unwrap().to_owned();
    let (status, changed) =
        answer(authorized(Method::PATCH).header("if-match", version).json(&change)).await;
    assert_eq!((status, &changed["name"]), (StatusCode::OK, &json!("Fast")));
}
