//! `farol preview`, with the real binary: what a person reads before anything is published.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::fs;
use std::process::{Command, Output};

use tempfile::TempDir;

const SHOP: &str = r#"
[platform]
name = "Shop"
time_zone = "Europe/Lisbon"
language = "pt"
[[component]]
name = "Vitrine"
check = [{ name = "up", http = { url = "https://shop.example/", bearer = { env = "FAROL_NOT_THERE" } } }]
[[component]]
name = "Caixa"
check = [{ name = "up", http = "https://pay.example/" }]
"#;

const BLIP: &str = r#"
[platform]
name = "Blip"
[[component]]
name = "Desk"
check = [{ name = "up", http = "https://desk.example/" }]
"#;

/// What `farol preview` says of the two platforms.
fn preview(arguments: &[&str]) -> Output {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("shop.toml"), SHOP).unwrap();
    fs::write(folder.path().join("blip.toml"), BLIP).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_farol"));
    command.arg("preview").arg(folder.path()).args(arguments);
    command.env_remove("FAROL_PROBES").output().unwrap()
}

fn read(arguments: &[&str]) -> String {
    let output = preview(arguments);
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_person_can_read_what_would_be_posted() {
    insta::assert_snapshot!(read(&["--platform", "shop"]));
}

#[test]
fn every_platform_speaks_its_own_language() {
    let text = read(&[]);
    assert!(text.contains("Vitrine está indisponível") && text.contains("Desk is unavailable"));
    // A platform with one component has no incident of two.
    assert!(!text.contains("Desk and") && text.contains("Vitrine e Caixa"), "{text}");
}

#[test]
fn another_language_can_be_tried() {
    let text = read(&["--platform", "blip", "--language", "fr"]);
    assert!(text.contains("Desk est indisponible") && !text.contains("unavailable"), "{text}");
    assert!(!text.contains("Vitrine"), "{text}");
}

/// The heads of the texts, each with its step and impact.
fn heads(text: &str) -> Vec<&str> {
    text.lines().filter(|line| line.starts_with("# ")).collect()
}

#[test]
fn one_step_or_one_impact_can_be_read_alone() {
    let all = read(&["--platform", "shop"]);
    let of = |arguments: &[&str], ends: &dyn Fn(&str) -> bool| {
        let some = read(&[&["--platform", "shop"], arguments].concat());
        let wanted: Vec<&str> = heads(&all).into_iter().filter(|head| ends(head)).collect();
        assert!(!wanted.is_empty() && wanted.len() < heads(&all).len(), "{arguments:?}");
        assert_eq!(heads(&some), wanted, "{arguments:?}");
    };
    for step in ["investigating", "monitoring", "resolved"] {
        of(&["--step", step], &|head| head.contains(&format!("({step}, ")));
    }
    for impact in ["minor", "major", "critical"] {
        of(&["--impact", impact], &|head| head.ends_with(&format!("impact {impact})")));
    }
    let both = ["--step", "resolved", "--impact", "critical"];
    of(&both, &|head| head.ends_with("(resolved, impact critical)"));
}

#[test]
fn no_text_says_where_or_how_it_was_checked() {
    for language in ["en", "pt", "es", "fr"] {
        let text = read(&["--platform", "shop", "--language", language]);
        assert!(heads(&text).len() > 30, "{text}");
        for hidden in [".example", "://", "HTTP", "FAROL", "503", "timeout", "shop/"] {
            assert!(!text.contains(hidden), "{language}: {hidden}");
        }
    }
}

#[test]
fn what_there_is_not_is_said() {
    let output = preview(&["--platform", "blop"]);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said, "farol: no platform has the id `blop`; there are: blip, shop\n");
    let output = preview(&["--language", "de"]);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("known are en, pt, es, fr"), "{said}");
    for (flag, wrong, known) in [
        ("--step", "title", "known are investigating, monitoring, resolved"),
        ("--impact", "none", "known are minor, major, critical"),
    ] {
        let output = preview(&[flag, wrong]);
        assert_eq!(output.status.code(), Some(2));
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains(known), "{said}");
    }
}
