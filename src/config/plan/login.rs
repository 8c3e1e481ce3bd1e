//! A login flow: what a customer does, step by step, as it was understood.

mod end;

use std::num::NonZeroU8;
use std::sync::Arc;

use regex::Regex;
use scraper::Selector;
use serde_json_path::JsonPath;
use url::Url;

use super::super::secret::SecretRef;
use super::expect::{HeaderExpect, HttpExpect};
use super::{Addresses, CertificateLimits, ClockLimits, HeaderText, HttpClient, StatusSet};
use crate::model::Span;

/// Several requests with one cookie jar, each judged by itself.
#[derive(Clone, Debug)]
pub struct LoginCheck {
    /// Where the flow begins. What a step names is relative to it, and its host is the one that is
    /// pinned to an address.
    pub url: Url,
    /// What is done, in order; at least one step.
    pub steps: Vec<LoginStep>,
    /// Whom the flow logs in, one after the other from run to run; may be nobody.
    pub accounts: Vec<Account>,
    /// How many bytes of a body are read.
    pub max_body: u64,
    /// Which addresses of the entry host are asked: the whole flow goes through one at a time.
    pub addresses: Addresses,
    /// How far the entry host's clock may be off.
    pub max_clock_skew: ClockLimits,
    /// How long the certificates on the way must still be valid.
    pub certificate: Option<CertificateLimits>,
    /// How it is asked.
    pub client: HttpClient,
}

impl LoginCheck {
    /// The secrets that its steps and accounts need.
    pub(super) fn secrets(&self) -> Vec<SecretRef> {
        let accounts = self.accounts.iter().flat_map(|account| {
            let user = match &account.user {
                UserName::Plain(_) => None,
                UserName::Secret(user) => Some(user),
            };
            let seed = account.totp.as_ref().map(|totp| &totp.seed);
            user.into_iter().chain([&account.password]).chain(seed)
        });
        accounts.cloned().chain(self.steps.iter().flat_map(LoginStep::secrets)).collect()
    }
}

/// Somebody who can log in: `{{user}}` and `{{password}}`, and `{{totp}}` if there is a seed.
#[derive(Clone, Debug)]
pub struct Account {
    /// What it is called in front of operators: never the user's name if that is a secret.
    pub label: Arc<str>,
    /// The user's name.
    pub user: UserName,
    /// The password.
    pub password: SecretRef,
    /// What one-time passwords are made from.
    pub totp: Option<Totp>,
}

/// A user's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UserName {
    /// As written.
    Plain(Arc<str>),
    /// Kept with the secrets.
    Secret(SecretRef),
}

/// What a one-time password is made from (RFC 6238).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Totp {
    /// The shared secret, in Base32.
    pub seed: SecretRef,
    /// How many digits a password has, 6 to 8.
    pub digits: NonZeroU8,
    /// How long one is good.
    pub period: Span,
    /// The hash.
    pub algorithm: TotpAlgorithm,
}

/// The hash of a one-time password.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TotpAlgorithm {
    /// SHA-1, which nearly all use.
    #[default]
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
}

/// One step.
#[derive(Clone, Debug)]
pub struct LoginStep {
    /// What it is called, in verdicts and traces.
    pub name: Arc<str>,
    /// What is done.
    pub action: Action,
    /// What the answer must be like, after redirects.
    pub expect: HttpExpect,
    /// How many redirects are followed.
    pub max_redirects: u8,
    /// The hosts that the redirects must pass, in this order.
    pub via: Vec<String>,
    /// The hosts that they must not leave; empty for any.
    pub stay_on: Vec<String>,
    /// A redirect to a URL that begins so is where the step ends: it is not followed, and what is
    /// extracted from the URL comes from it.
    pub until: Option<Template>,
    /// What the cookies must be that are given on the way.
    pub cookies: Vec<CookieExpect>,
    /// What is taken out of the answer, for later steps.
    pub extract: Vec<Extract>,
    /// What variables must be, after extraction.
    pub same: Vec<(Arc<str>, Template)>,
    /// What tokens must say.
    pub tokens: Vec<TokenExpect>,
    /// What an answer is like that does not accept the credentials.
    pub rejected: Option<Rejection>,
    /// A step that passes but takes longer than this degrades the flow.
    pub degraded_over: Option<Span>,
    /// Whether it may fail.
    pub optional: bool,
    /// Whether it is done even after a step has failed.
    pub always: bool,
}

