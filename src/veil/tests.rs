//! A secret in every spelling, and what must stay legible.

use data_encoding::{BASE64, BASE64URL_NOPAD, HEXUPPER};
use http::{HeaderName, HeaderValue};

use super::{HIDDEN, Known, Veil};
use crate::config::Secret;

const WORD: &str = r#"Hu5h/"b%ut & sésame+é"#;

fn veil(values: &[&str]) -> Veil {
    let secrets: Vec<Secret> = values.iter().map(|value| Secret::new(*value)).collect();
    Veil::over(&Known::new(&secrets))
}

#[test]
fn a_secret_is_hidden_in_every_spelling() {
    let veil = veil(&[WORD]);
    let form: String = url::form_urlencoded::byte_serialize(WORD.as_bytes()).collect();
    let twice: String = url::form_urlencoded::byte_serialize(form.as_bytes()).collect();
    let mut url: url::Url = "https://desk.example/".parse().unwrap();
    url.set_path(WORD);
    url.query_pairs_mut().append_pair("q", WORD);
    let basic = |user: &str| BASE64.encode(format!("{user}:{WORD}").as_bytes());
    let all: String = WORD.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let spellings = [
        WORD.to_owned(),
        WORD.to_uppercase().replace('É', "é"),
        form.clone(),
        form.to_lowercase(),
        twice,
        all,
        url.to_string(),
        serde_json::to_string(WORD).unwrap(),
        serde_json::to_string(&serde_json::to_string(&format!("\\{WORD}")).unwrap()).unwrap(),
        format!("{WORD:?}"),
        WORD.escape_default().to_string(),
        WORD.replace('/', "\\/").replace('"', "\\\"").replace('é', "\\u00e9"),
        WORD.replace('&', "&amp;").replace('"', "&quot;").replace('/', "&#x2F;"),
        BASE64.encode(WORD.as_bytes()),
        basic("a"),
        basic("ab"),
        basic("abc"),
        BASE64.encode(format!("id:{form}").as_bytes()),
        BASE64URL_NOPAD.encode(format!("{{\"p\":\"{WORD} and more").as_bytes()),
        HEXUPPER.encode(WORD.as_bytes()),
    ];
    for spelling in spellings {
        let shown = veil.hide(&format!("before {spelling} after"));
        assert!(shown.contains(HIDDEN), "{spelling}: {shown}");
        for trace in ["Hu5h", "hu5h", "same", "SHU1", "b%25ut", &spelling] {
            assert!(!shown.contains(trace), "{spelling}: {shown}");
        }
        assert!(shown.starts_with("before ") && shown.ends_with(" after"), "{shown}");
    }
}

#[test]
fn what_is_found_in_a_run_is_hidden_as_well() {
    let veil = veil(&[]);
    assert_eq!(veil.hide("got \"tok3n-one\""), "got \"tok3n-one\"");
    veil.add("tok3n-one");
    veil.add("tok3n-one");
    veil.add("yes");
    assert_eq!(veil.hide("got \"tok3n-one\", yes"), "got \"[redacted]\", yes");
    let given = ["id=longenough; Path=/", "lang=en", "bare"].map(HeaderValue::from_static);
    veil.add_cookies(&given);
    assert_eq!(veil.hide("longenough in en"), "[redacted] in en");
}

#[test]
fn half_a_secret_is_one_where_a_text_was_cut() {
    let veil = veil(&["correct horse"]);
    let halves =
        [("got correct h…", "got "), ("\"correct…\"", "\""), ("Basic Y29ycmVjd…", "Basic ")];
    for (half, before) in halves {
        let shown = veil.hide(half);
        assert!(shown.starts_with(&format!("{before}[redacted]")), "{shown}");
    }
    assert_eq!(veil.hide("correct hat"), "correct hat");
    assert_eq!(veil.hide("a cor…"), "a cor…");
    assert_eq!(veil.hide("it is correct"), "it is correct");
}

#[test]
fn the_longest_of_two_secrets_goes() {
    let veil = veil(&["open", "opensesame"]);
    assert_eq!(veil.hide("opensesame open opense"), "[redacted] [redacted] [redacted]se");
}

