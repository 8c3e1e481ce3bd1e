//! The scenarios as tests, for either player, and a small one to break on purpose.

use farol::demo::judge::Outcome;
use farol::demo::scenario::{Scenario, collection, read};

/// A test for each scenario, which `$passes` plays, ignored for the reason `$why`; and that none is
/// left out.
macro_rules! each_scenario {
    ($passes:ident, $why:literal) => {
        each_scenario! { $passes, $why,
            a_clock_in_next_year: "2021-09-15",
            histories_that_are_wrong: "2021-10-08",
            a_slow_root_and_stale_data: "2023-02-01",
            a_login_that_breaks_for_some: "2024-11-14",
            a_maintenance_that_goes_wrong: "2024-11-20",
            a_healthy_day_with_loss: "healthy",
            our_own_network_down: "own-network",
            our_own_clock_set: "own-clock",
            servers_replaced_one_by_one: "rolling-deploy",
            a_maintenance_as_planned: "planned-maintenance",
        }
    };
    ($passes:ident, $why:literal, $($name:ident: $id:literal),+ $(,)?) => {
        $(
            #[tokio::test(flavor = "multi_thread")]
            #[ignore = $why]
            async fn $name() {
                $passes($id).await;
            }
        )+

        #[test]
        fn every_scenario_is_played_here() {
            assert_eq!(collection::ids().collect::<Vec<_>>(), [$($id),+]);
        }
    };
}

pub(crate) use each_scenario;

/// How often each scenario is played.
#[expect(clippy::disallowed_methods, reason = "whoever runs the tests says how often")]
pub(crate) fn rounds() -> u32 {
    std::env::var("FAROL_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(1)
}

/// Prints what the rounds of a scenario came to; every one must be right.
pub(crate) fn all_right(id: &str, outcomes: &[Outcome]) {
    let longest = outcomes.iter().filter_map(Outcome::longest_lag).max();
    let longest = longest.map_or_else(|| "nothing told".to_owned(), |lag| lag.to_string());
    let mut failed = 0;
    for (round, outcome) in outcomes.iter().enumerate().filter(|(_, it)| !it.is_right()) {
        println!("round {round}: {:#?}", outcome.wrongs);
        failed += 1;
    }
    let played = outcomes.len();
    println!("{id}: {played} rounds, {failed} failed; first words after at most {longest}");
    assert_eq!(failed, 0, "{id}: of {played} rounds so many failed");
}

/// A story of a quarter of an hour, played live in as many seconds, in which at 10:34 something
/// happens that `event` says, and is told to be so of the component.
pub(crate) fn short(event: &str, component: &str, status: &str) -> Scenario {
    let text = format!(
        r#"
[scenario]
id = "short"
title = "A story for the test"
about = "For the test."
platform = "blip"
begins = "2021-09-15 10:30"
ends = "2021-09-15 10:46"
speed = 60

[[event]]
at = "10:34"
says = "something happens"
{event}

[[expect]]
from = "10:34"
within = "1m"
says = "it is told"
components = {{ {component} = "{status}" }}
incidents = 1
status = "investigating"
impact = "critical"
"#
    );
    read("short.toml", &text, collection::cast_of).unwrap()
}
