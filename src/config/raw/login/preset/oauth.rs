//! Tokens of OAuth 2.0 that are asked for without a browser (RFC 6749, 4.3 and 4.4).

use toml::Spanned;
use url::Url;

use super::super::super::super::plan::StatusSet;
use super::super::super::super::plan::login::{
    Action, LoginStep, PostBody, Rejection, Template, TemplateHeader, TemplatePart, Variable,
};
use super::super::super::super::problem::Problems;
use super::super::super::super::reader::{Key, Node, Reader, Section, Setting};
use super::super::super::super::secret::SecretRef;
use super::super::super::super::setting::choice::{choose, word_schema};
use super::super::super::super::setting::list::OneOrMany;
use super::super::super::super::setting::text::Line;
use super::{extract_json, plain, step};

const TOKEN_URL: Key<Url> = Key::new("token_url", "Where the token is asked for.");
const CLIENT_ID: Key<Line<200>> = Key::new("client_id", "Who asks for it.");
const CLIENT_SECRET: Key<SecretRef> = Key::new("client_secret", "How they prove who they are.");
const CLIENT_AUTH: Key<ClientAuth> = Key::new(
    "client_auth",
    "Whether the client's secret is sent in HTTP Basic or posted with the form.",
)
.or_text("basic");
const SCOPES: Key<OneOrMany<Line<200>>> = Key::new("scopes", "What the token is for.");

/// How a client proves who it is.
#[derive(Clone, Copy)]
enum ClientAuth {
    Basic,
    Post,
}

const CLIENT_AUTHS: [(&str, ClientAuth); 2] =
    [("basic", ClientAuth::Basic), ("post", ClientAuth::Post)];

impl Setting for ClientAuth {
    const EXPECTED: &'static str = "\"basic\" or \"post\"";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        choose::<Self, _>(node, "a way for a client to prove who it is", &CLIENT_AUTHS, problems)
    }

    fn schema() -> serde_json::Value {
        word_schema(&CLIENT_AUTHS)
    }
}

/// A client, and what it wants.
pub(super) struct Client {
    pub(super) id: String,
    secret: Option<SecretRef>,
    auth: ClientAuth,
    pub(super) scopes: Vec<String>,
}

impl Client {
    /// Asks for its keys in a table that has others.
    pub(super) fn ask(table: &mut Reader<'_, '_, '_>, is_public: bool) -> Option<Self> {
        let id = table.require(&CLIENT_ID);
        let secret = if is_public {
            table.take(&CLIENT_SECRET).optional()
        } else {
            table.require(&CLIENT_SECRET).map(|secret| Some(secret.into_inner()))
        };
        let (auth, scopes) = (table.take(&CLIENT_AUTH), table.take(&SCOPES));
        let scopes = scopes.or(OneOrMany(Vec::new()))?.0.into_iter();
        Some(Self {
            id: id?.into_inner().0,
            secret: secret?,
            auth: auth.or(ClientAuth::Basic)?,
            scopes: scopes.map(Spanned::into_inner).map(|scope| scope.0).collect(),
        })
    }

    /// The request for a token, with what this kind of request has besides.
    pub(super) fn ask_token(&self, url: Template, fields: &[(&str, Template)]) -> Action {
        let mut headers = Vec::new();
        let own = |(name, text): &(&str, Template)| ((*name).to_owned(), text.clone());
        let mut form: Vec<_> = fields.iter().map(own).collect();
        let secret = |secret: &SecretRef| {
            Template(vec![TemplatePart::Variable(Variable::Secret(secret.clone()))])
        };
        match (&self.secret, self.auth) {
            (Some(held), ClientAuth::Basic) => {
                let (user, password) = (plain(&self.id), secret(held));
                let basic = TemplateHeader::Basic { user, password, of_client: true };
                headers.push((http::header::AUTHORIZATION, basic));
            }
            (held, ClientAuth::Basic | ClientAuth::Post) => {
                form.push(("client_id".to_owned(), plain(&self.id)));
                form.extend(held.iter().map(|held| ("client_secret".to_owned(), secret(held))));
            }
        }
        Action::Post { url, headers, body: PostBody::Form(form) }
    }

    /// What the token is for, as it is sent.
    fn scope(&self) -> Option<(&'static str, Template)> {
        (!self.scopes.is_empty()).then(|| ("scope", plain(&self.scopes.join(" "))))
    }
}

/// A step that gets `{{access_token}}`.
fn token_step(action: Action) -> Option<LoginStep> {
    let extract = vec![extract_json("access_token", "$.access_token")?];
    Some(LoginStep { extract, ..step("token", action) })
}

/// `client_credentials`.
pub(super) struct ClientCredentials {
    url: Url,
    client: Client,
}

impl Section for ClientCredentials {
    const NAME: &'static str = "`client_credentials`";

    fn read_keys(table: &mut Reader<'_, '_, '_>) -> Option<Self> {
        let (url, client) = (table.require(&TOKEN_URL), Client::ask(table, false));
        Some(Self { url: url?.into_inner(), client: client? })
    }
}

impl ClientCredentials {
    pub(super) fn steps(self) -> Option<Vec<LoginStep>> {
        let grant = ("grant_type", plain("client_credentials"));
        let fields: Vec<_> = [Some(grant), self.client.scope()].into_iter().flatten().collect();
        let action = self.client.ask_token(plain(self.url.as_str()), &fields);
        Some(vec![token_step(action)?])
    }
}

/// `password_grant`.
pub(super) struct PasswordGrant {
    url: Url,
    client: Client,
}

impl Section for PasswordGrant {
    const NAME: &'static str = "`password_grant`";

    fn read_keys(table: &mut Reader<'_, '_, '_>) -> Option<Self> {
        let (url, client) = (table.require(&TOKEN_URL), Client::ask(table, true));
        Some(Self { url: url?.into_inner(), client: client? })
    }
}

impl PasswordGrant {
    pub(super) fn steps(self) -> Option<Vec<LoginStep>> {
        let mut fields = vec![
            ("grant_type", plain("password")),
            ("username", Template::parse("{{user}}")),
            ("password", Template::parse("{{password}}")),
        ];
        fields.extend(self.client.scope());
        let action = self.client.ask_token(plain(self.url.as_str()), &fields);
        // The answer to a wrong password is 400 (RFC 6749, 5.2).
        let rejected = Rejection {
            status: StatusSet(vec![(401, 401), (403, 403)]),
            contains: vec!["\"invalid_grant\"".to_owned()],
            html: Vec::new(),
        };
        Some(vec![LoginStep { rejected: Some(rejected), ..token_step(action)? }])
    }
}
