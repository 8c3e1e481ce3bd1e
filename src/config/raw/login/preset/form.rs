//! Logging in through a form, at the target itself or at somebody else's (SAML).

use std::sync::Arc;

use scraper::Selector;
use toml::Spanned;

use super::super::super::super::plan::expect::{CountRange, HtmlExpect, HttpExpect};
use super::super::super::super::plan::login::{Action, Chosen, LoginStep, Rejection, Template};
use super::super::super::super::reader::{Field, Key, Reader, Section};
use super::super::super::super::setting::list::OneOrMany;
use super::super::super::super::setting::place::HostName;
use super::super::super::super::setting::template::Fields;
use super::super::super::super::setting::text::Line;
use super::super::step::REJECTED;
use super::{Page, plain, step};

/// A form that asks for a password; a page may have another for searching.
const USUAL_FORM: &str = "form:has(input[type=password])";

const PAGE: Key<Page> =
    Key::new("page", "The page that has the form, or leads to it: a whole URL, or what is below.")
        .or_text("/login");
const FORM: Key<Chosen> = Key::new("form", "Which form, as in a style sheet.").or_text(USUAL_FORM);
const USER_FIELD: Key<Line<100>> =
    Key::new("user_field", "What the form calls the user's name.").or_text("username");
const PASSWORD_FIELD: Key<Line<100>> =
    Key::new("password_field", "What the form calls the password.").or_text("password");
const TOTP_FIELD: Key<Line<100>> =
    Key::new("totp_field", "What the form calls the one-time password, if it asks for one.");
const FIELDS: Key<Fields> = Key::new("fields", "What else is filled in.");
const VIA: Key<OneOrMany<HostName>> =
    Key::new("via", "Hosts that the redirects after it must pass, in this order.");

/// The form, what is filled in, and what comes of it if that is wrong.
pub(super) struct Form {
    form: Chosen,
    fields: Vec<(String, Template)>,
    rejected: Option<Rejection>,
}

impl Form {
    /// Asks for its keys in a table that may have others.
    fn ask(table: &mut Reader<'_, '_, '_>) -> Option<Self> {
        let (form, user) = (table.take(&FORM), table.take(&USER_FIELD));
        let (password, totp) = (table.take(&PASSWORD_FIELD), table.take(&TOTP_FIELD));
        let (more, rejected) = (table.take(&FIELDS), table.take(&REJECTED));
        Rejection::weigh(&rejected, table);
        let named = |name: Field<Line<100>>, usual: &str| Some(name.or(Line(usual.to_owned()))?.0);
        let mut fields = vec![
            (named(user, "username")?, Template::parse("{{user}}")),
            (named(password, "password")?, Template::parse("{{password}}")),
        ];
        fields.extend(totp.optional()?.map(|name| (name.0, Template::parse("{{totp}}"))));
        let more = more.or(Fields(Vec::new()))?.0.into_iter();
        fields.extend(more.map(|(name, text)| (name, text.into_inner())));
        let form = match form.optional()? {
            Some(form) => form,
            None => chosen(USUAL_FORM)?,
        };
        Some(Self { form, fields, rejected: rejected.optional()? })
    }

    /// The usual form, with the usual names.
    pub(super) fn usual() -> Option<Self> {
        let fields = vec![
            ("username".to_owned(), Template::parse("{{user}}")),
            ("password".to_owned(), Template::parse("{{password}}")),
        ];
        Some(Self { form: chosen(USUAL_FORM)?, fields, rejected: None })
    }

    /// `{ name = "log in", submit = FORM, fields = { ... } }`.
    pub(super) fn log_in(self) -> LoginStep {
        let Self { form, fields, rejected } = self;
        LoginStep { rejected, ..step("log in", Action::Submit { form, fields }) }
    }
}

impl Section for Form {
    const NAME: &'static str = "`form`";

    fn read_keys(table: &mut Reader<'_, '_, '_>) -> Option<Self> {
        Self::ask(table)
    }
}

/// A selector of ours.
pub(in super::super) fn chosen(written: &str) -> Option<Chosen> {
    Some(Chosen { written: Arc::from(written), select: Selector::parse(written).ok()? })
}

/// `form_login`.
pub(super) struct FormLogin {
    page: Template,
    form: Form,
    via: Vec<String>,
}

impl Section for FormLogin {
    const NAME: &'static str = "`form_login`";

    fn read_keys(table: &mut Reader<'_, '_, '_>) -> Option<Self> {
        let (page, form, via) = (table.take(&PAGE), Form::ask(table), table.take(&VIA));
        let via = via.or(OneOrMany(Vec::new()))?.0.into_iter();
        Some(Self {
            page: page.or(Page(plain("/login")))?.0,
            form: form?,
            via: via.map(Spanned::into_inner).map(|host| host.0).collect(),
        })
    }
}

impl FormLogin {
    pub(super) fn steps(self) -> Option<Vec<LoginStep>> {
        Some(vec![load(self.page), LoginStep { via: self.via, ..self.form.log_in() }])
    }
}

/// `{ name = "login page", get = PAGE }`.
fn load(page: Template) -> LoginStep {
    step("login page", Action::Get { url: page, query: Vec::new(), headers: Vec::new() })
}

/// `saml`.
pub(super) struct Saml {
    page: Template,
    form: Form,
}

impl Section for Saml {
    const NAME: &'static str = "`saml`";

    fn read_keys(table: &mut Reader<'_, '_, '_>) -> Option<Self> {
        let (page, form) = (table.take(&PAGE), Form::ask(table));
        Some(Self { page: page.or(Page(plain("/login")))?.0, form: form? })
    }
}

impl Saml {
    pub(super) fn steps(self) -> Option<Vec<LoginStep>> {
        let answer = chosen("input[name=SAMLResponse]")?;
        let answered = HtmlExpect {
            written: answer.written.to_string(),
            select: answer.select,
            count: CountRange::SOME,
            contains: Vec::new(),
            matches: Vec::new(),
        };
        let mut log_in = self.form.log_in();
        log_in.expect = HttpExpect { html: vec![answered], ..HttpExpect::default() };
        // What a browser's script sends by itself as soon as the page is there.
        let form = chosen("form:has(input[name=SAMLResponse])")?;
        let assertion = step("assertion", Action::Submit { form, fields: Vec::new() });
        Some(vec![load(self.page), log_in, assertion])
    }
}
