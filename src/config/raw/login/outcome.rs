//! What a step takes out of an answer, and what it holds against it.

use std::sync::Arc;

use http::HeaderName;
use serde_json::{Value, json};
use toml::Spanned;
use toml::de::DeValue;

use super::super::super::mistake::{Mistake, list, shorten};
use super::super::super::plan::StatusSet;
use super::super::super::plan::expect::HeaderExpect;
use super::super::super::plan::login::{
    Chosen, CookieExpect, Extract, ExtractFrom, Rejection, SameSite, Template, TokenExpect,
    Variable,
};
use super::super::super::problem::Problems;
use super::super::super::reader::{Field, Key, Node, Reader, Section, Setting, section_schema};
use super::super::super::setting::choice::{choose, word_schema};
use super::super::super::setting::duration::{DAY, Duration};
use super::super::super::setting::json_path::Path;
use super::super::super::setting::list::OneOrMany;
use super::super::super::setting::pattern::TextPattern;
use super::super::super::setting::template::is_identifier;
use super::super::super::setting::text::{Line, Needle};
use crate::model::Span;

const CSS: Key<Chosen> =
    Key::new("css", "The first element that this selects: its text, or its `attribute`.");
const ATTRIBUTE: Key<Line<100>> = Key::new("attribute", "Which attribute of the element.");
const JSON: Key<Path> = Key::new("json", "The first value that this path leads to.");
const REGEX: Key<TextPattern> =
    Key::new("regex", "The first group of this expression, or all that it matches.");
const HEADER: Key<AnswerHeader> = Key::new("header", "A header of the answer.");
const COOKIE: Key<Line<200>> = Key::new("cookie", "A cookie that has been set.");
const URL_PARAM: Key<Line<200>> =
    Key::new("url_param", "A parameter of the URL that the redirects have ended at.");
const SOURCES: &[&str] = &["css", "json", "regex", "header", "cookie", "url_param"];

struct AnswerHeader(HeaderName);

impl Setting for AnswerHeader {
    const EXPECTED: &'static str = "the name of a header";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        let text = Self::text(node, problems)?;
        let name = HeaderName::from_bytes(text.as_bytes()).ok();
        if name.is_none() {
            problems.report(node.span(), Mistake::InvalidHeader { part: "name" });
        }
        name.map(Self)
    }

    fn schema() -> Value {
        json!({ "type": "string", "minLength": 1 })
    }
}

impl Section for ExtractFrom {
    const NAME: &'static str = "what is extracted";

    fn read_keys(table: &mut Reader<'_, '_, '_>) -> Option<Self> {
        table.exactly_one(SOURCES);
        let (css, attribute) = (table.take(&CSS), table.take(&ATTRIBUTE));
        let (json, regex) = (table.take(&JSON), table.take(&REGEX));
        let (header, cookie) = (table.take(&HEADER), table.take(&COOKIE));
        let param = table.take(&URL_PARAM);
        if let (Field::Absent, Field::Given(attribute)) = (&css, &attribute) {
            let (key, trouble) = (ATTRIBUTE.name(), "is one of an element");
            let help = "say of which, with `css`";
            table.report(attribute.span(), Mistake::WithoutEffect { key, trouble, help });
        }
        let attribute = attribute.optional()?.map(|name| name.0);
        // That there is exactly one the reader has seen to.
        let sources = [
            css.optional()?.map(|chosen| Self::Css(chosen, attribute)),
            json.optional()?.map(|Path(written, path)| Self::Json(written, path)),
            regex.optional()?.map(|pattern| Self::Regex(pattern.0)),
            header.optional()?.map(|name| Self::Header(name.0)),
            cookie.optional()?.map(|name| Self::Cookie(name.0)),
            param.optional()?.map(|name| Self::UrlParam(name.0)),
        ];
        sources.into_iter().flatten().next()
    }
}

/// What is extracted, in the order of its names.
pub(super) struct Extracts(pub(super) Vec<Extract>);