impl LoginStep {
    /// Every text that it sends, with its variables.
    pub fn sends(&self) -> Vec<&Template> {
        let (headers, mut texts): (&[_], Vec<&Template>) = match &self.action {
            Action::Get { url, query, headers } => {
                (headers, std::iter::once(url).chain(of(query)).collect())
            }
            Action::Post { url, headers, body } => {
                let mut texts = vec![url];
                match body {
                    PostBody::Form(fields) => texts.extend(of(fields)),
                    PostBody::Json(json) => json.collect(&mut texts),
                    PostBody::Raw(body, _) => texts.push(body),
                }
                (headers, texts)
            }
            Action::Submit { fields, .. } => (&[], of(fields).collect()),
            Action::Look | Action::Sleep(_) | Action::Totp(_) => (&[], Vec::new()),
        };
        for (_, header) in headers {
            match header {
                TemplateHeader::Template(text) => texts.push(text),
                TemplateHeader::Text(_) => {}
                TemplateHeader::Basic { user, password, .. } => texts.extend([user, password]),
            }
        }
        texts
    }

    /// The secrets that it needs, beside those of an account.
    fn secrets(&self) -> Vec<SecretRef> {
        let own = match &self.action {
            Action::Get { headers, .. } | Action::Post { headers, .. } => {
                headers.iter().filter_map(|(_, header)| header.secret()).collect()
            }
            Action::Totp(totp) => vec![&totp.seed],
            Action::Submit { .. } | Action::Look | Action::Sleep(_) => Vec::new(),
        };
        let texts = self.sends().into_iter().flat_map(Template::variables);
        let sent = texts.filter_map(|variable| match variable {
            Variable::Secret(secret) => Some(secret),
            Variable::User
            | Variable::Password
            | Variable::Totp
            | Variable::Run
            | Variable::Random(_)
            | Variable::Challenge(_)
            | Variable::Extracted(_) => None,
        });
        own.into_iter().chain(sent).cloned().collect()
    }
}

fn of(fields: &[(String, Template)]) -> impl Iterator<Item = &Template> {
    fields.iter().map(|(_, text)| text)
}

/// What a step does.
#[derive(Clone, Debug)]
pub enum Action {
    /// Asks for a page.
    Get {
        /// Where.
        url: Template,
        /// What is added to its query, encoded as a form is.
        query: Vec<(String, Template)>,
        /// Headers to send.
        headers: Vec<(http::HeaderName, TemplateHeader)>,
    },
    /// Sends something.
    Post {
        /// Where to.
        url: Template,
        /// Headers to send, beside the body's type.
        headers: Vec<(http::HeaderName, TemplateHeader)>,
        /// What.
        body: PostBody,
    },
    /// Fills in and sends a form of the page that the last answer is, with its hidden fields.
    Submit {
        /// Which form.
        form: Chosen,
        /// What is filled in.
        fields: Vec<(String, Template)>,
    },
    /// Looks at the last answer again.
    Look,
    /// Waits.
    Sleep(Span),
    /// Makes a one-time password, as `{{totp}}`.
    Totp(Totp),
}

/// A header's value.
#[derive(Clone, Debug)]
pub enum TemplateHeader {
    /// A text with variables.
    Template(Template),
    /// From a secret.
    Text(HeaderText),
    /// A name and a password (RFC 7617).
    Basic {
        /// The name.
        user: Template,
        /// The password.
        password: Template,
        /// Whether both are encoded as a form is before they are put together, as those of an
        /// OAuth client are (RFC 6749, 2.3.1).
        of_client: bool,
    },
}

impl TemplateHeader {
    fn secret(&self) -> Option<&SecretRef> {
        match self {
            Self::Text(HeaderText::Secret { secret, .. }) => Some(secret),
            Self::Text(HeaderText::Plain(_)) | Self::Template(_) | Self::Basic { .. } => None,
        }
    }
}

/// What is sent.
#[derive(Clone, Debug)]
pub enum PostBody {
    /// A form, `application/x-www-form-urlencoded`.
    Form(Vec<(String, Template)>),
    /// JSON, in whose texts variables are filled in.
    Json(JsonTemplate),
    /// As it is, with the type that it has.
    Raw(Template, Arc<str>),
}

