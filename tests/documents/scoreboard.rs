//! The scoreboard in the documents is of all scenarios.

use farol::demo::scenario::collection;

use super::root;

#[test]
fn every_scenario_is_on_the_scoreboard() {
    let file = root().join("docs/five-incidents.md");
    // It takes many minutes to make, so it is not made for a test.
    let Ok(text) = std::fs::read_to_string(file) else { return };
    for id in collection::ids() {
        let picture = format!("five-incidents/{id}.svg");
        assert!(text.contains(&format!("](#{id})")), "{id} is not in docs/five-incidents.md");
        assert!(text.contains(&format!("]({picture})")), "{id} has no picture there");
        assert!(root().join("docs").join(&picture).is_file(), "docs/{picture} is not there");
    }
}