impl Setting for Extracts {
    const EXPECTED: &'static str = "a table such as { token = { css = \"meta[name=csrf]\" } }";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        let named = read_named(node, problems, Self::EXPECTED)?;
        let mut all_good = true;
        let mut extracts = Vec::with_capacity(named.len());
        for (name, from) in named {
            let text = name.get_ref();
            if !is_identifier(text) || Variable::RESERVED.contains(&text.as_str()) {
                let (got, taken) = (shorten(text), list(&Variable::RESERVED));
                problems.report(name.span(), Mistake::InvalidName { got, taken });
                all_good = false;
            }
            extracts.push(Extract { name: name.into_inner().into(), from });
        }
        all_good.then_some(Self(extracts))
    }

    fn schema() -> Value {
        json!({ "type": "object", "additionalProperties": section_schema::<ExtractFrom>() })
    }
}

/// Every entry of a table whose keys are the user's own.
fn read_named<T: Setting>(
    node: &Node<'_>,
    problems: &mut Problems<'_>,
    expected: &'static str,
) -> Option<Vec<(Spanned<String>, T)>> {
    let DeValue::Table(table) = node.get_ref() else {
        let found = node.get_ref().type_str();
        problems.report(node.span(), Mistake::WrongType { expected, found });
        return None;
    };
    let entries: Vec<_> = table
        .iter()
        .map(|(key, value)| {
            let name = Spanned::new(key.span(), key.get_ref().to_string());
            T::read(value, problems).map(|value| (name, value))
        })
        .collect();
    entries.into_iter().collect()
}

const SECURE: Key<bool> = Key::new("secure", "Whether it must be for TLS only.");
const HTTP_ONLY: Key<bool> = Key::new("http_only", "Whether it must be out of scripts' sight.");
const SAME_SITE: Key<SameSite> =
    Key::new("same_site", "Which requests must carry it: `strict`, `lax`, or `none` for all.");
const VALUE: Key<HeaderExpect> = Key::new("value", "What its value must be.");

const SAME_SITES: [(&str, SameSite); 3] =
    [("strict", SameSite::Strict), ("lax", SameSite::Lax), ("none", SameSite::None)];

impl Setting for SameSite {
    const EXPECTED: &'static str = "\"strict\", \"lax\" or \"none\"";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        choose::<Self, _>(node, "a value of SameSite", &SAME_SITES, problems)
    }

    fn schema() -> Value {
        word_schema(&SAME_SITES)
    }
}

/// A cookie without its name.
struct Cookie(CookieExpect);

impl Section for Cookie {
    const NAME: &'static str = "an expected cookie";

    fn read_keys(table: &mut Reader<'_, '_, '_>) -> Option<Self> {
        let (secure, http_only) = (table.take(&SECURE), table.take(&HTTP_ONLY));
        let (same_site, value) = (table.take(&SAME_SITE), table.take(&VALUE));
        Some(Self(CookieExpect {
            name: String::new(),
            secure: secure.optional()?,
            http_only: http_only.optional()?,
            same_site: same_site.optional()?,
            value: value.optional()?,
        }))
    }
}

/// What cookies must be, in the order of their names.
pub(super) struct Cookies(pub(super) Vec<CookieExpect>);

impl Setting for Cookies {
    const EXPECTED: &'static str = "a table such as { session = { secure = true } }";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        let named = read_named::<Cookie>(node, problems, Self::EXPECTED)?;
        let cookie = |(name, Cookie(cookie)): (Spanned<String>, _)| CookieExpect {
            name: name.into_inner(),
            ..cookie
        };
        Some(Self(named.into_iter().map(cookie).collect()))
    }

    fn schema() -> Value {
        json!({ "type": "object", "additionalProperties": section_schema::<Cookie>() })
    }
}

/// What variables must be, in the order of their names.
pub(super) struct Same(pub(super) Vec<(Spanned<Arc<str>>, Spanned<Template>)>);