/// JSON with variables in its texts.
#[derive(Clone, Debug)]
pub enum JsonTemplate {
    /// `null`, a truth value or a number.
    Plain(serde_json::Value),
    /// A text.
    Text(Template),
    /// A list.
    List(Vec<Self>),
    /// An object, in its own order.
    Object(Vec<(String, Self)>),
}

impl JsonTemplate {
    /// Its texts, in order.
    pub(in super::super) fn collect<'t>(&'t self, texts: &mut Vec<&'t Template>) {
        match self {
            Self::Plain(_) => {}
            Self::Text(text) => texts.push(text),
            Self::List(items) => items.iter().for_each(|item| item.collect(texts)),
            Self::Object(entries) => entries.iter().for_each(|(_, value)| value.collect(texts)),
        }
    }
}

/// A text with variables in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Template(pub Vec<TemplatePart>);

impl Template {
    /// The variables in it.
    pub fn variables(&self) -> impl Iterator<Item = &Variable> {
        self.0.iter().filter_map(|part| match part {
            TemplatePart::Text(_) => None,
            TemplatePart::Variable(variable) => Some(variable),
        })
    }
}

/// A part of such a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TemplatePart {
    /// As it is.
    Text(Arc<str>),
    /// What the variable holds.
    Variable(Variable),
}

/// What a variable stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Variable {
    /// The account's user.
    User,
    /// The account's password.
    Password,
    /// The account's one-time password of the moment, or the one that a step has made.
    Totp,
    /// The same random text all through one run, another in the next: for canaries.
    Run,
    /// A random text of this name, the same all through one run: a state, a nonce, a verifier.
    Random(Arc<str>),
    /// The challenge of RFC 7636 (S256) to the random text of this name.
    Challenge(Arc<str>),
    /// What a step has extracted; empty if it was optional and has not.
    Extracted(Arc<str>),
    /// Something from a secret.
    Secret(SecretRef),
}

/// A selector, as written and compiled.
#[derive(Clone, Debug)]
pub struct Chosen {
    /// As written.
    pub written: Arc<str>,
    /// Compiled.
    pub select: Selector,
}

/// What is taken out of an answer.
#[derive(Clone, Debug)]
pub struct Extract {
    /// The variable that it becomes.
    pub name: Arc<str>,
    /// Where it is.
    pub from: ExtractFrom,
}

/// Where something is taken from.
#[derive(Clone, Debug)]
pub enum ExtractFrom {
    /// An attribute of an element, or its text.
    Css(Chosen, Option<String>),
    /// The first value that a path leads to; a text as it is, everything else as JSON.
    Json(String, JsonPath),
    /// The first group of the pattern, or all that it matches.
    Regex(Regex),
    /// A header of the answer.
    Header(http::HeaderName),
    /// A cookie, as the jar has it for the answer's URL.
    Cookie(String),
    /// A parameter of the URL that the step has ended at, in its query or its fragment.
    UrlParam(String),
}

/// What a cookie must be that is given in a step.
#[derive(Clone, Debug)]
pub struct CookieExpect {
    /// Its name.
    pub name: String,
    /// Whether it is for TLS only; `None` if that does not matter, as with all of these.
    pub secure: Option<bool>,
    /// Whether scripts cannot see it.
    pub http_only: Option<bool>,
    /// Whether other sites' requests carry it.
    pub same_site: Option<SameSite>,
    /// What its value is like.
    pub value: Option<HeaderExpect>,
}

/// Which requests carry a cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SameSite {
    /// Those of its own site.
    Strict,
    /// And those by which somebody comes there from elsewhere.
    Lax,
    /// All.
    None,
}

/// What a JSON Web Token must say (RFC 7519). Its signature is not looked at: it comes from
/// whoever signs it, over TLS (OpenID Connect Core, 3.1.3.7).
#[derive(Clone, Debug)]
pub struct TokenExpect {
    /// The token.
    pub token: Template,
    /// Who must have issued it.
    pub issuer: Option<Template>,
    /// Whom it must be for.
    pub audience: Option<Template>,
    /// The nonce that must be in it.
    pub nonce: Option<Template>,
    /// How far its times may be off.
    pub leeway: Span,
}

/// What an answer is like that does not accept the credentials: any of these.
#[derive(Clone, Debug)]
pub struct Rejection {
    /// It has one of these status codes.
    pub status: StatusSet,
    /// Its body contains one of these texts.
    pub contains: Vec<String>,
    /// It is HTML with an element that one of these selects.
    pub html: Vec<Chosen>,
}
