//! Checks as a probe file has them, run with its secrets and files, as `farol check` does.

use farol::check::Prober;
use farol::clock::Clock;
use farol::config::Secrets;
use farol::model::{Finding, Observation, Vantage};
use rustls::pki_types::CertificateDer;

use crate::asking::{observe_by, only, probe_file};

/// Runs the check with these keys once, in a platform with those.
pub(crate) async fn observe(
    platform: &str,
    check: &str,
    roots: &[CertificateDer<'static>],
) -> Observation {
    let config = probe_file(platform, check);
    let secrets = Secrets::load_with_files(config.secret_refs(), config.files()).unwrap();
    let prober = Prober::with_roots(Clock::start(), Vantage::new("here"), secrets, roots).unwrap();
    let (_, _, check) = config.checks().next().unwrap();
    observe_by(&prober, check).await
}

/// Its only finding, where nothing has to be said of the platform and of whom is trusted.
pub(crate) async fn ask(check: &str) -> Finding {
    only(observe("", check, &[]).await)
}

/// The name of the finding's reason; `"pass"` if it passes.
pub(crate) fn why(finding: &Finding) -> String {
    finding.reason.as_ref().map_or_else(|| "pass".to_owned(), |reason| reason.name().to_owned())
}

/// The step and the reason that a fault has led to, which it prints.
#[expect(clippy::print_stdout, reason = "`--nocapture` shows the table")]
pub(crate) fn told(fault: &str, finding: &Finding) -> (String, String) {
    let step = finding.step.as_deref().unwrap_or_default().to_owned();
    let words = finding.reason.as_ref().map(ToString::to_string).unwrap_or_default();
    println!("{fault:<55} → {:<8} {step:<14} {}: {words}", finding.verdict, why(finding));
    (step, why(finding))
}
