//! Holds an answer against what is expected of it: large ones beside the runtime, so that looking
//! through a body does not delay what is measured meanwhile.

use std::sync::Arc;

use url::Url;

use super::expect::{self, Part};
use super::{Answer, Path, page};
use crate::config::HttpCheck;
use crate::model::{Phase, Reason};
use crate::net::Run;

/// Up to so many bytes a body is looked through on the spot.
const SMALL: usize = 64 << 10;

/// The first expectation of `answer`, which came from `url`, that is not met.
pub(super) async fn examine(
    path: &Path<'_>,
    run: &Run,
    answer: &Arc<Answer>,
    url: Url,
) -> Result<(), Reason> {
    let parts = judge(path.http, run, answer, &url).await?;
    page::load(path, run, &parts).await
}

async fn judge(
    http: &HttpCheck,
    run: &Run,
    answer: &Arc<Answer>,
    url: &Url,
) -> Result<Vec<Part>, Reason> {
    let run = *run;
    let go_on = move || run.has_time();
    if answer.body.len() <= SMALL {
        return expect::judge(http, answer, url, &go_on);
    }
    let (http, answer, url) = (http.clone(), answer.clone(), url.clone());
    let work = tokio::task::spawn_blocking(move || expect::judge(&http, &answer, &url, &go_on));
    match run.within_deadline(work).await {
        Some(Ok(judged)) => judged,
        Some(Err(error)) => Err(Reason::ProberExhausted { detail: error.to_string() }),
        None => Err(Reason::Timeout { phase: Phase::Transfer }),
    }
}
