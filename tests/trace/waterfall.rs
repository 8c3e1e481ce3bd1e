//! What `farol check --trace` prints.

use std::fs;

use crate::{farol, farol_beside, hostile};

fn lines(dir: &std::path::Path, wanted: &str) -> (Option<i32>, String) {
    let output = farol(dir, &["check", "--trace", wanted, "p.toml"]);
    assert!(output.stdout.is_empty());
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn a_check_is_found_by_its_id_or_its_name() {
    let dir = tempfile::tempdir().unwrap();
    let text = "[platform]\nname = 'Shop'\n[[component]]\nname = 'A'\n\
                [[component.check]]\nname = 'Answers'\ntcp = '127.0.0.1:1'\n\
                [[component.check]]\nname = 'Greets'\ntcp = '127.0.0.1:1'\n\
                [[component]]\nname = 'B'\n[[component.check]]\nname = 'answers'\ntcp = '127.0.0.1:1'\n";
    fs::write(dir.path().join("p.toml"), text).unwrap();
    let cases = [
        (
            "answers",
            "several checks are called \"answers\"; write the id of one:\n  p/a/answers\n  p/b/answers\n",
        ),
        ("p/a/answer", "there is no check \"p/a/answer\"; did you mean \"p/a/answers\"?\n"),
        ("Gretes", "there is no check \"Gretes\"; did you mean \"Greets\"?\n"),
        ("p/a", "there is no check \"p/a\"; there are:\n  p/a/answers\n  p/a/greets\n"),
        (
            "no idea",
            "there is no check \"no idea\"; there are:\n  p/a/answers\n  p/a/greets\n  p/b/answers\n",
        ),
    ];
    for (wanted, told) in cases {
        assert_eq!(lines(dir.path(), wanted), (Some(2), format!("farol: {told}")));
    }
    for wanted in ["p/b/answers", "GREETS"] {
        let output = farol(dir.path(), &["check", "--trace", wanted, "p.toml"]);
        assert_eq!(output.status.code(), Some(1), "nobody listens there");
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains("\n      connect_refused: "), "{text}");
    }
}

/// The picture without its times and bars: they are never the same.
fn shape(text: &str) -> String {
    let bar = |c: char| matches!(c, 'r' | 'c' | 't' | 's' | '.' | '=');
    let is_time =
        |word: &str| word.starts_with(|c: char| c.is_ascii_digit()) && word.ends_with('s');
    let line = |line: &str| {
        let words = line.split_whitespace().filter(|word| !is_time(word) && !word.chars().all(bar));
        words.collect::<Vec<_>>().join(" ")
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_request_has_its_line() {
    let dir = tempfile::tempdir().unwrap();
    let address = hostile::serve().await;
    hostile::write(dir.path(), address);
    let output = farol_beside(dir.path(), &["check", "--trace", "p/cookie/cookie", "p.toml"]).await;
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(!text.contains('\u{1b}'), "it is no terminal: {text}");
    assert!(text.lines().take(4).all(|line| line.chars().count() <= 100), "{text}");
    let shape = shape(&text).replace(&address.to_string(), "ADDRESS");
    let legend = "resolve connect tls send first_byte transfer";
    let expected = "REQUEST TOOK 0\n\
         GET http://ADDRESS/cookie 302\n\
         -> http://ADDRESS/json\n\
         GET http://ADDRESS/json 200\n\
         fail p/cookie/cookie at 127.0.0.1 in\n\
         json: expected $.head equals \"1\", got";
    assert!(shape.starts_with(expected), "{shape}");
    assert!(shape.ends_with(&format!("\n\n{legend}")), "{shape}");
    assert!(
        text.lines().any(|line| line.contains(" 302 ") && line.ends_with(['.', '=', 's'])),
        "{text}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_and_parts_are_marked() {
    let dir = tempfile::tempdir().unwrap();
    let address = hostile::serve().await;
    hostile::write(dir.path(), address);
    let traced = async |wanted| {
        let output = farol_beside(dir.path(), &["check", "--trace", wanted, "p.toml"]).await;
        String::from_utf8(output.stdout).unwrap()
    };
    let token = traced("token").await;
    assert!(token.contains(&format!("\ntoken: POST http://{address}/token ")), "{token}");
    let page = traced("page").await;
    assert!(page.contains(&format!("\n+ GET http://{address}/js/")), "{page}");
    let refused = traced("proxy").await;
    assert!(refused.contains(" --- "), "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_variant_has_its_own_part() {
    let dir = tempfile::tempdir().unwrap();
    let address = hostile::serve().await;
    let text = format!(
        "[platform]\nname = 'Shop'\n[[component]]\nname = 'A'\n[[component.check]]\nname = 'b'\n\
         matrix = {{ tenant = ['one', 'two'] }}\nhttp = 'http://{address}/for/{{{{matrix.tenant}}}}'\n"
    );
    fs::write(dir.path().join("p.toml"), text).unwrap();
    let arguments = ["check", "--trace", "b", "--har", "it.har", "p.toml"];
    let output = farol_beside(dir.path(), &arguments).await;
    let text = String::from_utf8(output.stdout).unwrap();
    let place = |part: &str| text.find(part).unwrap_or_else(|| panic!("{part}: {text}"));
    let places = ["/for/one", "p/a/b [tenant=one]", "/for/two", "p/a/b [tenant=two]"].map(place);
    assert!(places.is_sorted(), "{text}");
    let har = fs::read_to_string(dir.path().join("it.har")).unwrap();
    assert!(har.contains("\"title\": \"b [tenant=one] at 127.0.0.1\""), "{har}");
}
