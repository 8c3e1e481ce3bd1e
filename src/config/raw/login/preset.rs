//! Short forms of a login, each of which stands for steps that could have been written out. Those
//! of a file come after them.

mod form;
mod oauth;
mod oidc;

use std::ops::Range;

use serde_json::{Value, json};
use serde_json_path::JsonPath;
use url::Url;

use super::super::super::mistake::Mistake;
use super::super::super::plan::StatusSet;
use super::super::super::plan::expect::HttpExpect;
use super::super::super::plan::login::{
    Account, Action, Extract, ExtractFrom, LoginStep, Template, TemplateHeader, TemplatePart,
};
use super::super::super::problem::Problems;
use super::super::super::reader::{Field, Key, Node, Reader, Setting};
use super::super::super::setting::web_url::web_fault;
use super::super::script::Yes;
use form::{FormLogin, Saml};
use oauth::{ClientCredentials, PasswordGrant};
use oidc::Oidc;

const FORM_LOGIN: Key<FormLogin> =
    Key::new("form_login", "Short for: load a page, fill in its form, send it.");
const OIDC: Key<Oidc> = Key::new(
    "oidc",
    "Short for: OpenID Connect, authorization code with PKCE; gives `{{access_token}}` and \
     `{{id_token}}`.",
);
const CLIENT_CREDENTIALS: Key<ClientCredentials> = Key::new(
    "client_credentials",
    "Short for: OAuth 2.0, a token for a client; gives `{{access_token}}`.",
);
const PASSWORD_GRANT: Key<PasswordGrant> = Key::new(
    "password_grant",
    "Short for: OAuth 2.0, a token for a user's name and password; gives `{{access_token}}`.",
);
const SAML: Key<Saml> =
    Key::new("saml", "Short for: SAML 2.0, where the browser posts the answer (POST binding).");
const BASIC: Key<Yes> = Key::new(
    "basic",
    "Short for: ask for `url` with the account in HTTP Basic; steps on its host send it too.",
);
const KINDS: &[&str] =
    &["form_login", "oidc", "client_credentials", "password_grant", "saml", "basic"];

pub(super) use form::chosen;

/// The steps that a short form stands for.
pub(super) struct Steps {
    pub(super) steps: Vec<LoginStep>,
    /// Where the short form stands.
    pub(super) span: Range<usize>,
    /// Whether the account goes with every request to the entry host.
    pub(super) basic: bool,
}

/// The short forms, as they were written.
pub(super) struct RawPreset {
    form: Field<FormLogin>,
    oidc: Field<Oidc>,
    client: Field<ClientCredentials>,
    password: Field<PasswordGrant>,
    saml: Field<Saml>,
    basic: Field<Yes>,
}

impl RawPreset {
    pub(super) fn ask(table: &mut Reader<'_, '_, '_>) -> Self {
        Self {
            form: table.take(&FORM_LOGIN),
            oidc: table.take(&OIDC),
            client: table.take(&CLIENT_CREDENTIALS),
            password: table.take(&PASSWORD_GRANT),
            saml: table.take(&SAML),
            basic: table.take(&BASIC),
        }
    }

    /// What it stands for: nothing, if there is none; `None` if it is wrong.
    pub(super) fn expand(
        self,
        accounts: Option<&[Account]>,
        table: &mut Reader<'_, '_, '_>,
    ) -> Option<Option<Steps>> {
        let there = table.there(KINDS);
        if there.len() > 1 {
            let places = there.into_iter().map(|(_, span)| span).collect();
            table.report_all(places, Mistake::SeveralOf { section: "`login`", keys: KINDS });
            return None;
        }
        let Some((kind, span)) = there.into_iter().next() else { return Some(None) };
        if kind != "client_credentials" && accounts.is_some_and(<[Account]>::is_empty) {
            let about = "whom it logs in, { user = \"...\", password = { env = \"NAME\" } }";
            let (key, section) = ("account", "`login`");
            table.report(span.clone(), Mistake::MissingKey { key, section, about });
        }
        let basic = matches!(self.basic, Field::Given(_));
        let steps = match self {
            Self { form: Field::Given(form), .. } => form.into_inner().steps(),
            Self { oidc: Field::Given(oidc), .. } => oidc.into_inner().steps(),
            Self { client: Field::Given(client), .. } => client.into_inner().steps(),
            Self { password: Field::Given(grant), .. } => grant.into_inner().steps(),
            Self { saml: Field::Given(saml), .. } => saml.into_inner().steps(),
            Self { basic, .. } => basic.given().map(|_| vec![with_the_account()]),
        };
        Some(Some(Steps { steps: steps?, span, basic }))
    }
}

/// `{ name = "log in", get = "" }`, with HTTP Basic.
fn with_the_account() -> LoginStep {
    let headers = vec![(http::header::AUTHORIZATION, account_header())];
    step("log in", Action::Get { url: Template::default(), query: Vec::new(), headers })
}

/// The account in HTTP Basic.
pub(super) fn account_header() -> TemplateHeader {
    let (user, password) = (Template::parse("{{user}}"), Template::parse("{{password}}"));
    TemplateHeader::Basic { user, password, of_client: false }
}

/// A step that must succeed.
fn step(name: &str, action: Action) -> LoginStep {
    LoginStep {
        name: name.into(),
        action,
        expect: HttpExpect { status: StatusSet::default(), ..HttpExpect::default() },
        max_redirects: 10,
        via: Vec::new(),
        stay_on: Vec::new(),
        until: None,
        cookies: Vec::new(),
        extract: Vec::new(),
        same: Vec::new(),
        tokens: Vec::new(),
        rejected: None,
        degraded_over: None,
        optional: false,
        always: false,
    }
}

/// A text without variables, whatever is in it.
fn plain(text: &str) -> Template {
    Template(vec![TemplatePart::Text(text.into())])
}

/// What stands at `path` in an answer, under a name.
fn extract_json(name: &str, path: &str) -> Option<Extract> {
    let from = ExtractFrom::Json(path.to_owned(), JsonPath::parse(path).ok()?);
    Some(Extract { name: name.into(), from })
}

fn extract_param(name: &str) -> Extract {
    Extract { name: name.into(), from: ExtractFrom::UrlParam(name.to_owned()) }
}

/// Where a short form's page is.
struct Page(Template);

impl Setting for Page {
    const EXPECTED: &'static str = "a URL, or a path such as \"/login\"";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        let text = Self::text(node, problems)?;
        // Any will do for a base: what is joined to it is wrong or right with another too.
        let base = Url::parse("https://farol.invalid/").ok()?;
        let mistake = match base.join(&text) {
            Ok(url) => web_fault(&url),
            Err(error) => Some(Mistake::InvalidUrl { reason: error.to_string() }),
        };
        match mistake {
            None => Some(Self(plain(&text))),
            Some(mistake) => {
                problems.report(node.span(), mistake);
                None
            }
        }
    }

    fn schema() -> Value {
        json!({ "type": "string" })
    }
}
