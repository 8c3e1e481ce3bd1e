//! A line of the table: a target, the check that asks it, and what must come of it.

use farol::config::{Check, SourceFile, parse};
use farol::model::Span;

use crate::serve::Target;

/// Long enough for whatever ends by itself, on any machine.
const PATIENT: Span = Span::from_secs(20);
/// Soon over, for whatever only the timeout ends.
const HASTY: Span = Span::from_millis(300);

/// What a run may take in memory unless its line says otherwise, in KiB.
const BOUND: usize = 2 * 1024;

/// One target and one run.
pub(crate) struct Line {
    pub(crate) kind: &'static str,
    /// What the target does.
    pub(crate) name: &'static str,
    pub(crate) target: Target,
    /// What comes before the check in its probe file, with `{at}` for where the target is.
    platform: &'static str,
    /// The check, with `{at}` for where the target is, and `{port}`.
    check: String,
    /// The name of the reason, or of one of those that it may be; "none" for a pass.
    pub(crate) reasons: &'static [&'static str],
    pub(crate) timeout: Span,
    /// What it may take in memory, in KiB.
    pub(crate) bound: usize,
    /// Whether it waits for most of its time, so that others can wait beside it.
    pub(crate) waits: bool,
}

impl Line {
    /// A check that ends by itself for `reason`.
    pub(crate) fn new(
        kind: &'static str,
        name: &'static str,
        target: impl Into<Target>,
        check: impl Into<String>,
        reasons: &'static [&'static str],
    ) -> Self {
        let (target, check) = (target.into(), check.into());
        let (platform, timeout, bound) = ("", PATIENT, BOUND);
        Self { kind, name, target, platform, check, reasons, timeout, bound, waits: false }
    }

    /// Only its timeout ends it, while it waits.
    pub(crate) fn hasty(mut self) -> Self {
        (self.timeout, self.waits) = (HASTY, true);
        self
    }

    /// Only its timeout ends it, while it is kept busy.
    pub(crate) fn busy(mut self) -> Self {
        self.timeout = HASTY;
        self
    }

    /// Asked by another check.
    pub(crate) fn asking(mut self, check: impl Into<String>) -> Self {
        self.check = check.into();
        self
    }

    /// It may take `kib` KiB.
    pub(crate) fn within(mut self, kib: usize) -> Self {
        self.bound = kib;
        self
    }

    /// The target is the name server of the platform.
    pub(crate) fn resolving(mut self) -> Self {
        self.platform = "resolvers = ['{at}']";
        self
    }

    /// The check, of a target at `at`.
    pub(crate) fn check(&self, at: &str) -> Check {
        let port = at.rsplit(':').next().unwrap();
        let text = format!(
            "[platform]\nname = 'Test'\n{}\n[[component]]\nname = 'Test'\n\
             [[component.check]]\nname = 'A check'\n{}\n",
            self.platform, self.check
        );
        let text = text.replace("{at}", at).replace("{port}", port);
        let file = SourceFile { name: "test.toml".into(), text };
        let config = parse(&[file]).map_err(|error| error.render(false, 100));
        let config = config.map_err(|error| println!("{} {}: {error}", self.kind, self.name));
        let config = config.unwrap();
        let mut check = config.checks().next().unwrap().2.clone();
        check.timeout = self.timeout;
        check
    }
}
