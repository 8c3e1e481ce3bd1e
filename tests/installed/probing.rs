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
