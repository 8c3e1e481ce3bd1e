//! The public words: grammar by example, and what must never be among them.

use proptest::prelude::*;

use super::properties::SECRET;
use super::{Rig, at, component, degraded, fail, pass, policy, refused, skewed, slow};
use crate::model::{Action, Finding, Language, Policy, Reason, Span, Subject};
use crate::words::Tongue;

const ENGLISH: Language = Language::English;

const WHOLE: Subject = Subject::Whole;

/// What holds for every text: it says something, in whole sentences, fits in, and gives nothing
/// away.
pub(super) fn check_words(action: &Action) {
    let (title, body) = (&action.title, &action.body);
    assert!((1..=255).contains(&title.chars().count()), "{title}");
    assert!((1..=25_000).contains(&body.chars().count()), "{body}");
    assert!(!title.contains('\n') && !title.ends_with('.'), "{title}");
    assert!(body.ends_with('.') && !body.contains("\n\n\n"), "{body}");
    for text in [title, body] {
        assert!(!text.contains("  ") && !text.contains(" ."), "{text}");
        assert!(!text.contains('{') && !text.contains("none") && !text.contains("undefined"));
        assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{text:?}");
        for leak in
            ["192.0.2", "check", "tenant", "acme", "refused", "errno", "internal", "year", SECRET]
        {
            assert!(!text.contains(leak) || leak == "check" && is_last_checked(text), "{text}");
        }
    }
}

/// "Our monitoring last checked at" is the one place where the word is meant.
fn is_last_checked(text: &str) -> bool {
    text.matches("check").count() == text.matches("monitoring last checked at").count()
}

/// The title and the first line of an incident that opens with this finding of each component.
fn opens(names: &[&str], finding: &Finding) -> (String, String) {
    let mut policy = policy(names);
    for check in policy.checks.values_mut() {
        check.at_worst = crate::model::ComponentStatus::Operational;
    }
    let mut rig = Rig::new(policy.clone());
    for secs in [0, 10, 20] {
        for name in names {
            let others = finding.subject.address().map(|_| pass(super::backend(9)));
            let found = std::iter::once(finding.clone()).chain(others).collect();
            rig.see(secs, &name.to_lowercase(), found);
        }
    }
    for check in policy.checks.values_mut() {
        check.at_worst = crate::model::ComponentStatus::MajorOutage;
    }
    rig.adopt(30, policy);
    check_words(rig.last());
    let (first, _) = rig.last().body.split_once("\n\n").unwrap();
    (rig.last().title.clone(), first.to_owned())
}

fn outdated() -> Reason {
    Reason::RecordStale { place: SECRET.to_owned(), age: Span::from_secs(7200) }
}

#[test]
fn every_symptom_has_its_words() {
    let some = super::backend(1);
    let cases = [
        fail(WHOLE, refused()),
        fail(some, refused()),
        fail(WHOLE, skewed()),
        fail(some, skewed()),
        degraded(WHOLE, slow()),
        degraded(WHOLE, skewed()),
        degraded(WHOLE, Reason::ClockJump { by: -30_000_000 }),
        degraded(some, Reason::ClockDrift { rate: 600 }),
        degraded(WHOLE, Reason::Body { expected: SECRET.to_owned() }),
        fail(WHOLE, outdated()),
        fail(some, outdated()),
        degraded(WHOLE, outdated()),
        degraded(WHOLE, Reason::OwnTrouble { detail: SECRET.to_owned() }),
    ];
    let mut texts = String::new();
    for finding in &cases {
        for names in [&["Desk"][..], &["Desk", "Portal"]] {
            let (title, first) = opens(names, finding);
            texts.push_str(&format!("{title}\n    {}\n", first.replace('\n', "\n    ")));
        }
    }
    insta::assert_snapshot!(texts);
}

#[test]
fn an_outage_sounds_like_what_fails_and_not_like_what_is_slow_beside_it() {
    let mut rig = Rig::new(policy(&["Portal"]));
    let found = [fail(super::backend(1), skewed()), degraded(super::backend(2), slow())];
    for secs in [0, 10, 20] {
        rig.see(secs, "portal", found.to_vec());
    }
    assert_eq!(rig.last().title, "Portal is not working properly for some users");
}