impl Setting for Same {
    const EXPECTED: &'static str = "a table such as { state = \"{{random.state}}\" }";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        let DeValue::Table(table) = node.get_ref() else {
            return Self::wrong_type(node, problems);
        };
        let pairs: Vec<_> = table
            .iter()
            .map(|(key, value)| {
                let name = Spanned::new(key.span(), Arc::from(key.get_ref().as_ref()));
                let text = Template::read(value, problems)?;
                Some((name, Spanned::new(value.span(), text)))
            })
            .collect();
        pairs.into_iter().collect::<Option<_>>().map(Self)
    }

    fn schema() -> Value {
        json!({ "type": "object", "additionalProperties": Template::schema() })
    }
}

const TOKEN: Key<Template> = Key::new("token", "The token: `\"{{id_token}}\"`.");
const ISSUER: Key<Template> = Key::new("issuer", "Who must have issued it (`iss`).");
const AUDIENCE: Key<Template> = Key::new("audience", "Whom it must be for (`aud`).");
const NONCE: Key<Template> = Key::new("nonce", "The nonce that must be in it.");
/// Ten years: somebody may want to look at the other claims alone.
const LEEWAY: Key<Duration<0, { 3650 * DAY }>> =
    Key::new("leeway", "How far its times (`exp`, `iat`, `nbf`) may be off.").or_text("1m");

/// What a token must say, and the texts in it with their places.
pub(super) struct RawToken {
    pub(super) expect: TokenExpect,
    pub(super) uses: Vec<Spanned<Template>>,
}

impl Section for RawToken {
    const NAME: &'static str = "`tokens`";

    fn read_keys(table: &mut Reader<'_, '_, '_>) -> Option<Self> {
        let (token, issuer) = (table.require(&TOKEN), table.take(&ISSUER));
        let (audience, nonce) = (table.take(&AUDIENCE), table.take(&NONCE));
        let leeway = table.take(&LEEWAY);
        let token = token?;
        let mut uses = vec![token.clone()];
        for field in [&issuer, &audience, &nonce] {
            uses.extend(field.clone().given());
        }
        let expect = TokenExpect {
            token: token.into_inner(),
            issuer: issuer.optional()?,
            audience: audience.optional()?,
            nonce: nonce.optional()?,
            leeway: leeway.or(Duration(Span::from_secs(60)))?.0,
        };
        Some(Self { expect, uses })
    }
}

const STATUS: Key<StatusSet> = Key::new("status", "It has one of these status codes.");
const CONTAINS: Key<OneOrMany<Needle>> =
    Key::new("contains", "Its body contains one of these texts.");
const HTML: Key<OneOrMany<Chosen>> =
    Key::new("html", "It is HTML with an element that one of these selects.");
const SIGNS: &[&str] = &["status", "contains", "html"];

impl Section for Rejection {
    const NAME: &'static str = "`rejected`";

    fn read_keys(table: &mut Reader<'_, '_, '_>) -> Option<Self> {
        let (status, contains) = (table.take(&STATUS), table.take(&CONTAINS));
        let html = table.take(&HTML);
        let contains = contains.or(OneOrMany(Vec::new()))?.0.into_iter();
        let html = html.or(OneOrMany(Vec::new()))?.0.into_iter();
        Some(Self {
            status: status.or(StatusSet(Vec::new()))?,
            contains: contains.map(|needle| needle.into_inner().0).collect(),
            html: html.map(Spanned::into_inner).collect(),
        })
    }
}

impl Rejection {
    /// Reports a table that no answer can be like.
    pub(super) fn weigh(raw: &Field<Self>, table: &mut Reader<'_, '_, '_>) {
        if let Field::Given(rejected) = raw {
            let Self { status, contains, html } = rejected.get_ref();
            if status.0.is_empty() && contains.is_empty() && html.is_empty() {
                let mistake = Mistake::NoneOf { section: Self::NAME, keys: SIGNS };
                table.report(rejected.span(), mistake);
            }
        }
    }
}
