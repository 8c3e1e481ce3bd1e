//! What a step asks for: its templates filled in, as a request.

use std::sync::Arc;

use data_encoding::HEXLOWER;
use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use sha2::{Digest, Sha256};
use url::Url;

use super::super::header;
use super::super::http::Answer;
use super::super::http::auth::{basic, form};
use super::super::http::decode;
use super::super::http::examine::look;
use super::super::http::expect::html;
use super::super::http::initiator::Initiator;
use super::super::http::request::Request;
use super::super::http::route::Trail;
use super::flow::Flow;
use super::forms::{self, Filled};
use crate::config::{
    Action, Chosen, LoginStep, PostBody, Template, TemplateHeader, TemplatePart, Variable,
};
use crate::model::Reason;
use crate::net::Run;

/// What a browser asks for that is to show a page.
const PAGES: HeaderValue =
    HeaderValue::from_static("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8");

/// The answer that came last.
#[derive(Clone)]
pub(super) struct Last {
    pub(super) answer: Arc<Answer>,
    /// Where it came from, or where the redirect points that it is.
    pub(super) url: Url,
    /// What was asked for, before any redirects.
    pub(super) asked: Request,
    /// Whether it is a redirect that was not followed.
    pub(super) stopped: bool,
}

impl Flow<'_> {
    /// The request of `step`. One that the file sends to another host may go there whatever its
    /// address; where a target sends us, it must not lead behind our walls.
    pub(super) async fn request(
        &self,
        step: &LoginStep,
        run: &mut Run,
        trail: &mut Trail,
    ) -> Result<Request, Reason> {
        let (url, query, headers, body) = match &step.action {
            Action::Get { url, query, headers } => (url, query.as_slice(), headers, None),
            Action::Post { url, headers, body } => (url, &[][..], headers, Some(body)),
            Action::Submit { form, fields } => return self.submission(form, fields, run).await,
            Action::Look | Action::Sleep(_) | Action::Totp(_) => {
                let detail = "something to ask for".to_owned();
                return Err(Reason::ProberMisconfigured { detail });
            }
        };
        let to = self.resolved(url, query)?;
        let host = to.host_str().unwrap_or_default();
        if is_written(url) && !self.route.is_home(&to) && !trail.known.contains_key(host) {
            let found = self.route.ground.locate(&to, run).await?;
            trail.known.insert(host.to_owned(), found);
        }
        let mut all = HeaderMap::new();
        for (name, header) in headers {
            all.append(name, self.header(header, name)?);
        }
        let (method, body) = match body {
            None => (Method::GET, None),
            Some(body) => (Method::POST, Some(self.body(body)?)),
        };
        // What a script of the page sends, or a client that has no page.
        let page = self.last.as_ref().filter(|last| {
            method == Method::POST && !last.stopped && last.url.origin() == to.origin()
        });
        let page = page.map(|last| Initiator::new(last.url.clone()));
        self.sent(method, to, all, body, page)
    }

    /// Fills in and sends the form of the last answer.
    async fn submission(
        &self,
        form: &Chosen,
        fields: &[(String, Template)],
        run: &Run,
    ) -> Result<Request, Reason> {
        let page = self.last.as_ref().filter(|last| !last.stopped);
        let sought = || Reason::FormNotFound { sought: format!("form `{}`", form.written) };
        let page = page.ok_or_else(sought)?;
        let fields = fields
            .iter()
            .map(|(name, value)| Ok((name.clone(), self.vars.fill(value)?)))
            .collect::<Result<Vec<_>, Reason>>()?;
        let (answer, url, form) = (page.answer.clone(), page.url.clone(), form.clone());
        // Of what is filled in, so that it is in nothing that is filled in.
        let boundary = format!("farol{}", HEXLOWER.encode(&hash(&fields)));
        let Filled { method, url, body } = look(run, &page.answer, move |go_on| {
            let document = html::read(&answer.body, go_on)?;
            forms::fill(&document, &url, &form, &fields, &boundary)
        })
        .await?;
        let headers = HeaderMap::from_iter([(ACCEPT, PAGES)]);
        let page = Some(Initiator::new(page.url.clone()));
        self.sent(method, url, headers, body, page)
    }

    fn sent(
        &self,
        method: Method,
        url: Url,
        mut headers: HeaderMap,
        body: Option<(String, String)>,
        page: Option<Initiator>,
    ) -> Result<Request, Reason> {
        let client = &self.login.client;
        let at_home = url.origin() == self.login.url.origin();
        if let Some((kind, _)) = &body
            && let Ok(kind) = HeaderValue::from_str(kind)
        {
            headers.entry(CONTENT_TYPE).or_insert(kind);
        }
        if client.compression {
            headers.entry(ACCEPT_ENCODING).or_insert(HeaderValue::from_static(decode::ACCEPTED));
        }
        let body = body.map(|(_, text)| Arc::from(text.into_bytes()));
        let request = Request::new(method, url, headers, body, page);
        let request = request.ok_or_else(|| no_address("one that HTTP can carry"))?;
        Ok(if at_home { request.at_home(client, self.authorization) } else { request })
    }

    /// Where `template` leads, relative to where the flow begins. Where a part of it is missing, that
    /// would be another thing: the list of all notes, and not one note that is to be removed.
    fn resolved(&self, template: &Template, query: &[(String, Template)]) -> Result<Url, Reason> {
        if let Some(name) = self.vars.lacks(template) {
            return Err(Reason::ExtractMissing { name: name.to_owned() });
        }
        let text = self.vars.fill(template)?;
        let url = self.login.url.join(&text).ok();
        let url = url.filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        let mut url = url.ok_or_else(|| no_address("one of the web"))?;
        url.set_fragment(None);
        for (name, value) in query {
            url.query_pairs_mut().append_pair(name, &self.vars.fill(value)?);
        }
        Ok(url)
    }

    fn header(&self, header: &TemplateHeader, name: &HeaderName) -> Result<HeaderValue, Reason> {
        let (text, is_secret) = match header {
            TemplateHeader::Text(text) => return header::value(text, self.route.ground.secrets),
            // What a flow finds out is for one origin only.
            TemplateHeader::Template(template) => {
                (self.vars.fill(template)?, template.variables().next().is_some())
            }
            TemplateHeader::Basic { user, password, of_client } => {
                let (user, password) = (self.vars.fill(user)?, self.vars.fill(password)?);
                let (user, password) =
                    if *of_client { (form(&user), form(&password)) } else { (user, password) };
                (basic(&user, &password), true)
            }
        };
        let mut value = HeaderValue::from_str(&text).map_err(|_| {
            let detail = format!("nothing that the header {name} could carry");
            Reason::MalformedAnswer { detail }
        })?;
        value.set_sensitive(is_secret);
        Ok(value)
    }

    /// A body's type and text.
    fn body(&self, body: &PostBody) -> Result<(String, String), Reason> {
        Ok(match body {
            PostBody::Form(fields) => {
                let mut form = url::form_urlencoded::Serializer::new(String::new());
                for (name, value) in fields {
                    form.append_pair(name, &self.vars.fill(value)?);
                }
                ("application/x-www-form-urlencoded".to_owned(), form.finish())
            }
            PostBody::Json(json) => ("application/json".to_owned(), self.vars.fill_json(json)?),
            PostBody::Raw(text, kind) => (kind.to_string(), self.vars.fill(text)?),
        })
    }
}