#[test]
fn many_components_are_counted() {
    let names: Vec<String> = (10..40).map(|n| format!("C{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let (title, body) = opens(&names[..4], &fail(WHOLE, refused()));
    assert_eq!(title, "C10, C11 and 2 more components are unavailable");
    assert_eq!(body.lines().count(), 4);
    let (title, body) = opens(&names[..26], &fail(WHOLE, refused()));
    assert_eq!(title, "C10, C11 and 24 more components are unavailable");
    assert_eq!(body.lines().last(), Some("- 1 more component is affected."));
    let (_, body) = opens(&names, &fail(WHOLE, refused()));
    assert_eq!(body.lines().last(), Some("- 5 more components are affected."));
}

#[test]
fn the_longest_texts_fit() {
    let ids: Vec<String> = (100..200).map(|n| format!("c{n}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let mut policy = policy(&ids[..3]);
    let longest = |policy: &mut Policy| {
        for component in policy.components.values_mut() {
            component.name = "Ω".repeat(500);
        }
    };
    longest(&mut policy);
    let mut rig = Rig::new(policy);
    for id in &ids[..3] {
        rig.see_all(0, 30, id, &fail(super::backend(1), skewed()));
    }
    assert!(rig.last().title.chars().count() <= 255, "{}", rig.last().title);
    let mut policy = super::policy(&ids);
    longest(&mut policy);
    rig.adopt(30, policy);
    for id in &ids[3..] {
        rig.see_all(30, 60, id, &fail(super::backend(1), skewed()));
    }
    assert_eq!(rig.last().components.len(), 100);
    assert!(rig.last().title.chars().count() <= 255, "{}", rig.last().title);
    assert!(rig.last().body.chars().count() <= 25_000);
}

#[test]
fn lists_read_well() {
    let list = |count: usize| {
        let names: Vec<String> = ["A", "B", "C", "D"][..count].iter().map(|&n| n.into()).collect();
        Tongue::of(ENGLISH).list(&names, 3)
    };
    let lists: Vec<String> = (0..=4).map(list).collect();
    assert_eq!(lists, ["", "A", "A and B", "A, B and C", "A, B and 2 more components"]);
}

#[test]
fn names_are_one_clean_line() {
    assert_eq!(
        Tongue::of(ENGLISH).name("Conversation\u{202E}\u{7} \t\r\n panel "),
        "Conversation panel"
    );
    assert_eq!(Tongue::of(ENGLISH).name("\u{0}\n"), "A component");
    assert_eq!(Tongue::of(ENGLISH).name("Atendimento <b>& Cª</b>"), "Atendimento <b>& Cª</b>");
    assert_eq!(Tongue::of(ENGLISH).name(&"ã".repeat(61)), "ã".repeat(60) + "…");
}

#[test]
fn lengths_of_time_read_well() {
    let exactly = |millis| Tongue::of(ENGLISH).exactly(Span::from_millis(millis).to_duration());
    assert_eq!(exactly(1_800_000), "30 minutes");
    assert_eq!(exactly(90_000), "1 minute 30 seconds");
    assert_eq!(exactly(500), "1 second");
    assert_eq!(exactly(90_061_000), "1 day 1 hour 1 minute 1 second");

    let lasted = |from, to| Tongue::of(ENGLISH).lasted(at(from), at(to));
    assert_eq!(lasted(0, 0), "less than a second");
    assert_eq!(lasted(5, 64), "59 seconds");
    assert_eq!(lasted(0, 260), "4 minutes 20 seconds");
    // 10:40:50 to 12:30:05 reads as 10:40 to 12:30, which anybody reckons as an hour and fifty.
    assert_eq!(lasted(50, 6605), "1 hour 50 minutes");
    assert_eq!(lasted(0, 90_000), "1 day 1 hour");
    assert_eq!(lasted(0, 86_400 + 60), "1 day");
}

#[test]
fn moments_carry_the_zone_of_the_page() {
    let zone = |name: &str| name.parse::<chrono_tz::Tz>().unwrap();
    let moment = |name| Tongue::of(ENGLISH).moment(at(0), zone(name));
    assert_eq!(moment("America/Sao_Paulo"), "10:40 (GMT-03:00) on 15 September 2021");
    assert_eq!(moment("Asia/Kathmandu"), "19:25 (GMT+05:45) on 15 September 2021");
    assert_eq!(moment("UTC"), "13:40 (UTC) on 15 September 2021");

    let period = |from, to, name| Tongue::of(ENGLISH).period(at(from), at(to), zone(name));
    assert_eq!(
        period(0, 6600, "America/Sao_Paulo"),
        "from 10:40 to 12:30 (GMT-03:00) on 15 September 2021"
    );
    assert_eq!(
        period(7, 40, "America/Sao_Paulo"),
        "from 10:40:07 to 10:40:40 (GMT-03:00) on 15 September 2021"
    );
    assert_eq!(
        period(0, 50_000, "America/Sao_Paulo"),
        "from 10:40 on 15 September 2021 to 00:33 (GMT-03:00) on 16 September 2021"
    );
    // The night of 31 October 2021, when the clocks of Paris were set back.
    let night = 1_635_638_400 - super::START;
    assert_eq!(
        period(night, night + 7200, "Europe/Paris"),
        "from 02:00 (GMT+02:00) to 03:00 (GMT+01:00) on 31 October 2021"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn any_name_fits_into_every_text(names in prop::collection::vec("(?s).{0,90}", 1..8)) {
        let ids: Vec<String> = (10..10 + names.len()).map(|n| format!("c{n}")).collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let mut policy = policy(&ids);
        for (id, name) in ids.iter().zip(&names) {
            policy.components.get_mut(&component(id)).unwrap().name.clone_from(name);
        }
        let mut rig = Rig::new(policy);
        for finding in [fail(WHOLE, refused()), pass(WHOLE)] {
            let from = i64::try_from(rig.actions.len()).unwrap() * 40;
            for id in &ids {
                rig.see_all(from, from + 30, id, &finding);
            }
        }
        prop_assert!(!rig.actions.is_empty());
        for action in &rig.actions {
            prop_assert!((1..=255).contains(&action.title.chars().count()));
            prop_assert!((1..=25_000).contains(&action.body.chars().count()));
            let controls = |text: &str| text.chars().any(|c| c.is_control() && c != '\n');
            prop_assert!(!controls(&action.title) && !controls(&action.body));
        }
    }
}
