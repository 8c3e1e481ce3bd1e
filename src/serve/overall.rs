//! How a platform is as a whole, in Statuspage's words.

use crate::model::ComponentStatus;

/// The indicator and description of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Overall {
    pub(super) indicator: &'static str,
    pub(super) description: &'static str,
}

/// How a platform with components in these states is, by Statuspage's own rules:
///
/// 1. All are a major outage: critical.
/// 2. All are a partial outage, or any is a major outage: major.
/// 3. Any is a partial outage, or degraded: minor.
/// 4. Any is under maintenance: maintenance.
/// 5. Otherwise: none.
pub(super) fn overall(statuses: &[ComponentStatus]) -> Overall {
    let any = |wanted| statuses.contains(&wanted);
    let all = |wanted| any(wanted) && statuses.iter().all(|status| *status == wanted);
    let (indicator, description) = if all(ComponentStatus::MajorOutage) {
        ("critical", "Major System Outage")
    } else if all(ComponentStatus::PartialOutage) || any(ComponentStatus::MajorOutage) {
        ("major", "Partial System Outage")
    } else if any(ComponentStatus::PartialOutage) {
        ("minor", "Minor Service Outage")
    } else if all(ComponentStatus::DegradedPerformance) {
        ("minor", "Degraded System Service")
    } else if any(ComponentStatus::DegradedPerformance) {
        ("minor", "Partially Degraded Service")
    } else if any(ComponentStatus::UnderMaintenance) {
        ("maintenance", "Service Under Maintenance")
    } else {
        ("none", "All Systems Operational")
    };
    Overall { indicator, description }
}

#[cfg(test)]
mod tests {
    use super::overall;
    use crate::model::ComponentStatus::{
        DegradedPerformance as D, MajorOutage as M, Operational as O, PartialOutage as P,
        UnderMaintenance as U,
    };
    use crate::model::Impact;

    #[test]
    fn follows_the_rules() {
        let cases: [(&[_], _, _); 9] = [
            (&[], "none", "All Systems Operational"),
            (&[O, O], "none", "All Systems Operational"),
            (&[O, U], "maintenance", "Service Under Maintenance"),
            (&[O, D, U], "minor", "Partially Degraded Service"),
            (&[D, D], "minor", "Degraded System Service"),
            (&[O, P, D], "minor", "Minor Service Outage"),
            (&[P, P], "major", "Partial System Outage"),
            (&[O, M], "major", "Partial System Outage"),
            (&[M], "critical", "Major System Outage"),
        ];
        for (statuses, indicator, description) in cases {
            let overall = overall(statuses);
            assert_eq!((overall.indicator, overall.description), (indicator, description));
            if indicator != "maintenance" {
                assert_eq!(Impact::of(statuses.iter().copied()).as_str(), indicator);
            }
        }
    }
}
