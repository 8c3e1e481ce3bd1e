//! One step of a login, as it was written.

use std::ops::Range;

use http::HeaderName;
use toml::Spanned;

use super::super::super::mistake::{Mistake, shorten};
use super::super::super::plan::login::{
    Action, Chosen, LoginStep, Rejection, Template, TemplateHeader, Totp,
};
use super::super::super::reader::{Field, Key, Reader, Section};
use super::super::super::setting::count::Redirects;
use super::super::super::setting::duration::{Duration, MINUTE};
use super::super::super::setting::list::OneOrMany;
use super::super::super::setting::place::HostName;
use super::super::super::setting::template::{Fields, TemplateHeaders};
use super::super::super::setting::text::Line;
use super::super::expect::{self, RawExpect};
use super::super::http::REDIRECTS;
use super::super::script::Yes;
use super::outcome::{Cookies, Extracts, RawToken, Same};
use super::post::RawBody;
use crate::model::Span;

/// A pause that is any longer belongs between two checks.
type Pause = Duration<1, MINUTE>;
type Limit = Duration<1, { 5 * MINUTE }>;

const NAME: Key<Line<100>> =
    Key::new("name", "What the step is called in verdicts; without it, what it does.");
const GET: Key<Template> = Key::new("get", "Asks for this: a whole URL, or what is below `url`.");
const POST: Key<Template> = Key::new("post", "Sends something there.");
const SUBMIT: Key<Chosen> = Key::new(
    "submit",
    "Sends the form that this CSS selector selects in the last answer, with its hidden fields.",
);
const LOOK: Key<Yes> = Key::new("look", "Looks at the last answer again.");
const SLEEP: Key<Pause> = Key::new("sleep", "Waits, at most a minute.");
const TOTP: Key<Totp> =
    Key::new("totp", "Makes a one-time password, `{{totp}}`, that is not the account's.");
const KINDS: &[&str] = &["get", "post", "submit", "look", "sleep", "totp"];

const QUERY: Key<Fields> = Key::new("query", "What is added to the URL of a `get`.");
const HEADERS: Key<TemplateHeaders> =
    Key::new("headers", "Headers to send with a `get` or a `post`.");
const FIELDS: Key<Fields> = Key::new("fields", "What is filled into the form of a `submit`.");
const VIA: Key<OneOrMany<HostName>> =
    Key::new("via", "Hosts that the redirects must pass, in this order.");
const STAY_ON: Key<OneOrMany<HostName>> =
    Key::new("stay_on", "The only hosts that the redirects may lead to.");
const UNTIL: Key<Template> = Key::new(
    "until",
    "A redirect to a URL that begins so is not followed: the step ends there, and passes.",
);
const COOKIES: Key<Cookies> =
    Key::new("cookies", "Cookies that must be set in this step, and what they must be.");
const EXTRACT: Key<Extracts> =
    Key::new("extract", "What is taken out of the answer, for later steps: `{{name}}`.");
const SAME: Key<Same> = Key::new("same", "What variables must be, after extraction.");
const TOKENS: Key<OneOrMany<RawToken>> =
    Key::new("tokens", "What JSON Web Tokens must say; their times are judged in any case.");
pub(super) const REJECTED: Key<Rejection> = Key::new(
    "rejected",
    "What an answer is like that does not accept the credentials; without it, where a password \
     is sent: 401, 403, or the form's page again.",
);
const DEGRADED_OVER: Key<Limit> =
    Key::new("degraded_over", "A step that passes but takes longer degrades the check.");
const OPTIONAL: Key<bool> =
    Key::new("optional", "Whether the flow goes on if the step fails.").or_flag(false);
const ALWAYS: Key<bool> =
    Key::new("always", "Whether it is done even after another step has failed: logging out.")
        .or_flag(false);

/// Keys that mean something for some kinds of steps alone.
const GOES_WITH: [(&[&str], &[&str], &str); 7] = [
    (&["query"], &["get"], "it goes with `get`; leave it out here"),
    (&["headers"], &["get", "post"], "it goes with `get` and `post`; leave it out here"),
    (
        &["form", "json_body", "body", "type"],
        &["post"],
        "it goes with `post`; leave it out here, or fill in a form with `fields`",
    ),
    (&["fields"], &["submit"], "it goes with `submit`; leave it out here"),
    (
        &["redirects", "via", "stay_on", "until", "cookies", "rejected", "degraded_over"],
        &["get", "post", "submit"],
        "it goes with `get`, `post` and `submit`, which ask for something; leave it out here",
    ),
    (
        &["extract", "same", "tokens"],
        &["get", "post", "submit", "look"],
        "it goes with `get`, `post`, `submit` and `look`, which have an answer; leave it out here",
    ),
    (
        expect::KEYS,
        &["get", "post", "submit", "look"],
        "it goes with `get`, `post`, `submit` and `look`, which have an answer; leave it out here",
    ),
];

