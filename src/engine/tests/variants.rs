//! Checks that run once for each of several values: k of n, whose status that is, what the public
//! reads of it; and what it reads of logins.

use proptest::prelude::*;

use super::addresses::{reference, verdict, when};
use super::{
    Rig, backend, blind, check, degraded, fail, in_variant, pass, policy, refused, slow, tenant_of,
    times,
};
use crate::engine::State;
use crate::model::{
    CheckPolicy, ComponentStatus, EventKind, Finding, Health, MajorWhen, Policy, Purpose, Reason,
    Subject, Threshold, Verdict,
};

const WHOLE: Subject = Subject::Whole;

fn with_check(change: impl Fn(&mut CheckPolicy)) -> Policy {
    let mut policy = policy(&["Desk"]);
    change(policy.checks.get_mut(&check("desk")).unwrap());
    policy
}

fn of_tenants(names: &[&str]) -> Policy {
    with_check(|check| check.variants = names.iter().map(|name| tenant_of(name)).collect())
}

fn three() -> Policy {
    of_tenants(&["a", "b", "c"])
}

fn good(tenant: &str) -> Finding {
    in_variant(tenant, pass(WHOLE))
}

fn bad(tenant: &str) -> Finding {
    in_variant(tenant, fail(WHOLE, refused()))
}

/// The same three times, which is enough to decide it.
fn see(rig: &mut Rig, secs: i64, found: &[Finding]) {
    for n in 0..3 {
        rig.see(secs + 10 * n, "desk", found.to_vec());
    }
}

/// The first line of what the public reads.
fn told(rig: &Rig) -> &str {
    rig.last().body.lines().next().unwrap()
}

fn found(tenant: &str, subject: Subject, verdict: Verdict) -> Finding {
    let finding = match verdict {
        Verdict::Inconclusive => blind(subject),
        Verdict::Pass => pass(subject),
        Verdict::Degraded => degraded(subject, slow()),
        Verdict::Fail => fail(subject, refused()),
    };
    in_variant(tenant, finding)
}

/// The status by the rules as one would say them of one round: of each variant's addresses, and
/// then of the variants.
fn of_both(when: MajorWhen, verdicts: &[Vec<Verdict>]) -> ComponentStatus {
    let told = |all: &&Vec<Verdict>| all.iter().any(|one| *one != Verdict::Inconclusive);
    let each: Vec<_> = verdicts.iter().filter(told).map(|all| reference(when, all)).collect();
    let is_major = |status| status == ComponentStatus::MajorOutage;
    let out = |status| if is_major(status) { Verdict::Fail } else { Verdict::Pass };
    let as_one: Vec<Verdict> = each.iter().map(|status| out(*status)).collect();
    let worst = each.iter().copied().max().unwrap_or(ComponentStatus::Operational);
    let together = reference(when, &as_one);
    if is_major(together) { together } else { worst.min(ComponentStatus::PartialOutage) }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_addresses_of_a_variant_decide_it_and_the_variants_decide_the_check(
        when in when(),
        verdicts in prop::collection::vec(prop::collection::vec(verdict(), 1..4), 1..6),
    ) {
        let names: Vec<String> = (0..verdicts.len()).map(|n| n.to_string()).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut policy = of_tenants(&names);
        for check in policy.checks.values_mut() {
            (check.major_when, check.fail_after) = (when, Threshold::in_a_row(times(1)));
        }
        let mut rig = Rig::new(policy);
        let findings = names.iter().zip(&verdicts).flat_map(|(name, verdicts)| {
            let each = (1..).zip(verdicts);
            each.map(|(n, verdict)| found(name, backend(n), *verdict)).collect::<Vec<_>>()
        });
        rig.see(0, "desk", findings.collect());
        prop_assert_eq!(rig.status("desk"), of_both(when, &verdicts), "{}", rig.journal);
    }
}

