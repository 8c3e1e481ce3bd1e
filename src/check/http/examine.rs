//! Holds an answer against what is expected of it: large ones beside the runtime, so that looking
//! through a body does not delay what is measured meanwhile.

use std::sync::Arc;

use url::Url;

use super::Answer;
use super::expect::{self, GoOn, Part};
use super::page::Page;
use crate::config::HttpExpect;
use crate::model::{Phase, Reason};
use crate::net::Run;

/// Up to so many bytes a body is looked through on the spot.
const SMALL: usize = 64 << 10;

/// The first expectation of `answer`, which came from `url`, that is not met.
pub(in crate::check) async fn examine(
    page: &Page<'_>,
    expect: &HttpExpect,
    run: &Run,
    answer: &Arc<Answer>,
    url: Url,
) -> Result<(), Reason> {
    let parts = judge(expect, run, answer, &url).await?;
    page.load(run, &parts).await
}

async fn judge(
    expect: &HttpExpect,
    run: &Run,
    answer: &Arc<Answer>,
    url: &Url,
) -> Result<Vec<Part>, Reason> {
    if answer.body.len() <= SMALL {
        return expect::judge(expect, answer, url, &|| run.has_time());
    }
    let (expect, owned, url) = (expect.clone(), answer.clone(), url.clone());
    look(run, answer, move |go_on| expect::judge(&expect, &owned, &url, go_on)).await
}

/// Does `work`, which looks through the body of `answer`.
pub(in crate::check) async fn look<T: Send + 'static>(
    run: &Run,
    answer: &Answer,
    work: impl FnOnce(GoOn<'_>) -> Result<T, Reason> + Send + 'static,
) -> Result<T, Reason> {
    let run = *run;
    let go_on = move || run.has_time();
    if answer.body.len() <= SMALL {
        return work(&go_on);
    }
    let work = tokio::task::spawn_blocking(move || work(&go_on));
    match run.within_deadline(work).await {
        Some(Ok(judged)) => judged,
        Some(Err(error)) => Err(Reason::ProberExhausted { detail: error.to_string() }),
        None => Err(Reason::Timeout { phase: Phase::Transfer }),
    }
}