/// The file's own addresses were looked at when it was read: this one a target has given.
fn no_address(detail: &str) -> Reason {
    Reason::MalformedAnswer { detail: format!("an address that is not {detail}") }
}

fn hash(fields: &[(String, String)]) -> [u8; 16] {
    let hash = fields.iter().fold(Sha256::new(), |hash, (name, value)| {
        hash.chain_update(name).chain_update([0]).chain_update(value).chain_update([0])
    });
    let mut short = [0; 16];
    short.iter_mut().zip(hash.finalize()).for_each(|(to, from)| *to = from);
    short
}

/// Whether the host that `template` leads to is in the file, and not something that a target says.
fn is_written(template: &Template) -> bool {
    let said = |part: &TemplatePart| matches!(part, TemplatePart::Variable(Variable::Extracted(_)));
    let mut start = String::new();
    for part in template.0.iter().take_while(|part| !said(part)) {
        match part {
            TemplatePart::Text(text) => start.push_str(text),
            TemplatePart::Variable(_) => start.push('x'),
        }
    }
    let after_scheme = start.split_once("//").map_or("", |(_, rest)| rest);
    !template.0.iter().any(said) || after_scheme.contains(['/', '?', '#'])
}

#[cfg(test)]
mod tests {
    use super::is_written;
    use crate::config::{Template, TemplatePart, Variable};

    #[test]
    fn whose_word_a_host_is() {
        let text = |text: &str| TemplatePart::Text(text.into());
        let said = || TemplatePart::Variable(Variable::Extracted("x".into()));
        for (parts, written) in [
            (vec![text("https://idp.example")], true),
            (vec![text("https://idp.example/"), said()], true),
            (vec![text("https://idp.example?q="), said()], true),
            (vec![text("https://idp.example"), said()], false),
            (vec![text("https://"), said(), text("/")], false),
            (vec![text("/a//b/"), said()], true),
            (vec![text("/"), said()], false),
            (vec![said()], false),
        ] {
            assert_eq!(is_written(&Template(parts.clone())), written, "{parts:?}");
        }
    }
}
