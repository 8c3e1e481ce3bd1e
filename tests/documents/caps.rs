//! The table of what each status API can do is what the dialects say of it.

use std::fs;

use farol::publish::{Caps, Marker};

use crate::{read, root};

const DOCUMENT: &str = "docs/status-apis.md";
const START: &str = "<!-- caps -->\n";
const END: &str = "<!-- end of caps -->\n";

fn table() -> String {
    let head = "| place | an incident of ours is known by | in doubt | an update is one call | \
                resolving makes components operational | drafts of postmortems | longest title |\n\
                |---|---|---|---|---|---|---|\n";
    let yes = |it| if it { "yes" } else { "no" };
    let rows = Caps::ALL.map(|(name, caps)| {
        let marker = match caps.marker {
            Marker::Metadata => "data beside it",
            Marker::Key => "its key",
            Marker::Text => "the last line of its text",
        };
        let doubt = if caps.idempotent { "said again" } else { "looked for first" };
        let (atomic, clears) = (yes(caps.atomic), yes(caps.clears_components));
        let drafts = yes(caps.drafts);
        let longest = match caps.longest_title {
            usize::MAX => String::new(),
            most => most.to_string(),
        };
        format!("| `{name}` | {marker} | {doubt} | {atomic} | {clears} | {drafts} | {longest} |\n")
    });
    format!("{head}{}", rows.concat())
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a test asks whether to rewrite what it tests")]
fn the_table_of_abilities_is_what_the_dialects_say() {
    let written = read(DOCUMENT);
    let (before, rest) = written.split_once(START).unwrap();
    let after = rest.split_once(END).map_or(rest, |(_, after)| after);
    let right = format!("{before}{START}\n{}\n{END}{after}", table());
    if std::env::var("FAROL_DOCS").is_ok_and(|wish| wish == "write") {
        fs::write(root().join(DOCUMENT), &right).unwrap();
        return;
    }
    assert!(written == right, "run `FAROL_DOCS=write cargo test --test documents`");
}
