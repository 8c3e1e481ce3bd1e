//! The languages held against each other, and read.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use chrono_tz::Tz;

use super::sample::{self, Stage};
use super::template::{ENVIRONMENT, path};
use super::{Step, Text, Tongue};
use crate::model::{Language, Span, Timestamp};

const NAMES: [&str; 5] = ["Portal", "Desk", "CRM", "Analytics", "Chat"];

fn others() -> impl Iterator<Item = Language> {
    Language::ALL.into_iter().filter(|language| *language != Language::English)
}

/// Every sample in `language`, with what it is about.
fn texts(language: Language) -> Vec<(&'static str, Text)> {
    let stage = Stage { language, zone: Tz::America__Sao_Paulo, names: &NAMES };
    sample::every(&stage).iter().map(|sample| (sample.about, sample.tell(language))).collect()
}

fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty()).map(str::to_lowercase)
}

fn words_of(language: Language) -> BTreeSet<String> {
    let texts = texts(language).into_iter();
    texts
        .flat_map(|(_, text)| words(&format!("{} {}", text.title, text.body)).collect::<Vec<_>>())
        .collect()
}

/// A sentence that is new in English is missing elsewhere as long as what it depends on is.
#[test]
fn no_language_lacks_what_another_has() {
    let facts = |language, step| {
        let environment = &*ENVIRONMENT;
        let template = environment.get_template(&path(language, step)).unwrap();
        template.undeclared_variables(true)
    };
    let mut missing = BTreeMap::new();
    for step in Step::ALL {
        let english = facts(Language::English, step);
        for language in others() {
            let other = facts(language, step);
            for fact in english.symmetric_difference(&other) {
                let here = if other.contains(fact) { "only here" } else { "not here" };
                missing.insert((path(language, step), fact.clone()), here);
            }
        }
    }
    // Each language has its own verbs: whether it needs to know that there are several, it decides.
    missing.retain(|(_, fact), _| !fact.ends_with(".several"));
    assert!(missing.is_empty(), "translations are missing: {missing:#?}");
}

#[test]
fn every_word_that_is_compared_is_compared_everywhere() {
    let compared = |language, step| {
        let source = super::template::source(language, step);
        let quoted = source.split("== \"").skip(1).map(|rest| rest.split('"').next().unwrap());
        quoted.filter(|word| !word.starts_with(' ') && *word != "still").collect::<BTreeSet<_>>()
    };
    for step in Step::ALL {
        for language in others() {
            assert_eq!(
                compared(language, step),
                compared(Language::English, step),
                "{language} {step:?}"
            );
        }
    }
}

#[test]
fn no_language_has_english_words_left_over() {
    let english = words_of(Language::English);
    assert!(english.len() > 100, "only {} words were seen", english.len());
    for language in others() {
        let shared: &[&str] = match language {
            Language::English => &[],
            Language::Portuguese => &["a", "as", "for", "gmt", "login", "no", "normal", "status"],
            Language::Spanish => &["a", "as", "gmt", "no"],
            Language::French => &[
                "a",
                "gmt",
                "incident",
                "minutes",
                "est",
                "on",
                "dates",
                "clients",
                "maintenance",
                "situation",
                "six",
                "tests",
            ],
        };
        let left: Vec<String> = words_of(language)
            .into_iter()
            .filter(|word| english.contains(word) && !shared.contains(&word.as_str()))
            .filter(|word| !NAMES.iter().any(|name| name.to_lowercase() == *word))
            .collect();
        assert!(left.is_empty(), "{language}: {left:?}");
    }
}

#[test]
fn every_text_is_whole_in_every_language() {
    for language in Language::ALL {
        let plain = Tongue::of(language).plain();
        for (about, Text { title, body }) in texts(language) {
            assert!(title != plain && body != plain, "{language}, {about}: a template fails");
            assert!(!title.contains('\n') && !title.ends_with('.'), "{title}");
            assert!(body.ends_with('.') && !body.contains("\n\n\n"), "{body}");
            for text in [&title, &body] {
                for wrong in ["  ", " .", " ,", "..", "{", "}", "none", "undefined", "\n "] {
                    assert!(!text.contains(wrong), "{language}, {about}: {wrong:?} in {text}");
                }
                assert!(
                    text.chars().next().is_some_and(|c| c.is_uppercase() || c == '-'),
                    "{text}"
                );
            }
        }
    }
}

