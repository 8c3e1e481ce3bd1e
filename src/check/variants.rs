//! A check that runs once for each of several values.

use std::future::Future;

use futures_util::future::join_all;
use tokio::sync::Semaphore;

use crate::config::Check;
use crate::model::{Finding, Span, Variant};
use crate::net::Run;

/// How many variants are asked at once: so few that asking is not what makes a target slow.
const AT_ONCE: usize = 16;

/// Asks every variant of `check`, and says of each finding which of them it is about:
///
/// 1. So many at once as [`AT_ONCE`] says, in the order of the configuration; their findings are
///    in that order.
/// 2. Those still waiting when half of the time is gone are asked then, however many there are:
///    that some hang must not keep farol from seeing how the others are.
pub(super) async fn probe_each<'a, Asked: Future<Output = Vec<Finding>>>(
    check: &'a Check,
    run: Run,
    ask: impl Fn(&'a Variant, &'a Check) -> Asked,
) -> Vec<Finding> {
    let slots = Semaphore::new(AT_ONCE);
    let patience = run.at_most(Span::from_micros(check.timeout.as_micros() / 2));
    let each = check.variants.iter().map(|(name, variant)| {
        let asked = ask(name, variant);
        let slot = slots.acquire();
        async move {
            let _slot = patience.within_deadline(slot).await;
            let mut findings = asked.await;
            for finding in &mut findings {
                finding.variant = Some(name.clone());
            }
            findings
        }
    });
    join_all(each).await.into_iter().flatten().collect()
}
