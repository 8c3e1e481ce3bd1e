//! From ids and quantities to what Prometheus wants.

const MICROS_PER_SECOND: f64 = 1e6;

/// `blip/desk/login` is the check `login` of the component `desk` of the platform `blip`.
pub(super) fn split(id: &str) -> [&str; 3] {
    let mut parts = id.splitn(3, '/');
    std::array::from_fn(|_| parts.next().unwrap_or_default())
}

pub(super) fn labels<'a, const N: usize>(check: [&'a str; 3], more: [&'a str; N]) -> Vec<&'a str> {
    check.into_iter().chain(more).collect()
}

/// The unit of every metric.
#[expect(clippy::cast_precision_loss, reason = "a microsecond in 285 years is precise enough")]
pub(super) fn seconds(micros: i64) -> f64 {
    micros as f64 / MICROS_PER_SECOND
}
