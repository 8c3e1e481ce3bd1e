//! `docs/reasons.md` has a section for every reason, and for nothing else.

use std::collections::BTreeSet;

use farol::model::{Phase, Reason};

/// The names, as `Reason::name` gives them. Reasons cannot be listed, since they carry data; but
/// the names are all in the one function that knows them.
fn names() -> BTreeSet<String> {
    let source = crate::read("src/model/reason/name.rs");
    let (_, body) = source.split_once("pub const fn name(&self)").unwrap();
    let (body, _) = body.split_once("\n    }\n").unwrap();
    body.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The sections of the document: the heading's name and the text below it.
fn sections() -> Vec<(String, String)> {
    let document = crate::read("docs/reasons.md");
    let parts = document.split("\n### ").skip(1);
    let section = |part: &str| {
        let (heading, text) = part.split_once('\n').unwrap();
        let text = text.split("\n## ").next().unwrap();
        (heading.trim_matches('`').to_owned(), text.to_owned())
    };
    parts.map(section).collect()
}

#[test]
fn the_names_are_found() {
    let names = names();
    for reason in [
        Reason::ResolveNotFound,
        Reason::Timeout { phase: Phase::FirstByte },
        Reason::ConnectionClosed { phase: Phase::Transfer },
        Reason::ProberMisconfigured { detail: String::new() },
    ] {
        assert!(names.contains(reason.name()), "{}: {names:?}", reason.name());
    }
    let is_name = |name: &String| {
        !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c == '_')
    };
    assert!(names.iter().all(is_name), "{names:?}");
}

#[test]
fn every_reason_has_its_section_and_every_section_its_reason() {
    let sections = sections();
    let headings: BTreeSet<String> = sections.iter().map(|(name, _)| name.clone()).collect();
    assert_eq!(headings.len(), sections.len(), "a reason has two sections in docs/reasons.md");
    let names = names();
    let template = |name: &&String| {
        format!(
            "### `{name}`\n\nWhat it means, in one or two sentences.\n\n\
             - **Verdict**: fail | degraded | inconclusive, and when\n\
             - **Whose**: whose fault it may be\n- **Do**: what to do about it\n"
        )
    };
    let missing: Vec<String> = names.difference(&headings).map(|name| template(&name)).collect();
    assert!(
        missing.is_empty(),
        "docs/reasons.md lacks reasons. Add to the section where they belong, and fill in:\n\n{}",
        missing.join("\n")
    );
    let stale: Vec<&String> = headings.difference(&names).collect();
    assert!(stale.is_empty(), "docs/reasons.md explains what does not exist: remove {stale:?}");
}

#[test]
fn every_section_says_what_whose_and_what_to_do() {
    for (name, text) in sections() {
        let line = |what: &str| {
            let start = format!("- **{what}**: ");
            let line = text.lines().find_map(|line| line.strip_prefix(&start));
            line.unwrap_or_else(|| panic!("docs/reasons.md, `{name}` has no line `{start}...`"))
        };
        assert!(!line("Whose").is_empty() && !line("Do").is_empty(), "{name}");
        let verdict = line("Verdict");
        let first = verdict.split([',', ' ', ':']).next().unwrap();
        let known = ["fail", "degraded", "inconclusive"].contains(&first);
        assert!(known, "docs/reasons.md, `{name}`: the verdict begins with {first}");
        // A proxy is the prober's own, unless it says that the target is the trouble.
        let ours =
            name.starts_with("prober_") || name.starts_with("proxy_") && name != "proxy_failed";
        assert_eq!(first == "inconclusive", ours, "docs/reasons.md, `{name}`: {verdict}");
        let prose = text.trim_start();
        assert!(!prose.starts_with('-'), "docs/reasons.md, `{name}` does not say what it means");
    }
}
