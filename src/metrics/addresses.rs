//! The addresses behind checks: how many there are, and what each of them shows.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::labels::{labels, seconds, split};
use super::{APPEARED, Check, Metrics, VANISHED};
use crate::model::{CheckId, Finding, Subject, Variant};

impl Metrics {
    /// Takes note of what a run found out about addresses.
    pub(super) fn note_addresses(&self, check: [&str; 3], known: &mut Check, findings: &[Finding]) {
        let mut asked: BTreeMap<IpAddr, Vec<&Finding>> = BTreeMap::new();
        for finding in findings {
            if let Some(address) = finding.address {
                asked.entry(address).or_default().push(finding);
            }
        }
        // A run that came to no address, in one of its variants, says nothing about those of the
        // run before.
        if !came_to_addresses(findings) {
            known.addresses.extend(asked.keys());
        } else {
            for address in known.addresses.iter().filter(|known| !asked.contains_key(known)) {
                self.forget_address(check, *address);
            }
            known.addresses = asked.keys().copied().collect();
        }
        self.count_addresses(check, findings);
        for (address, findings) in &asked {
            self.show_address(check, *address, findings);
        }
    }

    /// Only a check that asks all addresses knows how many there are.
    fn count_addresses(&self, check: [&str; 3], findings: &[Finding]) {
        let subjects: BTreeSet<IpAddr> =
            findings.iter().filter_map(|finding| finding.subject.address()).collect();
        if subjects.is_empty() {
            // One that now asks a single address no longer knows.
            if findings.iter().any(|finding| finding.address.is_some()) {
                let _ = self.series.addresses.count.remove_label_values(&labels(check, []));
            }
            return;
        }
        for change in [APPEARED, VANISHED] {
            self.series.addresses.changes.with_label_values(&labels(check, [change]));
        }
        let count = i64::try_from(subjects.len()).unwrap_or(i64::MAX);
        self.series.addresses.count.with_label_values(&labels(check, [])).set(count);
    }

    /// What the latest run told about an address. Several variants may have asked it: then the
    /// clock that is off the most is shown, and the certificate that expires first.
    fn show_address(&self, check: [&str; 3], address: IpAddr, findings: &[&Finding]) {
        let address = address.to_string();
        let offsets = findings.iter().filter_map(|finding| finding.clock);
        let offset = offsets.max_by_key(|offset| offset.certain());
        self.bound(check, &address, "lower", offset.map(|offset| offset.at_least));
        self.bound(check, &address, "upper", offset.map(|offset| offset.at_most));
        // A certificate, though, does not change because the target was down.
        if let Some(expiry) = findings.iter().filter_map(|one| one.certificate_expires_at).min() {
            let gauge = &self.series.check.certificate_expiry;
            gauge.with_label_values(&labels(check, [&address])).set(seconds(expiry.as_micros()));
        }
    }

    /// Sets a bound of an address's clock offset, or removes it: an offset that was not measured
    /// again is no longer known.
    fn bound(&self, check: [&str; 3], address: &str, bound: &str, micros: Option<i64>) {
        let labels = labels(check, [address, bound]);
        if let Some(micros) = micros {
            self.series.check.clock_offset.with_label_values(&labels).set(seconds(micros));
        } else {
            let _ = self.series.check.clock_offset.remove_label_values(&labels);
        }
    }

    /// Counts an address that came or went.
    pub(super) fn address_changed(&self, check: &CheckId, change: &'static str) {
        if self.tracked().checks.contains_key(check) {
            let labels = labels(split(check.as_str()), [change]);
            self.series.addresses.changes.with_label_values(&labels).inc();
        }
    }

    /// Forgets an address that went.
    pub(super) fn address_vanished(
        &self,
        check: &CheckId,
        variant: Option<&Variant>,
        subject: Subject,
    ) {
        let mut tracked = self.tracked();
        let Some(known) = tracked.checks.get_mut(check) else { return };
        known.health.remove(&(variant.cloned(), subject));
        known.flapping.remove(&(variant.cloned(), subject));
        // Another variant may still ask it.
        let elsewhere = known.health.keys().any(|(_, other)| *other == subject);
        if let Some(address) = subject.address().filter(|_| !elsewhere) {
            known.addresses.remove(&address);
            self.forget_address(split(check.as_str()), address);
        }
        self.show_health(check, known);
        if let Some(variant) = variant.filter(|variant| known.variants.contains(*variant)) {
            self.show_variant(check, variant, known);
        }
    }

    /// Removes the series of one address.
    pub(super) fn forget_address(&self, check: [&str; 3], address: IpAddr) {
        let address = address.to_string();
        self.bound(check, &address, "lower", None);
        self.bound(check, &address, "upper", None);
        let labels = labels(check, [&address]);
        let _ = self.series.check.certificate_expiry.remove_label_values(&labels);
    }
}

/// Whether every variant that these findings are about came to an address.
fn came_to_addresses(findings: &[Finding]) -> bool {
    let mut came: BTreeMap<Option<&Variant>, bool> = BTreeMap::new();
    for finding in findings {
        *came.entry(finding.variant.as_ref()).or_default() |= finding.address.is_some();
    }
    came.values().all(|came| *came)
}
