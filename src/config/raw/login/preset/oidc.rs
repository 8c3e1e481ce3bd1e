//! OpenID Connect: authorization code with PKCE, from the discovery document to the ID token.

use serde_json::Value;
use serde_json_path::JsonPath;
use url::Url;

use super::super::super::super::mistake::Mistake;
use super::super::super::super::plan::expect::{CountRange, HttpExpect, JsonExpect, JsonTest};
use super::super::super::super::plan::login::{Action, Chosen, LoginStep, Template, TokenExpect};
use super::super::super::super::problem::Problems;
use super::super::super::super::reader::{Field, Key, Node, Reader, Section, Setting};
use super::super::super::super::setting::duration::{DAY, Duration};
use super::super::super::super::setting::text::Line;
use super::form::Form;
use super::oauth::Client;
use super::{extract_json, extract_param, plain, step};
use crate::model::Span;

const ISSUER: Key<Issuer> =
    Key::new("issuer", "The provider: where its discovery document is, and who issues tokens.");
const REDIRECT_URI: Key<Line<500>> = Key::new(
    "redirect_uri",
    "Where the provider sends the browser back to, as it is registered there; it is not loaded.",
);
const FORM: Key<Form> = Key::new("form", "The provider's login form.");
const CONSENT: Key<Chosen> =
    Key::new("consent", "The form by which the user consents, if the provider shows one.");
const LEEWAY: Key<Duration<0, { 3650 * DAY }>> =
    Key::new("leeway", "How far the ID token's times (`exp`, `iat`, `nbf`) may be off.")
        .or_text("1m");

/// An issuer, to the letter: that is how tokens name it.
struct Issuer(String);

impl Setting for Issuer {
    const EXPECTED: &'static str = Url::EXPECTED;

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        let (text, url) = (Self::text(node, problems)?, Url::read(node, problems)?);
        if url.query().is_some() || url.fragment().is_some() {
            let reason = "an issuer's has neither a query nor a fragment".to_owned();
            problems.report(node.span(), Mistake::InvalidUrl { reason });
            return None;
        }
        Some(Self(text))
    }

    fn schema() -> Value {
        Url::schema()
    }
}

/// `oidc`.
pub(super) struct Oidc {
    issuer: String,
    client: Client,
    redirect_uri: String,
    form: Form,
    consent: Option<Chosen>,
    leeway: Span,
}

impl Section for Oidc {
    const NAME: &'static str = "`oidc`";

    fn read_keys(table: &mut Reader<'_, '_, '_>) -> Option<Self> {
        let (issuer, client) = (table.require(&ISSUER), Client::ask(table, true));
        let (redirect, form) = (table.require(&REDIRECT_URI), table.take(&FORM));
        let (consent, leeway) = (table.take(&CONSENT), table.take(&LEEWAY));
        let form = match form {
            Field::Given(form) => form.into_inner(),
            Field::Absent => Form::usual()?,
            Field::Wrong => return None,
        };
        Some(Self {
            issuer: issuer?.into_inner().0,
            client: client?,
            redirect_uri: redirect?.into_inner().0,
            form,
            consent: consent.optional()?,
            leeway: leeway.or(Duration(Span::from_secs(60)))?.0,
        })
    }
}

impl Oidc {
    pub(super) fn steps(self) -> Option<Vec<LoginStep>> {
        let (discovery, exchange) = (self.discover()?, self.exchange()?);
        let authorize = self.authorize();
        // Whichever of the two comes last is sent back with the code.
        let mut log_in = self.form.log_in();
        let mut consent =
            self.consent.map(|form| step("consent", Action::Submit { form, fields: Vec::new() }));
        let last = consent.as_mut().unwrap_or(&mut log_in);
        last.until = Some(plain(&self.redirect_uri));
        last.extract = vec![extract_param("code"), extract_param("state")];
        last.same = vec![("state".into(), Template::parse("{{random.state}}"))];
        let steps = [Some(discovery), Some(authorize), Some(log_in), consent, Some(exchange)];
        Some(steps.into_iter().flatten().collect())
    }

    /// The document must be the issuer's own (OpenID Connect Discovery, 4.3).
    fn discover(&self) -> Option<LoginStep> {
        let url = format!("{}/.well-known/openid-configuration", self.issuer.trim_end_matches('/'));
        let own = JsonExpect {
            written: "$.issuer".to_owned(),
            path: JsonPath::parse("$.issuer").ok()?,
            count: CountRange::SOME,
            tests: vec![JsonTest::Equals(Value::from(self.issuer.as_str()))],
        };
        let get = Action::Get { url: plain(&url), query: Vec::new(), headers: Vec::new() };
        Some(LoginStep {
            expect: HttpExpect { json: vec![own], ..HttpExpect::default() },
            extract: vec![
                extract_json("authorization_endpoint", "$.authorization_endpoint")?,
                extract_json("token_endpoint", "$.token_endpoint")?,
            ],
            ..step("discovery", get)
        })
    }

    fn authorize(&self) -> LoginStep {
        let mut scopes = self.client.scopes.clone();
        // Without it no ID token is given.
        if !scopes.iter().any(|scope| scope == "openid") {
            scopes.insert(0, "openid".to_owned());
        }
        let query = [
            ("response_type", plain("code")),
            ("client_id", plain(&self.client.id)),
            ("redirect_uri", plain(&self.redirect_uri)),
            ("scope", plain(&scopes.join(" "))),
            ("state", Template::parse("{{random.state}}")),
            ("nonce", Template::parse("{{random.nonce}}")),
            ("code_challenge", Template::parse("{{challenge.verifier}}")),
            ("code_challenge_method", plain("S256")),
        ];
        let query = query.into_iter().map(|(name, text)| (name.to_owned(), text)).collect();
        let url = Template::of("authorization_endpoint");
        step("authorize", Action::Get { url, query, headers: Vec::new() })
    }

    fn exchange(&self) -> Option<LoginStep> {
        let fields = [
            ("grant_type", plain("authorization_code")),
            ("code", Template::of("code")),
            ("redirect_uri", plain(&self.redirect_uri)),
            ("code_verifier", Template::parse("{{random.verifier}}")),
        ];
        let token = TokenExpect {
            token: Template::of("id_token"),
            issuer: Some(plain(&self.issuer)),
            audience: Some(plain(&self.client.id)),
            nonce: Some(Template::parse("{{random.nonce}}")),
            leeway: self.leeway,
        };
        Some(LoginStep {
            extract: vec![
                extract_json("access_token", "$.access_token")?,
                extract_json("id_token", "$.id_token")?,
            ],
            tokens: vec![token],
            ..step("token", self.client.ask_token(Template::of("token_endpoint"), &fields))
        })
    }
}
