//! The mark of ownership where an API keeps no data of ours: the last line of what is said.
//!
//! `ref: 7k3f.3.9a8b7c` names the incident, the step and the installation, so that what was in
//! doubt can be found again. Whoever takes the line off takes the incident over.

use crate::model::IncidentKey;
use crate::outbox::Payload;

use super::dialect::shortened;

const WORD: &str = "ref: ";
/// How much of the installation's name is shown: enough to tell those of one page apart.
const INSTALL: usize = 6;

/// The text with its mark, no longer than `most`.
pub(super) fn signed(payload: &Payload, most: usize) -> String {
    let install = short(&payload.install);
    let mark = format!("{WORD}{}.{}.{install}", payload.key, payload.sequence);
    // An update without a word is refused, and the title is true in any case.
    let text = if payload.body.is_empty() { &payload.title } else { &payload.body };
    let room = most.saturating_sub(mark.chars().count() + 2);
    format!("{}\n\n{mark}", shortened(text, room))
}

/// The mark that a text carries, if it is one of installation `install`. APIs give texts back as
/// HTML as well, so the mark may stand in the midst of tags.
pub(super) fn read(text: &str, install: &str) -> Option<(IncidentKey, u32)> {
    let (_, mark) = text.rsplit_once(WORD)?;
    let end = mark.find(|c: char| !c.is_ascii_alphanumeric() && c != '.').unwrap_or(mark.len());
    let mut parts = mark[..end].split('.');
    let (key, sequence, owner) = (parts.next()?, parts.next()?, parts.next()?);
    (owner == short(install)).then_some(())?;
    Some((IncidentKey::new(key), sequence.parse().ok()?))
}

fn short(install: &str) -> String {
    install.chars().filter(char::is_ascii_alphanumeric).take(INSTALL).collect()
}

#[cfg(test)]
mod tests {
    use super::{read, signed};
    use crate::model::IncidentKey;
    use crate::publish::sample;

    #[test]
    fn a_mark_is_read_again_from_whatever_became_of_the_text() {
        let payload = sample::opening();
        let text = signed(&payload, 4_096);
        let known = Some((IncidentKey::new("7k3f"), 7));
        assert_eq!(read(&text, "install-1"), known);
        assert_eq!(
            read(&format!("<p>{}</p>", text.replace("\n\n", "</p><p>")), "install-1"),
            known
        );
        assert_eq!(read(&text, "other"), None);
        for text in ["", "ref: ", "ref: 7k3f", "ref: 7k3f.x.instal", "no mark at all"] {
            assert_eq!(read(text, "install-1"), None, "{text}");
        }
    }

    #[test]
    fn a_long_text_is_cut_and_its_mark_is_not() {
        let mut payload = sample::opening();
        payload.body = "ã".repeat(10_000);
        let text = signed(&payload, 100);
        assert_eq!(text.chars().count(), 100);
        assert!(read(&text, "install-1").is_some());
    }
}