/// Read these as somebody whose language it is.
#[test]
fn the_samples_read_well() {
    for language in Language::ALL {
        let mut read = String::new();
        for (about, text) in texts(language) {
            let body = text.body.replace('\n', "\n    ").replace("    \n", "\n");
            writeln!(read, "# {about}\n{}\n    {body}\n", text.title).unwrap();
        }
        insta::assert_snapshot!(format!("samples_{language}"), read);
    }
}

#[test]
fn the_longest_names_fit_into_every_language() {
    let longest = "Ω".repeat(500);
    let names = [longest.as_str()];
    for language in Language::ALL {
        let stage = Stage { language, zone: Tz::Asia__Kathmandu, names: &names };
        for sample in sample::every(&stage) {
            let text = sample.tell(language);
            assert!(
                text.title.chars().count() <= 255,
                "{language}, {}: {}",
                sample.about,
                text.title
            );
            assert!(text.body.chars().count() <= 25_000);
        }
    }
}

fn at(text: &str) -> Timestamp {
    Timestamp::from_secs(chrono::DateTime::parse_from_rfc3339(text).unwrap().timestamp())
}

#[test]
fn times_and_lengths_read_well() {
    let mut read = String::new();
    let zone = Tz::America__Sao_Paulo;
    let periods = [
        ("2021-09-15T10:40:00-03:00", "2021-09-15T12:30:00-03:00"),
        ("2021-08-01T01:05:07-03:00", "2021-08-01T01:05:40-03:00"),
        ("2021-03-31T22:00:00-03:00", "2021-04-01T01:33:00-03:00"),
        ("2018-11-03T23:00:00-03:00", "2018-11-04T03:00:00-02:00"),
    ];
    for language in Language::ALL {
        let tongue = Tongue::of(language);
        writeln!(read, "# {language}").unwrap();
        for (from, to) in periods.map(|(from, to)| (at(from), at(to))) {
            writeln!(read, "{}", tongue.period(from, to, zone)).unwrap();
            writeln!(read, "{}; {}", tongue.moment(from, zone), tongue.time(to, zone)).unwrap();
            writeln!(read, "{}", tongue.lasted(from, to)).unwrap();
        }
        for millis in [0, 500, 60_000, 90_000, 90_061_000, 180_122_000] {
            let length = tongue.exactly(Span::from_millis(millis).to_duration());
            writeln!(read, "{length}").unwrap();
        }
        for (failing, total) in [(1, 2), (2, 3), (12, 13)] {
            let (servers, tests) =
                (tongue.of_servers(failing, total), tongue.of_tests(failing, total));
            writeln!(read, "{servers} {tests}").unwrap();
        }
        writeln!(read, "{}; {}\n", tongue.name("\n"), tongue.plain()).unwrap();
    }
    insta::assert_snapshot!(read);
}

#[test]
fn lists_read_well() {
    let list = |language, names: &[&str]| {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        Tongue::of(language).list(&names, 3)
    };
    assert_eq!(list(Language::Portuguese, &["A", "B"]), "A e B");
    assert_eq!(list(Language::Portuguese, &["A", "B", "C", "D"]), "A, B e mais 2 componentes");
    assert_eq!(list(Language::French, &["A", "B", "C"]), "A, B et C");
    assert_eq!(list(Language::French, &["A", "B", "C", "D", "E"]), "A, B et 3 autres composants");
    assert_eq!(list(Language::Spanish, &["A", "B", "C", "D"]), "A, B y 2 componentes más");
    // "y" is lost before its own sound, and in Spanish only.
    for (last, joined) in [
        ("Inicio", "Chat e Inicio"),
        ("Índices", "Chat e Índices"),
        ("Historial", "Chat e Historial"),
        ("Hielo", "Chat y Hielo"),
        ("Desk", "Chat y Desk"),
        ("Hosting", "Chat y Hosting"),
    ] {
        assert_eq!(list(Language::Spanish, &["Chat", last]), joined);
    }
}
