//! Whatever the network and the targets do.

use std::time::Duration;

use proptest::prelude::*;

use super::super::{at, check, component, observed};
use super::*;
use crate::engine::{Decision, Engine, State};

/// What a check finds, and what the references do.
#[derive(Clone, Debug)]
enum Step {
    Check(&'static str, bool),
    References([bool; 3]),
}

fn steps() -> impl Strategy<Value = Vec<(Step, i64)>> {
    let step = prop_oneof![
        3 => (prop_oneof![Just("portal"), Just("desk")], any::<bool>())
            .prop_map(|(name, passes)| Step::Check(name, passes)),
        1 => any::<[bool; 3]>().prop_map(Step::References),
    ];
    prop::collection::vec((step, 1_i64..20), 1..60)
}

fn entries(steps: &[(Step, i64)]) -> Vec<(Timestamp, Input)> {
    let mut entries = vec![(at(0), Input::PolicyChanged(Box::new(guarded())))];
    // One that never answered counts for nothing.
    for name in REFERENCES {
        entries.push((at(0), observed(reference(name), at(0), vec![well()])));
    }
    let mut secs = 0;
    for (step, wait) in steps {
        secs += wait;
        let finding = |passes| if passes { well() } else { timeout() };
        let mut add = |id, passes| {
            let heard = at(secs) + Duration::from_millis(50);
            entries.push((heard, observed(id, at(secs), vec![finding(passes)])));
        };
        match step {
            Step::Check(name, passes) => add(check(name), *passes),
            Step::References(answers) => {
                REFERENCES.iter().zip(answers).for_each(|(name, answer)| {
                    add(reference(name), *answer);
                });
            }
        }
    }
    entries
}

fn run(engine: &mut Engine, entries: &[(Timestamp, Input)]) -> Decision {
    let mut all = Decision::default();
    for (now, input) in entries {
        join(&mut all, engine.handle(input, *now));
    }
    all
}

fn join(all: &mut Decision, more: Decision) {
    all.actions.extend(more.actions);
    all.events.extend(more.events);
}

fn statuses(engine: &Engine) -> Vec<(ComponentId, ComponentStatus)> {
    let components = engine.state().components();
    components.iter().map(|(id, state)| (id.clone(), state.status)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_vantage_that_loses_its_network_opens_and_resolves_nothing(steps in steps()) {
        let entries = entries(&steps);
        let mut engine = Engine::default();
        let _ = run(&mut engine, &entries);
        let mut now = entries[entries.len() - 1].0;
        // What waits has its answer before the network is lost.
        now = now + Duration::from_secs(60);
        let _ = engine.settle(now);
        for name in REFERENCES {
            let _ = engine.handle(&observed(reference(name), now, vec![timeout()]), now);
        }
        prop_assert!(engine.state().network().lost_since().is_some());
        let (before, open) = (statuses(&engine), engine.state().incidents().len());
        for _ in 0..100 {
            now = now + Duration::from_secs(30);
            for name in ["portal", "desk"] {
                let _ = engine.handle(&observed(check(name), now, vec![timeout()]), now);
            }
            prop_assert_eq!(statuses(&engine), before.clone());
            prop_assert_eq!(engine.state().incidents().len(), open);
        }
        // And goes on: what is down is found.
        for _ in 0..4 {
            now = now + Duration::from_secs(30);
            let _ = engine.handle(&observed(check("portal"), now, vec![timeout()]), now);
            for name in REFERENCES {
                let later = now + Duration::from_secs(6);
                let _ = engine.handle(&observed(reference(name), later, vec![well()]), later);
            }
        }
        prop_assert_eq!(engine.state().components()[&component("portal")].status,
            ComponentStatus::MajorOutage);
    }

    #[test]
    fn nothing_waits_for_ever(steps in steps()) {
        let mut engine = Engine::default();
        let entries = entries(&steps);
        let _ = run(&mut engine, &entries);
        let mut woken = 0;
        while engine.state().network().waiting() > 0 {
            let wakeup = engine.next_wakeup().unwrap();
            prop_assert!(wakeup.at > engine.state().now());
            let _ = engine.settle(wakeup.at);
            woken += 1;
            prop_assert!(woken < 1000);
        }
        let last = entries[entries.len() - 1].0;
        prop_assert!(engine.state().now().since(last) <= Duration::from_secs(21));
    }

    #[test]
    fn with_the_references_well_all_is_found_as_without(steps in steps()) {
        let mut with = Engine::default();
        let mut without = Engine::default();
        for (now, input) in entries(&steps) {
            let alone = match &input {
                Input::PolicyChanged(policy) => {
                    let mut policy = policy.clone();
                    policy.prober.references.clear();
                    policy.prober.confirm_after = crate::model::Span::ZERO;
                    Input::PolicyChanged(policy)
                }
                Input::Observed(seen) if seen.check.as_str().starts_with("prober/") => continue,
                // So that nothing spans both platforms.
                Input::Observed(seen) if seen.check == check("desk") => continue,
                Input::Observed(_) | Input::Maintenance(_) | Input::Operator(_) => input.clone(),
            };
            let _ = with.handle(&input, now);
            let _ = without.handle(&alone, now);
            for name in REFERENCES {
                let later = now + Duration::from_millis(100);
                let _ = with.handle(&observed(reference(name), later, vec![well()]), later);
            }
            prop_assert_eq!(with.state().network().waiting(), 0);
            prop_assert_eq!(statuses(&with), statuses(&without));
        }
    }

    #[test]
    fn a_snapshot_and_ticks_change_nothing(steps in steps(), cut in any::<prop::sample::Index>()) {
        let entries = entries(&steps);
        let mut whole = Engine::default();
        let all = run(&mut whole, &entries);
        let (first, rest) = entries.split_at(cut.index(entries.len()));
        let mut engine = Engine::default();
        let mut told = run(&mut engine, first);
        let saved = serde_json::to_string(engine.state()).unwrap();
        let state: State = serde_json::from_str(&saved).unwrap();
        let mut engine = Engine::new(state);
        for entry in rest {
            while let Some(wakeup) = engine.next_wakeup().filter(|wakeup| wakeup.at <= entry.0) {
                join(&mut told, engine.settle(wakeup.at));
            }
            join(&mut told, engine.handle(&entry.1, entry.0));
        }
        prop_assert_eq!(engine.state(), whole.state());
        prop_assert_eq!(told, all);
    }
}
