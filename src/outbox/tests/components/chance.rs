//! Whatever is lost, killed, held or touched by people in between: in the end the component is
//! well, or as a person set it.

use proptest::prelude::*;

use super::*;

#[derive(Clone, Copy, Debug)]
enum Event {
    /// One of two incidents is so bad, or over.
    Step(bool, ComponentStatus),
    /// A person sets the component, to what farol never says here.
    Set(bool),
    /// A person opens something that has it, or ends it.
    Open(bool),
    /// What is asked next is carried out or not, and the answer lost or the process killed.
    Lost {
        arrives: bool,
        killed: bool,
    },
    /// What is asked is answered for a while.
    Serve,
    Restart,
}

fn event() -> impl Strategy<Value = Event> {
    let status = prop_oneof![Just(Operational), Just(PartialOutage), Just(MajorOutage)];
    prop_oneof![
        4 => (any::<bool>(), status).prop_map(|(which, status)| Event::Step(which, status)),
        1 => any::<bool>().prop_map(Event::Set),
        1 => any::<bool>().prop_map(Event::Open),
        3 => any::<(bool, bool)>().prop_map(|(arrives, killed)| Event::Lost { arrives, killed }),
        3 => Just(Event::Serve),
        1 => Just(Event::Restart),
    ]
}

/// Two incidents at a time; what is over is followed by another.
#[derive(Debug, Default)]
struct Incidents([(u32, u32); 2]);

impl Incidents {
    fn step(&mut self, which: bool, secs: i64, desk: ComponentStatus) -> Option<Action> {
        let (round, sequence) = self.0.get_mut(usize::from(which)).unwrap();
        let key = format!("{which}-{round}");
        let kind = match (*sequence, desk) {
            (0, Operational) => return None,
            (0, _) => Open,
            (_, Operational) => Resolve,
            _ => Update,
        };
        *sequence += 1;
        let action = step(&key, *sequence, kind, secs, desk);
        if kind == Resolve {
            (*round, *sequence) = (*round + 1, 0);
        }
        Some(action)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn in_the_end_it_is_well_or_as_a_person_set_it(
        events in prop::collection::vec(event(), 1..40),
    ) {
        let (mut outbox, mut page) = (outbox(), Page::new());
        let mut incidents = Incidents::default();
        let mut touched = false;
        let mut secs = 0;
        for event in events {
            secs += 1_000;
            match event {
                Event::Step(which, desk) => {
                    if let Some(action) = incidents.step(which, secs, desk) {
                        outbox.push(action);
                    }
                }
                Event::Set(under_way) => {
                    touched = true;
                    page.desk = if under_way {
                        ComponentStatus::UnderMaintenance
                    } else {
                        ComponentStatus::DegradedPerformance
                    };
                }
                Event::Open(open) => page.open = open.then(|| RemoteId::new("human")),
                Event::Lost { arrives, killed } => {
                    let Some(attempt) = outbox.next(at(secs)) else { continue };
                    let saved = outbox.clone();
                    if arrives {
                        page.carry_out(&attempt.request);
                    }
                    if killed {
                        outbox = restarted(&saved, at(secs));
                    } else {
                        let _told = outbox.outcome(attempt.id, uncertain(), at(secs));
                    }
                }
                Event::Serve => {
                    page.serve(&mut outbox, at(secs));
                }
                Event::Restart => outbox = restarted(&outbox, at(secs)),
            }
        }
        page.open = None;
        for which in [false, true] {
            secs += 1_000;
            if let Some(action) = incidents.step(which, secs, Operational) {
                outbox.push(action);
            }
        }
        for _ in 0..3 {
            secs += 1_000;
            page.serve(&mut outbox, at(secs));
        }
        let theirs =
            [ComponentStatus::UnderMaintenance, ComponentStatus::DegradedPerformance];
        prop_assert!(page.desk == Operational || (touched && theirs.contains(&page.desk)), "{}", page.desk);
        prop_assert!(!touched || theirs.contains(&page.desk), "a person's was undone");
        prop_assert_eq!((outbox.pending(), outbox.next_wakeup()), (0, None));
        prop_assert!(!outbox.state().to_json().unwrap().contains("board"));
    }
}
