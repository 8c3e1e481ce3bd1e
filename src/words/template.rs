//! The templates of every language, and how facts become texts by them.

use std::sync::LazyLock;

use minijinja::Environment;
use serde::Serialize;

use super::own::{self, Flaw};
use super::{Body, Step, Title, Tongue};
use crate::model::{Impact, Language, Wording};

/// What the public reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// The incident's title.
    pub title: String,
    /// The text of this step.
    pub body: String,
}

/// Who speaks: a language, and what the platform says in words of its own.
#[derive(Clone, Copy, Debug)]
pub struct Voice<'a> {
    /// The language.
    pub language: Language,
    /// The platform's own words.
    pub own: &'a Wording,
}

/// Tells one step of an incident of `impact`. Own words that fail are as if they were not there.
pub fn tell(voice: Voice<'_>, step: Step, impact: Impact, title: &Title, body: &Body) -> Text {
    Text {
        title: titled(voice, impact, title),
        body: own::with_ending(said(voice, step, impact, body).0, voice.own),
    }
}

/// The title of an incident of `impact`.
pub fn titled(voice: Voice<'_>, impact: Impact, title: &Title) -> String {
    said(voice, Step::Title, impact, title).0
}

/// A title in farol's words alone.
pub fn title(language: Language, title: &Title) -> String {
    render(language, Step::Title, title)
}

/// The same as [`tell`], where own words that fail are told as that.
pub(super) fn try_tell(
    voice: Voice<'_>,
    step: Step,
    impact: Impact,
    title: &Title,
    body: &Body,
) -> Result<Text, (Step, Flaw)> {
    let (title, flaw) = said(voice, Step::Title, impact, title);
    flaw.map_or(Ok(()), |flaw| Err((Step::Title, flaw)))?;
    let (body, flaw) = said(voice, step, impact, body);
    flaw.map_or(Ok(()), |flaw| Err((step, flaw)))?;
    Ok(Text { title, body: own::with_ending(body, voice.own) })
}

/// What is said of a step, and what is wrong with the platform's own words for it, if anything.
fn said(
    voice: Voice<'_>,
    step: Step,
    impact: Impact,
    facts: &impl Serialize,
) -> (String, Option<Flaw>) {
    let text = render(voice.language, step, facts);
    let own = own::template(voice.own, step)
        .map(|template| own::render(template, step, impact, &text, facts));
    match own {
        None => (text, None),
        Some(Ok(own)) => (own, None),
        Some(Err(flaw)) => (text, Some(flaw)),
    }
}

/// The template of a step, as it is written in `language`.
pub(super) fn source(language: Language, step: Step) -> &'static str {
    let [title, investigating, monitoring, resolved] = match language {
        Language::English => [
            include_str!("en/title.txt"),
            include_str!("en/investigating.txt"),
            include_str!("en/monitoring.txt"),
            include_str!("en/resolved.txt"),
        ],
        Language::Portuguese => [
            include_str!("pt/title.txt"),
            include_str!("pt/investigating.txt"),
            include_str!("pt/monitoring.txt"),
            include_str!("pt/resolved.txt"),
        ],
        Language::Spanish => [
            include_str!("es/title.txt"),
            include_str!("es/investigating.txt"),
            include_str!("es/monitoring.txt"),
            include_str!("es/resolved.txt"),
        ],
        Language::French => [
            include_str!("fr/title.txt"),
            include_str!("fr/investigating.txt"),
            include_str!("fr/monitoring.txt"),
            include_str!("fr/resolved.txt"),
        ],
    };
    match step {
        Step::Title => title,
        Step::Investigating => investigating,
        Step::Monitoring => monitoring,
        Step::Resolved => resolved,
    }
}

/// The name of a template.
pub(super) fn path(language: Language, step: Step) -> String {
    format!("{language}/{}.txt", step.as_str())
}

/// The templates, read once.
pub(super) static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    environment.set_trim_blocks(true);
    environment.set_lstrip_blocks(true);
    for language in Language::ALL {
        for step in Step::ALL {
            // One that cannot be read is missed by `render`, and by the tests.
            let _ = environment.add_template_owned(path(language, step), source(language, step));
        }
    }
    environment
});

/// The templates are part of the program and every path through them is tested; should one fail
/// all the same, an incident with a plain text is better than none.
fn render(language: Language, step: Step, facts: &impl Serialize) -> String {
    let template = ENVIRONMENT.get_template(&path(language, step));
    let text = template.and_then(|template| template.render(facts));
    let text = text.unwrap_or_else(|_| Tongue::of(language).plain().to_owned());
    text.trim().to_owned()
}
