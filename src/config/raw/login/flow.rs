//! The steps of a login in their order: what each of them can know, and what it is called.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use http::header::AUTHORIZATION;
use serde_json::Value;
use toml::Spanned;
use url::Url;

use super::super::super::mistake::{Mistake, list, shorten};
use super::super::super::plan::StatusSet;
use super::super::super::plan::login::{
    Account, Action, LoginStep, Rejection, Template, TemplatePart, Variable,
};
use super::super::super::problem::Problems;
use super::super::super::reader::{Field, Node, Reader, Setting, section_schema};
use super::super::super::setting::web_url::web_fault;
use super::preset::{self, chosen};
use super::step::{Purpose, RawStep, Use};

/// More steps than any customer would take.
const MOST_STEPS: usize = 50;

/// All steps that were written.
pub(super) struct RawSteps(Vec<Spanned<RawStep>>);

impl Setting for RawSteps {
    const EXPECTED: &'static str = "steps such as [{ get = \"/login\" }, { submit = \"form\" }]";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        let steps = Vec::<Spanned<RawStep>>::read(node, problems)?;
        if steps.len() > MOST_STEPS {
            let (got, most) = (format!("{} steps", steps.len()), MOST_STEPS.to_string());
            problems.report(node.span(), Mistake::OutOfRange { got, least: "1".to_owned(), most });
            return None;
        }
        Some(Self(steps))
    }

    fn schema() -> Value {
        let items = section_schema::<RawStep>();
        serde_json::json!({ "type": "array", "items": items, "maxItems": MOST_STEPS })
    }
}

/// What a step can know.
pub(super) struct Flow<'f> {
    /// Where it begins.
    base: &'f Url,
    /// Whether there is an account, and why not.
    account: bool,
    /// Whether there is a one-time password.
    totp: bool,
    /// What has been extracted.
    extracted: BTreeSet<Arc<str>>,
    /// Whether a page has been loaded.
    answered: bool,
    /// What steps are called, and where that is written.
    names: Vec<(Arc<str>, Range<usize>)>,
    steps: Vec<LoginStep>,
    /// Whether the account goes with every request to the entry host.
    basic: bool,
    all_good: bool,
}

impl<'f> Flow<'f> {
    /// A flow of nothing yet. Accounts that are wrong are `None`, and taken to have all that is
    /// needed.
    pub(super) fn new(base: &'f Url, accounts: Option<&[Account]>) -> Self {
        Self {
            base,
            account: accounts.is_none_or(|accounts| !accounts.is_empty()),
            totp: accounts.is_none_or(|accounts| {
                !accounts.is_empty() && accounts.iter().all(|account| account.totp.is_some())
            }),
            extracted: BTreeSet::new(),
            answered: false,
            names: Vec::new(),
            steps: Vec::new(),
            basic: false,
            all_good: true,
        }
    }

    /// Adds the steps that a short form stands for.
    pub(super) fn begin(&mut self, preset: preset::Steps, table: &mut Reader<'_, '_, '_>) {
        let preset::Steps { steps, span, basic } = preset;
        self.basic = basic;
        // All its texts stand for the account, or are ours, but for what else a form is filled
        // with.
        self.account = true;
        for step in steps {
            let note = |text: &Template| {
                let (span, text) = (span.clone(), text.clone());
                Use { span, text, purpose: Purpose::Sent }
            };
            let uses: Vec<Use> = step.sends().into_iter().map(note).collect();
            self.weigh(&uses, table);
            self.names.push((step.name.clone(), span.clone()));
            self.add(step);
        }
    }

    /// Adds the steps that were written.
    pub(super) fn go_on(&mut self, steps: RawSteps, table: &mut Reader<'_, '_, '_>) {
        for raw in steps.0 {
            let (span, RawStep { name, mut step, uses, .. }) = (raw.span(), raw.into_inner());
            if matches!(step.action, Action::Submit { .. } | Action::Look) && !self.answered {
                self.report(span.clone(), Mistake::NoAnswerYet, table);
            }
            let (judged, sent): (Vec<Use>, Vec<Use>) =
                uses.into_iter().partition(|used| used.purpose == Purpose::Judged);
            self.weigh(&sent, table);
            if let Some(name) = self.name(&step.name, name, span, table) {
                step.name = name;
            }
            if self.basic {
                self.authorize(&mut step);
            }
            self.add(step);
            self.weigh(&judged, table);
        }
    }

    /// All steps, unless something was wrong with one.
    pub(super) fn finish(self) -> Option<Vec<LoginStep>> {
        (self.all_good && !self.steps.is_empty()).then_some(self.steps)
    }

    fn report(&mut self, span: Range<usize>, mistake: Mistake, table: &mut Reader<'_, '_, '_>) {
        self.all_good = false;
        table.report(span, mistake);
    }

    /// Lets the account go with a request to the entry host, as a browser does that has been
    /// asked for it once.
    fn authorize(&self, step: &mut LoginStep) {
        let (url, headers) = match &mut step.action {
            Action::Get { url, headers, .. } | Action::Post { url, headers, .. } => (url, headers),
            Action::Submit { .. } | Action::Look | Action::Sleep(_) | Action::Totp(_) => return,
        };
        let own = match (url.constant(), url.0.first()) {
            (Some(url), _) => {
                self.base.join(&url).is_ok_and(|url| url.origin() == self.base.origin())
            }
            (None, Some(TemplatePart::Text(head))) => {
                head.starts_with('/') && !head.starts_with("//")
            }
            (None, Some(TemplatePart::Variable(_)) | None) => false,
        };
        if own && !headers.iter().any(|(name, _)| name == AUTHORIZATION) {
            headers.push((AUTHORIZATION, preset::account_header()));
        }
    }