#[test]
fn one_of_three_is_partial_and_all_of_them_are_major() {
    let mut rig = Rig::new(three());
    see(&mut rig, 0, &[good("a"), bad("b"), good("c")]);
    assert_eq!(rig.status("desk"), ComponentStatus::PartialOutage);
    assert_eq!(rig.last().title, "Desk is unavailable for some users");
    let text = "Desk is currently unavailable for some customers. One of our three tests fails.";
    assert_eq!(told(&rig), text);
    see(&mut rig, 30, &[bad("a"), bad("b"), bad("c")]);
    assert_eq!(rig.status("desk"), ComponentStatus::MajorOutage);
    assert!(rig.last().body.contains("Desk is still unavailable.") || told(&rig).contains("worse"));
    assert!(!rig.last().body.contains("tests"), "{}", rig.last().body);
    see(&mut rig, 60, &[good("a"), good("b"), good("c")]);
    assert_eq!(rig.status("desk"), ComponentStatus::Operational);
}

#[test]
fn how_many_make_it_major_is_a_setting_as_with_addresses() {
    let statuses = |when| {
        (0..=3).map(move |failing| {
            let mut policy = three();
            for check in policy.checks.values_mut() {
                check.major_when = when;
                check.fail_after = Threshold::in_a_row(times(1));
            }
            let mut rig = Rig::new(policy);
            let found = ["a", "b", "c"].into_iter().enumerate();
            let found = found.map(|(n, name)| if n < failing { bad(name) } else { good(name) });
            rig.see(0, "desk", found.collect());
            rig.status("desk")
        })
    };
    use ComponentStatus::{MajorOutage as Major, Operational as Well, PartialOutage as Partial};
    assert!(statuses(MajorWhen::All).eq([Well, Partial, Partial, Major]));
    assert!(statuses(MajorWhen::Share(5_000)).eq([Well, Partial, Major, Major]));
    assert!(statuses(MajorWhen::Count(times(1))).eq([Well, Major, Major, Major]));
}

#[test]
fn each_variant_is_decided_by_its_own_runs() {
    let mut rig = Rig::new(three());
    // Three failures, but not three of anybody's.
    for (secs, failing) in [(0, "a"), (10, "b"), (20, "c")] {
        let found =
            ["a", "b", "c"].map(|name| if name == failing { bad(name) } else { good(name) });
        rig.see(secs, "desk", found.to_vec());
    }
    assert!(rig.actions.is_empty(), "{}", rig.journal);
    // One that nothing can be told of stays as it was.
    see(&mut rig, 30, &[bad("a"), good("b"), good("c")]);
    let unknown = in_variant("a", blind(WHOLE));
    see(&mut rig, 60, &[unknown, good("b"), good("c")]);
    assert_eq!(rig.status("desk"), ComponentStatus::PartialOutage);
}

#[test]
fn a_variant_with_several_servers_is_out_when_they_are() {
    let on = |tenant: &str, failing: &[u8]| -> Vec<Finding> {
        let found = (1..=3).map(|n| match failing.contains(&n) {
            true => fail(backend(n), refused()),
            false => pass(backend(n)),
        });
        found.map(|finding| in_variant(tenant, finding)).collect()
    };
    // One server is down for everybody: that is a matter of servers.
    let mut rig = Rig::new(three());
    let found = [on("a", &[2]), on("b", &[2]), on("c", &[2])].concat();
    see(&mut rig, 0, &found);
    assert_eq!(rig.status("desk"), ComponentStatus::PartialOutage);
    assert!(told(&rig).ends_with("One of its three servers is affected."), "{}", told(&rig));
    // One tenant is down on every server: that is one of our tests.
    let mut rig = Rig::new(three());
    let found = [on("a", &[]), on("b", &[1, 2, 3]), on("c", &[])].concat();
    see(&mut rig, 0, &found);
    assert_eq!(rig.status("desk"), ComponentStatus::PartialOutage);
    assert!(told(&rig).ends_with("One of our three tests fails."), "{}", told(&rig));
    // A name that does not resolve makes one of three fail as well.
    let mut rig = Rig::new(three());
    let found = [on("a", &[]), vec![bad("b")], on("c", &[])].concat();
    see(&mut rig, 0, &found);
    assert_eq!(rig.status("desk"), ComponentStatus::PartialOutage);
    // Everything is down.
    let found = [on("a", &[1, 2, 3]), vec![bad("b")], on("c", &[1, 2, 3])].concat();
    see(&mut rig, 30, &found);
    assert_eq!(rig.status("desk"), ComponentStatus::MajorOutage);
}

