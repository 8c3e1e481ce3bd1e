//! A platform's own words: templates that its people wrote, given the facts and what farol would
//! have said. What they come to is bounded; one that fails is as if it were not there, since an
//! incident in farol's words is better than none.

use std::fmt;

use minijinja::{Environment, Error, UndefinedBehavior, Value, context};
use serde::Serialize;

use super::Step;
use crate::model::{Impact, TextTemplate, Wording};

/// What a template is called in its environment.
const NAME: &str = "own";
/// How many instructions one text may take. The longest of ours take some hundreds.
const FUEL: u64 = 10_000;
/// How many characters a title may have: Statuspage's limit.
const LONGEST_TITLE: usize = 255;
/// How many characters a text may have, by the same.
const LONGEST_BODY: usize = 25_000;

/// What is wrong with a template, or with what it comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// It cannot be read, or fails while it is filled in.
    Fails {
        /// In which of its lines, counted from 1.
        line: Option<usize>,
        /// Why.
        reason: String,
    },
    /// It says nothing.
    Empty,
    /// It says too much.
    TooLong {
        /// How many characters it comes to.
        got: usize,
        /// How many there may be.
        most: usize,
    },
    /// A title has more than one line.
    SeveralLines,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fails { line: Some(line), reason } => write!(f, "fails in line {line}: {reason}"),
            Self::Fails { line: None, reason } => write!(f, "fails: {reason}"),
            Self::Empty => f.write_str("says nothing"),
            Self::TooLong { got, most } => {
                write!(f, "comes to {got} characters, of which there may be {most}")
            }
            Self::SeveralLines => f.write_str("makes a title of several lines"),
        }
    }
}

/// The template that `wording` has for `step`.
pub fn template(wording: &Wording, step: Step) -> Option<&TextTemplate> {
    let own = match step {
        Step::Title => &wording.title,
        Step::Investigating => &wording.investigating,
        Step::Monitoring => &wording.monitoring,
        Step::Resolved => &wording.resolved,
    };
    own.as_ref()
}

/// What `template` makes of a step of which farol would have said `text`.
pub(super) fn render(
    template: &TextTemplate,
    step: Step,
    impact: Impact,
    text: &str,
    facts: &impl Serialize,
) -> Result<String, Flaw> {
    let facts = context! { text, impact, ..Value::from_serialize(facts) };
    let environment = template.parsed(parse).as_ref().map_err(fails)?;
    let template = environment.get_template(NAME).map_err(|error| fails(&error))?;
    let rendered = template.render(facts).map_err(|error| fails(&error))?;
    let rendered = rendered.trim();
    let most = if step == Step::Title { LONGEST_TITLE } else { LONGEST_BODY };
    let got = rendered.chars().count();
    if got == 0 {
        Err(Flaw::Empty)
    } else if got > most {
        Err(Flaw::TooLong { got, most })
    } else if step == Step::Title && rendered.contains('\n') {
        Err(Flaw::SeveralLines)
    } else {
        Ok(rendered.to_owned())
    }
}

/// The template as it is rendered, alone in its environment.
fn parse(source: &str) -> Result<Environment<'static>, Error> {
    let mut environment = Environment::new();
    environment.set_trim_blocks(true);
    environment.set_lstrip_blocks(true);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    environment.add_template_owned(NAME, source.to_owned())?;
    Ok(environment)
}

fn fails(error: &Error) -> Flaw {
    let reason = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
    Flaw::Fails { line: error.line(), reason }
}

/// `text` with the line that every text of the platform ends with.
pub(super) fn with_ending(text: String, wording: &Wording) -> String {
    match &wording.ending {
        Some(ending) => format!("{text}\n\n{ending}"),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use chrono_tz::Tz;

    use super::super::sample::{Sample, Stage, every};
    use super::super::{Step, Text};
    use crate::model::{Language, Wording};

    const STAGE: Stage<'_> = Stage {
        language: Language::English,
        zone: Tz::America__Sao_Paulo,
        names: &["Desk", "Portal", "CRM", "Core", "Analytics"],
    };

    fn said(wording: &Wording) -> Vec<(Step, Text)> {
        let tell = |it: &Sample| it.try_tell(Language::English, wording).unwrap();
        every(&STAGE).iter().map(|it| (it.step, tell(it))).collect()
    }

    #[test]
    fn own_words_stand_instead_of_farols_around_them_and_by_impact() {
        let wording = Wording {
            title: Some("[{{ impact }}] {{ text }}".into()),
            investigating: Some(
                "{% if impact == \"critical\" %}Sorry!\n\n{% endif %}{{ text }}".into(),
            ),
            resolved: Some("Over. {{ all.list }}, {{ watch.period if watch }}.".into()),
            ending: Some("Ask us: https://help.blip.example/".to_owned()),
            ..Wording::default()
        };
        let farols = said(&Wording::default());
        let (mut sorry, mut plain) = (0, 0);
        for ((step, own), (_, farols)) in said(&wording).into_iter().zip(farols) {
            assert!(own.title.starts_with("[m") || own.title.starts_with("[critical] "), "{own:?}");
            assert!(own.title.ends_with(&format!("] {}", farols.title)), "{own:?}");
            let body = own.body.strip_suffix("\n\nAsk us: https://help.blip.example/").unwrap();
            match step {
                Step::Resolved => assert!(body.starts_with("Over. "), "{body}"),
                Step::Monitoring => assert_eq!(body, farols.body),
                Step::Investigating if own.title.starts_with("[critical]") => {
                    assert_eq!(body, format!("Sorry!\n\n{}", farols.body));
                    sorry += 1;
                }
                Step::Investigating => {
                    assert_eq!(body, farols.body);
                    plain += 1;
                }
                Step::Title => unreachable!("no sample is one"),
            }
        }
        assert!(sorry > 3 && plain > 3, "{sorry} {plain}");
    }

    #[test]
    fn what_fails_is_told_and_bounded_and_farols_words_stand_in_for_it() {
        let flawed = |template: &str| {
            let wording = Wording { title: Some(template.into()), ..Wording::default() };
            let sample = every(&STAGE).remove(0);
            let told = sample.tell_as(Language::English, &wording);
            assert_eq!(told, sample.tell(Language::English), "{template}");
            sample.try_tell(Language::English, &wording).unwrap_err().1.to_string()
        };
        assert!(flawed("{{ nothing_like_it }}").contains("undefined"));
        assert!(flawed("a\n{% if %}").starts_with("fails in line 2: "));
        assert_eq!(flawed("{% if false %}x{% endif %}"), "says nothing");
        assert_eq!(flawed("a\nb"), "makes a title of several lines");
        assert!(flawed("{% for i in range(99) %}abc{% endfor %}").starts_with("comes to 297"));
        let endless =
            "{% for i in range(9999) %}{% for j in range(9999) %}x{% endfor %}{% endfor %}";
        assert!(flawed(endless).contains("fuel"), "{}", flawed(endless));
    }

    #[test]
    fn the_document_names_every_fact_that_a_template_can_use() {
        let document = include_str!("../../docs/words.md");
        let mut seen = 0;
        for fact in every(&STAGE).iter().flat_map(|sample| sample.facts()) {
            assert!(document.contains(&format!("`{fact}`")), "docs/words.md lacks `{fact}`");
            seen += 1;
        }
        assert!(seen > 100);
    }
}