    /// Adds a step that is as it should be.
    fn add(&mut self, mut step: LoginStep) {
        self.answered |= matches!(step.action, Action::Get { .. } | Action::Post { .. });
        self.totp |= matches!(step.action, Action::Totp(_));
        self.extracted.extend(step.extract.iter().map(|extract| extract.name.clone()));
        if step.rejected.is_none() {
            step.rejected = usual_rejection(&step);
        }
        self.steps.push(step);
    }

    /// What a step is called: what the user says, or what it does, with a number if another does
    /// the same.
    fn name(
        &mut self,
        does: &Arc<str>,
        own: Option<Spanned<String>>,
        span: Range<usize>,
        table: &mut Reader<'_, '_, '_>,
    ) -> Option<Arc<str>> {
        let taken = |wanted: &str| self.names.iter().find(|(name, _)| **name == *wanted);
        let (name, span) = match own {
            Some(own) => (Arc::from(own.get_ref().as_str()), own.span()),
            None => {
                let numbered = (2..).map(|n| Arc::from(format!("{does} ({n})")));
                let free = |name: &Arc<str>| taken(name).is_none();
                (std::iter::once(does.clone()).chain(numbered).find(free)?, span)
            }
        };
        if let Some((_, first)) = taken(&name) {
            let places = vec![first.clone(), span];
            let name = name.to_string();
            self.all_good = false;
            table.report_all(places, Mistake::DuplicateName { what: "steps", name, key: "name" });
            return None;
        }
        self.names.push((name.clone(), span));
        Some(name)
    }

    /// Reports what is wrong with texts, given what has come before.
    fn weigh(&mut self, uses: &[Use], table: &mut Reader<'_, '_, '_>) {
        for Use { span, text, purpose } in uses {
            let doubts = text.variables().filter_map(|variable| self.doubt(variable, *purpose));
            let url = text.constant().filter(|_| *purpose == Purpose::Url);
            let refused = url.and_then(|url| self.refuse(&url));
            let open = text.open().map(|got| Mistake::OpenVariable { got: shorten(got) });
            let mistakes: Vec<Mistake> = doubts.chain(refused).chain(open).collect();
            for mistake in mistakes {
                self.report(span.clone(), mistake, table);
            }
        }
    }

    /// What is wrong with a variable here.
    fn doubt(&self, variable: &Variable, purpose: Purpose) -> Option<Mistake> {
        let in_url = matches!(purpose, Purpose::Url | Purpose::Query);
        let unknown = |got: &str, help: &str| {
            Some(Mistake::UnsetVariable { got: got.to_owned(), help: help.to_owned() })
        };
        let account =
            "there is no account: add account = { user = \"...\", password = { env = \"NAME\" } }";
        match variable {
            Variable::User if !self.account => unknown("user", account),
            Variable::Password if !self.account => unknown("password", account),
            Variable::Password if in_url => Some(Mistake::SecretInUrl { what: "password" }),
            Variable::Totp if !self.totp => {
                unknown("totp", "give every account a `totp`, or let a step with `totp` come first")
            }
            Variable::Totp if in_url => Some(Mistake::SecretInUrl { what: "one-time password" }),
            Variable::Secret(_) if in_url => Some(Mistake::SecretInUrl { what: "secret" }),
            Variable::Extracted(name) if !self.extracted.contains(name) => {
                let help = format!("known here: {}", list(&self.known()));
                unknown(&shorten(name), &help)
            }
            Variable::User
            | Variable::Password
            | Variable::Totp
            | Variable::Run
            | Variable::Random(_)
            | Variable::Challenge(_)
            | Variable::Extracted(_)
            | Variable::Secret(_) => None,
        }
    }

    /// The variables that there are.
    fn known(&self) -> Vec<&str> {
        let account = ["user", "password"].into_iter().filter(|_| self.account);
        let totp = self.totp.then_some("totp");
        let own = ["run", "random.NAME", "challenge.NAME"];
        account.chain(totp).chain(own).chain(self.extracted.iter().map(AsRef::as_ref)).collect()
    }

    /// What is wrong with a URL without variables.
    fn refuse(&self, url: &str) -> Option<Mistake> {
        match self.base.join(url) {
            Ok(url) => web_fault(&url),
            Err(error) => Some(Mistake::InvalidUrl { reason: error.to_string() }),
        }
    }
}

/// What it is like when the password that a step sends is not accepted: the status codes for it,
/// and for a form that the form is there again.
fn usual_rejection(step: &LoginStep) -> Option<Rejection> {
    let is_password = |variable: &Variable| *variable == Variable::Password;
    if !step.sends().into_iter().any(|text| text.variables().any(is_password)) {
        return None;
    }
    let is_form = matches!(step.action, Action::Submit { .. });
    Some(Rejection {
        status: StatusSet(vec![(401, 401), (403, 403)]),
        contains: Vec::new(),
        html: if is_form { vec![chosen("input[type=password]")?] } else { Vec::new() },
    })
}

impl RawSteps {
    /// None at all.
    pub(super) const NONE: Self = Self(Vec::new());

    /// Whether none were written.
    pub(super) fn are_none(field: &Field<Self>) -> bool {
        match field {
            Field::Absent => true,
            Field::Given(steps) => steps.get_ref().0.is_empty(),
            Field::Wrong => false,
        }
    }

    /// The lengths of time in them, with their places: what slow steps may take, and pauses.
    pub(super) fn times(&self) -> super::Times {
        let of = |part: fn(&RawStep) -> Option<Spanned<crate::model::Span>>| {
            self.0.iter().filter_map(|step| part(step.get_ref())).collect()
        };
        super::Times { limits: of(|s| s.degraded_over.clone()), pauses: of(|s| s.sleep.clone()) }
    }
}
