//! What can be written, and what each mistake in it is called.

use super::super::super::setting::tests::read;
use crate::config::{
    Comparison, CountRange, HeaderExpect, HttpCheck, HttpExpect, JsonTest, RecordLimits,
    TimeFormat, UrlExpect,
};
use crate::model::Span;

fn expecting(settings: &str) -> Result<HttpExpect, String> {
    let text = format!("{{ url = 'https://desk.example', {settings} }}");
    read::<HttpCheck>(&text).map(|check| check.expect)
}

#[test]
fn nothing_is_expected_unless_it_is_said() {
    let expect = expecting("redirects = 3").unwrap();
    assert!(!expect.looks_into_the_body());
    assert!(expect.headers.is_empty() && expect.final_url.is_none());
}

#[test]
fn headers_and_the_final_url() {
    let expect = expecting(
        "expect_headers = { Content-Type = { matches = '^text/' }, Server = { exists = false }, \
         X-A = { exists = true }, X-B = 'b', X-C = { equals = 'c' } }, \
         final_url = { matches = '/home$' }",
    )
    .unwrap();
    let shown = |expect: &HeaderExpect| match expect {
        HeaderExpect::Equals(text) => format!("= {text}"),
        HeaderExpect::Matches(pattern) => format!("~ {pattern}"),
        HeaderExpect::Present => "there".to_owned(),
        HeaderExpect::Absent => "not there".to_owned(),
    };
    let shown: Vec<String> =
        expect.headers.iter().map(|(name, it)| format!("{name} {}", shown(it))).collect();
    let all = ["content-type ~ ^text/", "server not there", "x-a there", "x-b = b", "x-c = c"];
    assert_eq!(shown, all);
    assert!(matches!(expect.final_url, Some(UrlExpect::Matches(_))));
    assert!(!expect.looks_into_the_body());
    let expect = expecting("final_url = 'https://desk.example/home'").unwrap();
    assert!(matches!(expect.final_url, Some(UrlExpect::Equals(_))));
}

#[test]
fn values_in_json() {
    let expect = expecting(
        "json = [{ path = '$.a' }, { path = '$.b', exists = false }, { path = '$.c', count = 0 }, \
         { path = '$.d[*]', equals = 'ok', matches = 'o', below = 1, at_most = 2.5, above = 3, \
           at_least = 4, count = { at_least = 0 } }, \
         { path = '$..at', max_age = '10m', max_ahead = '0s', format = 'epoch_ms' }]",
    )
    .unwrap();
    assert!(expect.looks_into_the_body());
    let counts: Vec<CountRange> = expect.json.iter().map(|json| json.count).collect();
    let any = CountRange { least: 0, most: u64::MAX };
    let some = CountRange::SOME;
    assert_eq!(counts, [some, CountRange::NONE, CountRange::NONE, any, some]);
    let order: Vec<Comparison> = expect.json[3]
        .tests
        .iter()
        .filter_map(|test| match test {
            JsonTest::Compares(comparison, _) => Some(*comparison),
            JsonTest::Equals(_) | JsonTest::Matches(_) | JsonTest::Record(_) => None,
        })
        .collect();
    use Comparison::{Above, AtLeast, AtMost, Below};
    assert_eq!(order, [Below, AtMost, Above, AtLeast]);
    assert_eq!(expect.json[3].tests.len(), 6);
    let [JsonTest::Record(limits)] = expect.json[4].tests.as_slice() else { panic!("a record") };
    let expected = RecordLimits {
        max_age: Some(Span::from_secs(600)),
        max_ahead: Some(Span::ZERO),
        format: Some(TimeFormat::EpochMillis),
    };
    assert_eq!(*limits, expected);
}

#[test]
fn elements_of_html_and_the_body_as_a_whole() {
    let expect = expecting(
        "html = { select = '#login', contains = ['a', 'b'], matches = 'c' }, page = true, \
         excludes = 'Fatal error', not_matches = ['(?i)stack trace'], size = { at_least = '1KiB' }",
    )
    .unwrap();
    assert_eq!(expect.html[0].written, "#login");
    assert_eq!((expect.html[0].contains.len(), expect.html[0].matches.len()), (2, 1));
    assert_eq!(expect.body_excludes, ["Fatal error"]);
    assert_eq!(expect.body_not_matches.len(), 1);
    assert!(expect.page);
}

#[test]
fn mistakes_have_their_names() {
    for (settings, code) in [
        ("json = [{ equals = 'ok' }]", "missing_key"),
        ("json = '$.status'", "wrong_type"),
        ("json = [{ path = 'status' }]", "invalid_json_path"),
        ("json = [{ path = '$.a', exists = false, equals = 1 }]", "absent_and_more"),
        ("json = [{ path = '$.a', exists = false, count = 1 }]", "absent_and_more"),
        ("json = [{ path = '$.a', less = 1 }]", "unknown_key"),
        ("json = [{ path = '$.a', below = '1' }]", "wrong_type"),
        ("json = [{ path = '$.a', max_age = 600 }]", "no_unit"),
        ("json = [{ path = '$.a', format = 'iso' }]", "unknown_word"),
        ("html = { select = '#' }", "invalid_selector"),
        ("html = { select = 'a', exists = false, contains = 'b' }", "absent_and_more"),
        ("expect_headers = { Server = { exists = true, equals = 'a' } }", "several_of"),
        ("expect_headers = { Server = {} }", "none_of"),
        ("expect_headers = { Server = false }", "wrong_type"),
        ("expect_headers = { 'a b' = 'c' }", "invalid_header"),
        ("expect_headers = { Server = 'a', server = 'b' }", "duplicate_header"),
        ("final_url = { matches = '(' }", "invalid_pattern"),
        ("final_url = '/home'", "invalid_url"),
        ("excludes = ''", "invalid_text"),
        ("size = { at_least = '2KiB', at_most = '1KiB' }", "contradiction"),
        ("page = 'yes'", "wrong_type"),
        ("page = true, method = 'HEAD'", "head_has_no_body"),
        ("json = { path = '$' }, method = 'HEAD'", "head_has_no_body"),
    ] {
        let words = expecting(settings).unwrap_err();
        assert!(words.starts_with(code), "{settings}: {words}");
    }
}