/// A text, where it stands, and what becomes of it.
pub(super) struct Use {
    pub(super) span: Range<usize>,
    pub(super) text: Template,
    pub(super) purpose: Purpose,
}

/// What becomes of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// It is the whole URL, or the beginning of it.
    Url,
    /// It is a part of a URL.
    Query,
    /// It is sent otherwise.
    Sent,
    /// It is compared with what the step has brought.
    Judged,
}

/// A step, and what of it can only be weighed when those before it are known.
pub(super) struct RawStep {
    /// Its name, if it is the user's own.
    pub(super) name: Option<Spanned<String>>,
    /// The step; its name is what it does.
    pub(super) step: LoginStep,
    pub(super) uses: Vec<Use>,
    pub(super) degraded_over: Option<Spanned<Span>>,
    pub(super) sleep: Option<Spanned<Span>>,
}

/// What a step does, as it was written.
struct RawAction {
    get: Field<Template>,
    post: Field<Template>,
    submit: Field<Chosen>,
    look: Field<Yes>,
    sleep: Field<Pause>,
    totp: Field<Totp>,
    query: Field<Fields>,
    headers: Field<TemplateHeaders>,
    body: RawBody,
    fields: Field<Fields>,
}

impl RawAction {
    fn ask(table: &mut Reader<'_, '_, '_>) -> Self {
        table.exactly_one(KINDS);
        Self {
            get: table.take(&GET),
            post: table.take(&POST),
            submit: table.take(&SUBMIT),
            look: table.take(&LOOK),
            sleep: table.take(&SLEEP),
            totp: table.take(&TOTP),
            query: table.take(&QUERY),
            headers: table.take(&HEADERS),
            body: RawBody::ask(table),
            fields: table.take(&FIELDS),
        }
    }

    /// What is done, what it is called, and the texts in it.
    fn settle(self, table: &mut Reader<'_, '_, '_>) -> Option<(Action, String, Vec<Use>)> {
        let mut uses = Vec::new();
        // That there is exactly one kind the reader has seen to.
        let (action, name) = match self {
            Self { get: Field::Given(url), query, headers, .. } => {
                let name = format!("get {}", table.text_of("get"));
                let url = used(url, Purpose::Url, &mut uses);
                let query = used_fields(query, Purpose::Query, &mut uses)?;
                (Action::Get { url, query, headers: used_headers(headers, &mut uses)? }, name)
            }
            Self { post: Field::Given(url), headers, body, .. } => {
                let name = format!("post {}", table.text_of("post"));
                let url = used(url, Purpose::Url, &mut uses);
                let headers = used_headers(headers, &mut uses)?;
                (Action::Post { url, headers, body: body.settle(table, &mut uses)? }, name)
            }
            Self { submit: Field::Given(form), fields, .. } => {
                let form = form.into_inner();
                let name = format!("submit {}", form.written);
                let fields = used_fields(fields, Purpose::Sent, &mut uses)?;
                (Action::Submit { form, fields }, name)
            }
            Self { look: Field::Given(_), .. } => (Action::Look, "look".to_owned()),
            Self { sleep: Field::Given(pause), .. } => {
                let pause = pause.into_inner().0;
                (Action::Sleep(pause), format!("sleep {pause}"))
            }
            Self { totp, .. } => (Action::Totp(totp.given()?.into_inner()), "totp".to_owned()),
        };
        Some((action, shorten(&name), uses))
    }
}

/// Notes what becomes of a text.
pub(super) fn used(text: Spanned<Template>, purpose: Purpose, uses: &mut Vec<Use>) -> Template {
    let (span, text) = (text.span(), text.into_inner());
    uses.push(Use { span, text: text.clone(), purpose });
    text
}

pub(super) fn used_fields(
    fields: Field<Fields>,
    purpose: Purpose,
    uses: &mut Vec<Use>,
) -> Option<Vec<(String, Template)>> {
    let fields = fields.or(Fields(Vec::new()))?.0.into_iter();
    Some(fields.map(|(name, text)| (name, used(text, purpose, uses))).collect())
}

fn used_headers(
    headers: Field<TemplateHeaders>,
    uses: &mut Vec<Use>,
) -> Option<Vec<(HeaderName, TemplateHeader)>> {
    let mut note = |(name, header): (HeaderName, Spanned<TemplateHeader>)| {
        let (span, header) = (header.span(), header.into_inner());
        if let TemplateHeader::Template(text) = &header {
            uses.push(Use { span, text: text.clone(), purpose: Purpose::Sent });
        }
        (name, header)
    };
    let headers = headers.or(TemplateHeaders(Vec::new()))?.0.into_iter();
    Some(headers.map(&mut note).collect())
}