#[test]
fn files_are_secret_where_they_tell_something() {
    let json = r#"{"user": "probe", "password": "correct horse", "new": {"token": ["tok3n"]}}"#;
    let form = "user=probe&password=battery+staple";
    let key = "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49\n-----END PRIVATE KEY-----\n";
    let certificate = "-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIU\n";
    let veil = veil(&[json, form, key, certificate]);
    let text = "probe correct horse tok3n battery staple MIGHAgEAMBMGByqGSM49 MIIBszCCAVmgAwIBAgIU";
    let shown = veil.hide(text);
    let five = "probe [redacted] [redacted] [redacted] [redacted] MIIBszCCAVmgAwIBAgIU";
    assert_eq!(shown, five);
}

#[test]
fn a_name_can_tell_that_a_value_is_secret() {
    let veil = veil(&[]);
    let cases = [
        (
            "/cb?code=abc&page=2#access_token=def",
            "/cb?code=[redacted]&page=2#access_token=[redacted]",
        ),
        (
            "/a;jsessionid=12?State=x&next=%2Fb%3Fcode%3Dabc%26p%3D1",
            "/a;jsessionid=[redacted]?State=[redacted]&next=%2Fb%3Fcode%3D[redacted]%26p%3D1",
        ),
        (
            "<a href=\"/x?a=1&amp;SAMLResponse=PHN&amp;b=2\">",
            "<a href=\"/x?a=1&amp;SAMLResponse=[redacted]&amp;b=2\">",
        ),
        ("to https://ann:pw@desk.example/ now", "to https://[redacted]@desk.example/ now"),
        ("?code=&state", "?code=&state"),
        ("status code = 5, key = 3", "status code = 5, key = 3"),
        ("/p?codec=av1&monkey=2", "/p?codec=av1&monkey=2"),
    ];
    for (text, shown) in cases {
        assert_eq!(veil.hide(text), shown);
    }
}

#[test]
fn headers_tell_what_they_are_and_not_what_they_hold() {
    let cover = veil(&["s3same"]).draw();
    let shown = |name: &str, value: &str| {
        let name: HeaderName = name.parse().unwrap();
        cover.header(&name, &HeaderValue::from_str(value).unwrap())
    };
    assert_eq!(shown("cookie", "a=1; b=2=3"), "a=[redacted]; b=[redacted]");
    let given = "sid=x y; Path=/; Secure; SameSite=Lax";
    assert_eq!(shown("set-cookie", given), "sid=[redacted]; Path=/; Secure; SameSite=Lax");
    assert_eq!(shown("set-cookie", "s3same=1"), "[redacted]=[redacted]");
    assert_eq!(shown("authorization", "Bearer abc"), "Bearer [redacted]");
    assert_eq!(shown("proxy-authorization", "abc"), HIDDEN);
    assert_eq!(shown("x-api-key", "abc"), HIDDEN);
    assert_eq!(shown("x-session", "abc"), HIDDEN);
    assert_eq!(shown("location", "/cb?code=1&x=s3same"), "/cb?code=[redacted]&x=[redacted]");
    assert_eq!(shown("content-type", "text/html"), "text/html");
    let mut own = HeaderValue::from_static("mine");
    own.set_sensitive(true);
    assert_eq!(cover.header(&HeaderName::from_static("x-own"), &own), HIDDEN);
}

#[test]
fn a_url_stays_one() {
    let cover = veil(&["s3same"]).draw();
    let url = |text: &str| cover.url(&text.parse().unwrap());
    assert_eq!(url("https://ann:s3same@desk.example/a?b=1"), "https://desk.example/a?b=1");
    assert_eq!(url("https://x.s3same.example:8/s3same"), "https://redacted.invalid:8/[redacted]");
}

/// Whatever is hidden, hiding ends, and never within a letter.
#[test]
fn odd_texts_do_no_harm() {
    let veil = veil(&["%25%25%25%", "&&&&", "++++", "éééé"]);
    for text in ["%25%25%25%25%25%25%2", "&amp;&amp;&&", "é%C3é", "%C3%A9", "\\u00", "&#xfff;", "%"]
    {
        let _ = veil.hide(text);
    }
    let long = "%25".repeat(20_000);
    assert!(veil.hide(&long).contains(HIDDEN));
}