#[test]
fn a_variant_that_is_taken_away_no_longer_counts() {
    let mut rig = Rig::new(three());
    see(&mut rig, 0, &[good("a"), good("b"), bad("c")]);
    assert_eq!(rig.status("desk"), ComponentStatus::PartialOutage);
    rig.adopt(40, of_tenants(&["a", "b"]));
    assert_eq!(rig.status("desk"), ComponentStatus::Operational);
    // A run that was under way meanwhile.
    see(&mut rig, 50, &[good("a"), good("b"), bad("c")]);
    assert_eq!(rig.status("desk"), ComponentStatus::Operational);
    assert_eq!(rig.engine.state().checks()[&check("desk")].subjects().count(), 2);
    // Nor does what was known of the check before it had any, or after it has none.
    rig.adopt(90, policy(&["Desk"]));
    assert_eq!(rig.engine.state().checks()[&check("desk")].subjects().count(), 0);
    see(&mut rig, 100, &[fail(WHOLE, refused())]);
    assert_eq!(rig.status("desk"), ComponentStatus::MajorOutage);
    rig.adopt(140, three());
    see(&mut rig, 150, &[good("a"), good("b"), good("c")]);
    assert_eq!(rig.status("desk"), ComponentStatus::Operational);
}

#[test]
fn variants_are_remembered_over_a_restart() {
    let mut rig = Rig::new(three());
    see(&mut rig, 0, &[good("a"), bad("b"), in_variant("c", fail(backend(1), refused()))]);
    let saved = serde_json::to_string(rig.engine.state()).unwrap();
    assert_eq!(&serde_json::from_str::<State>(&saved).unwrap(), rig.engine.state());
    assert!(saved.contains(r#""variants":{"tenant=a":{"whole":"#), "{saved}");
}

#[test]
fn the_event_says_which_variant_and_which_step() {
    let mut rig = Rig::new(three());
    let failing = Finding { step: Some("submit".into()), ..bad("b") };
    see(&mut rig, 0, &[good("a"), failing, good("c")]);
    let worse = rig.events.iter().find_map(|event| {
        let EventKind::HealthChanged { to: Health::Failing, variant, step, .. } = &event.kind
        else {
            return None;
        };
        Some((variant.clone(), step.as_deref().map(str::to_owned)))
    });
    assert_eq!(worse, Some((Some(tenant_of("b")), Some("submit".to_owned()))));
    assert!(!rig.last().body.contains("submit"), "{}", rig.last().body);
}

/// The title and the first line of an incident of a login check.
fn login(found: &[Finding], at_worst: ComponentStatus) -> (String, String) {
    let tenants = found.iter().any(|finding| finding.variant.is_some());
    let mut policy = if tenants { three() } else { policy(&["Desk"]) };
    for check in policy.checks.values_mut() {
        check.purpose = Purpose::LogIn;
        check.at_worst = at_worst;
    }
    let mut rig = Rig::new(policy);
    see(&mut rig, 0, found);
    (rig.last().title.clone(), told(&rig).to_owned())
}

#[test]
fn a_failing_login_is_told_as_customers_feel_it() {
    const MAJOR: ComponentStatus = ComponentStatus::MajorOutage;
    let say = |found: &[Finding]| login(found, MAJOR);
    let all = say(&[fail(WHOLE, refused())]);
    assert_eq!(all.0, "Desk: customers cannot log in");
    assert_eq!(all.1, "Desk: customers cannot log in.");
    let servers = say(&[fail(backend(1), refused()), pass(backend(2))]);
    assert_eq!(servers.0, "Desk: some customers cannot log in");
    let text = "Desk: some customers cannot log in. One of its two servers is affected.";
    assert_eq!(servers.1, text);
    let tenants = say(&[good("a"), bad("b"), good("c")]);
    assert_eq!(tenants.0, "Desk: some customers cannot log in");
    assert_eq!(tenants.1, "Desk: some customers cannot log in. One of our three tests fails.");
    let long = say(&[degraded(WHOLE, slow())]);
    assert_eq!(long.0, "Desk: logging in takes longer than usual");
    let locked = login(&[fail(WHOLE, refused())], ComponentStatus::DegradedPerformance);
    assert_eq!(locked.0, "Desk: logging in does not work as usual");
}

/// The same of a check that reads a conversation after its login, and says in which step it ended.
fn reading(found: &[Finding], at_worst: ComponentStatus) -> String {
    let mut policy = three();
    for check in policy.checks.values_mut() {
        check.purpose = Purpose::LogIn;
        check.steps_of_use = ["read it back".into()].into();
        check.at_worst = at_worst;
    }
    let mut rig = Rig::new(policy);
    see(&mut rig, 0, found);
    rig.last().title.clone()
}

#[test]
fn what_fails_after_a_login_is_no_login_that_fails() {
    const MAJOR: ComponentStatus = ComponentStatus::MajorOutage;
    let within = |step: &str, finding| Finding { step: Some(step.into()), ..finding };
    let lost = |of| within("read it back", bad(of));
    let locked = |of| within("come back", bad(of));
    let say = |found: &[Finding]| reading(found, MAJOR);
    assert_eq!(say(&[lost("a"), lost("b"), lost("c")]), "Desk is not working properly");
    let some = "Desk is not working properly for some users";
    assert_eq!(say(&[good("a"), lost("b"), good("c")]), some);
    assert_eq!(say(&[locked("a"), locked("b"), locked("c")]), "Desk: customers cannot log in");
    // Somebody gets in, so nobody is told that all are locked out.
    assert_eq!(say(&[locked("a"), lost("b"), locked("c")]), "Desk is not working properly");
    let impaired =
        reading(&[lost("a"), lost("b"), lost("c")], ComponentStatus::DegradedPerformance);
    assert_eq!(impaired, "Desk is not working as usual");
    let long = |of| within("read it back", in_variant(of, degraded(WHOLE, slow())));
    assert_eq!(say(&[long("a"), good("b"), good("c")]), "Desk is slower than usual");
    let account = || Reason::CredentialsRejected { account: "probe".to_owned() };
    let refused = |of| within("read it back", in_variant(of, fail(WHOLE, account())));
    assert_eq!(say(&[refused("a"), refused("b"), refused("c")]), "Desk: customers cannot log in");
}

#[test]
fn where_more_is_down_nobody_speaks_of_logging_in_or_of_who_gets_in() {
    for purpose in [Purpose::LogIn, Purpose::UseLoggedIn] {
        let mut policy = with_check(|check| check.purpose = purpose);
        let page = policy.checks[&check("desk")].clone();
        policy.checks.insert(check("page"), CheckPolicy { purpose: Purpose::Use, ..page });
        let mut rig = Rig::new(policy);
        for secs in [0, 10, 20, 30] {
            rig.see(secs, "page", vec![fail(WHOLE, refused())]);
            rig.see(secs, "desk", vec![fail(WHOLE, refused())]);
        }
        rig.tick(1900);
        let body = &rig.last().body;
        assert!(body.starts_with("Desk is still unavailable."), "{purpose:?}: {body}");
    }
}
