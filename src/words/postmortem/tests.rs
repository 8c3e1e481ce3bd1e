//! Drafts of postmortems, read in every language.

use std::collections::{BTreeMap, BTreeSet};

use chrono_tz::Tz;

use super::{ENVIRONMENT, marked, postmortem};
use crate::model::{
    Account, Affected, Cause, Change, ComponentId, ComponentStatus, Doubt, Happening, Impact,
    IncidentStatus, Language, Timestamp,
};

/// 15 September 2021, 10:40 in São Paulo.
fn at(secs: i64) -> Timestamp {
    Timestamp::from_secs(1_631_713_200 + secs)
}

fn affected(name: &str, since: i64, until: Option<i64>, checks: u32) -> Affected {
    Affected {
        name: name.to_owned(),
        worst: ComponentStatus::MajorOutage,
        seen: format!("{name} is unavailable"),
        since: at(since),
        recovered_at: until.map(at),
        failing: 1,
        checks,
    }
}

/// An incident in which everything happens that can.
fn account(language: Language) -> Account {
    let causes = [
        (Cause::ComponentFailed, IncidentStatus::Investigating),
        (Cause::ComponentJoined, IncidentStatus::Investigating),
        (Cause::GotWorse, IncidentStatus::Investigating),
        (Cause::OperatorNoted, IncidentStatus::Identified),
        (Cause::OperatorNoted, IncidentStatus::Identified),
        (Cause::HandedOver, IncidentStatus::Identified),
        (Cause::GotBetter, IncidentStatus::Identified),
        (Cause::AllRecovered, IncidentStatus::Monitoring),
        (Cause::FailedAgain, IncidentStatus::Investigating),
        (Cause::OperatorResolved, IncidentStatus::Resolved),
        (Cause::StayedWell, IncidentStatus::Resolved),
    ];
    let timeline = causes.into_iter().zip(1_i64..).map(|((cause, status), n)| {
        let bad = matches!(cause, Cause::ComponentFailed | Cause::GotWorse | Cause::FailedAgain);
        let well = matches!(cause, Cause::GotBetter | Cause::AllRecovered);
        let (to, seen) = if bad {
            (ComponentStatus::MajorOutage, "Desk is unavailable".to_owned())
        } else {
            (ComponentStatus::Operational, String::new())
        };
        let change = Change { name: "Desk".to_owned(), to, seen };
        let said = "We found it: *a switch*.\nMore <soon>.".to_owned();
        let (changes, words) = (
            if bad || well { vec![change] } else { Vec::new() },
            (cause == Cause::OperatorNoted).then_some(said),
        );
        Happening { at: at(n * 61), cause, status, changes, words }
    });
    Account {
        language,
        time_zone: Tz::America__Sao_Paulo,
        title: "Desk is unavailable".to_owned(),
        impact: Impact::Critical,
        started_at: at(0),
        opened_at: at(61),
        recovered_at: Some(at(488)),
        resolved_at: at(671),
        timeline: timeline.collect(),
        left_out: 3,
        components: BTreeMap::from([
            (ComponentId::new("blip/a"), affected("Portal", 122, None, 1)),
            (ComponentId::new("blip/b"), affected("Desk", 0, Some(488), 3)),
        ]),
        doubts: BTreeSet::from([
            Doubt::Unheard,
            Doubt::NetworkLost,
            Doubt::CalledOver,
            Doubt::Outlasted,
            Doubt::Ours,
        ]),
    }
}

/// Read these as somebody whose language it is.
#[test]
fn a_draft_reads_well_in_every_language() {
    for language in Language::ALL {
        insta::assert_snapshot!(
            format!("postmortem_{language}"),
            postmortem(&account(language), Some(at(63)))
        );
    }
}

#[test]
fn a_draft_is_whole_whatever_is_known() {
    let mut plain = account(Language::English);
    (plain.recovered_at, plain.left_out) = (None, 0);
    plain.doubts.clear();
    plain.timeline.truncate(1);
    for language in Language::ALL {
        plain.language = language;
        for (account, published) in [(&plain, None), (&account(language), Some(at(63)))] {
            let text = postmortem(account, published);
            assert!(text.starts_with("# Desk") && text.ends_with("*\n"), "{text}");
            for wrong in ["{", "}", "none", "undefined", "\n\n\n", "  \n", " ,", " .\n", ".."] {
                assert!(!text.contains(wrong), "{language}: {wrong:?} in {text}");
            }
            let sections = text.lines().filter(|line| line.starts_with("## ")).count();
            assert_eq!(sections, 6, "{text}");
        }
    }
}

#[test]
fn no_language_lacks_a_fact_or_a_case() {
    let facts = |language: Language| {
        let template = ENVIRONMENT.get_template(language.as_str()).unwrap();
        template.undeclared_variables(false)
    };
    let cases = |language| {
        let compared = super::source(language).split("== \"").skip(1);
        compared.map(|rest| rest.split('"').next().unwrap()).collect::<BTreeSet<_>>()
    };
    // English has Statuspage's own words for the degrees of impact.
    let degrees = ["critical", "major", "minor"];
    for language in Language::ALL {
        assert_eq!(facts(language), facts(Language::English), "{language}");
        let mut theirs = cases(language);
        theirs.retain(|word| !degrees.contains(word));
        assert_eq!(theirs, cases(Language::English), "{language}");
    }
    let known = cases(Language::English);
    for doubt in account(Language::English).doubts {
        let word = serde_json::to_value(doubt).unwrap();
        assert!(known.contains(word.as_str().unwrap()), "{word}");
    }
}

#[test]
fn nothing_that_is_named_becomes_markup() {
    assert_eq!(marked("a_b *c* <d> [e](f) #1"), r"a\_b \*c\* \<d\> \[e\](f) \#1");
    let mut account = account(Language::English);
    account.title = "# [x](http://evil) is down".to_owned();
    let text = postmortem(&account, None);
    assert!(text.starts_with("# \\# \\[x\\](http://evil) is down\n"), "{text}");
}