/// How a step's redirects are followed and what is made of its answer, as it was written.
struct RawOutcome {
    redirects: Field<Redirects>,
    via: Field<OneOrMany<HostName>>,
    stay_on: Field<OneOrMany<HostName>>,
    until: Field<Template>,
    cookies: Field<Cookies>,
    expect: RawExpect,
    extract: Field<Extracts>,
    same: Field<Same>,
    tokens: Field<OneOrMany<RawToken>>,
    rejected: Field<Rejection>,
    degraded_over: Field<Limit>,
    optional: Field<bool>,
    always: Field<bool>,
}

impl RawOutcome {
    fn ask(table: &mut Reader<'_, '_, '_>) -> Self {
        Self {
            redirects: table.take(&REDIRECTS),
            via: table.take(&VIA),
            stay_on: table.take(&STAY_ON),
            until: table.take(&UNTIL),
            cookies: table.take(&COOKIES),
            expect: RawExpect::ask(table),
            extract: table.take(&EXTRACT),
            same: table.take(&SAME),
            tokens: table.take(&TOKENS),
            rejected: table.take(&REJECTED),
            degraded_over: table.take(&DEGRADED_OVER),
            optional: table.take(&OPTIONAL),
            always: table.take(&ALWAYS),
        }
    }

    fn settle(self, action: Action, name: String, mut uses: Vec<Use>) -> Option<RawStep> {
        let until = match self.until {
            Field::Given(text) => Some(used(text, Purpose::Sent, &mut uses)),
            Field::Absent => None,
            Field::Wrong => return None,
        };
        let mut same = Vec::new();
        for (name, text) in self.same.or(Same(Vec::new()))?.0 {
            let variable = Template::of(name.get_ref());
            uses.push(Use { span: name.span(), text: variable, purpose: Purpose::Judged });
            same.push((name.into_inner(), used(text, Purpose::Judged, &mut uses)));
        }
        let mut tokens = Vec::new();
        for token in self.tokens.or(OneOrMany(Vec::new()))?.0 {
            let token = token.into_inner();
            let judged = |text| used(text, Purpose::Judged, &mut uses);
            token.uses.into_iter().map(judged).for_each(drop);
            tokens.push(token.expect);
        }
        let degraded_over = self.degraded_over.optional_spanned()?;
        let degraded_over = degraded_over.map(|it| Spanned::new(it.span(), it.get_ref().0));
        let step = LoginStep {
            name: name.into(),
            action,
            expect: self.expect.settle()?,
            max_redirects: self.redirects.or(Redirects(10))?.0,
            via: hosts(self.via)?,
            stay_on: hosts(self.stay_on)?,
            until,
            cookies: self.cookies.or(Cookies(Vec::new()))?.0,
            extract: self.extract.or(Extracts(Vec::new()))?.0,
            same,
            tokens,
            rejected: self.rejected.optional()?,
            degraded_over: degraded_over.as_ref().map(|limit| *limit.get_ref()),
            optional: self.optional.or(false)?,
            always: self.always.or(false)?,
        };
        Some(RawStep { name: None, step, uses, degraded_over, sleep: None })
    }
}

fn hosts(field: Field<OneOrMany<HostName>>) -> Option<Vec<String>> {
    let list = field.or(OneOrMany(Vec::new()))?.0;
    Some(list.into_iter().map(|host| host.into_inner().0).collect())
}

impl Section for RawStep {
    const NAME: &'static str = "a step of the login";

    fn read_keys(table: &mut Reader<'_, '_, '_>) -> Option<Self> {
        let (name, action, outcome) =
            (table.take(&NAME), RawAction::ask(table), RawOutcome::ask(table));
        refuse_what_means_nothing(table);
        Rejection::weigh(&outcome.rejected, table);
        let sleep = match &action.sleep {
            Field::Given(pause) => Some(Spanned::new(pause.span(), pause.get_ref().0)),
            Field::Absent | Field::Wrong => None,
        };
        let name = name.optional_spanned()?;
        let name = name.map(|name| Spanned::new(name.span(), name.into_inner().0));
        let settled = action.settle(table);
        let (action, told, uses) = settled?;
        Some(Self { name, sleep, ..outcome.settle(action, told, uses)? })
    }
}

/// What is said of an answer where there is none, and of a body where nothing is sent.
fn refuse_what_means_nothing(table: &mut Reader<'_, '_, '_>) {
    let kinds = table.there(KINDS);
    let [(kind, span)] = kinds.as_slice() else { return };
    for (keys, goes_with, help) in GOES_WITH {
        if !goes_with.contains(kind) {
            for (key, span) in table.there(keys) {
                let trouble = "means nothing in this step";
                table.report(span, Mistake::WithoutEffect { key, trouble, help });
            }
        }
    }
    let looks = [expect::KEYS, &["extract", "same", "tokens"]];
    if *kind == "look" && looks.iter().all(|keys| table.there(keys).is_empty()) {
        table.report(span.clone(), Mistake::LooksForNothing);
    }
}
