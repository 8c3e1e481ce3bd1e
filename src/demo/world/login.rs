//! How a customer's user gets in: from the product to the identity provider, through its form, and
//! back with a code for which the product gives a session.

use http::{StatusCode, header};
use url::form_urlencoded;

use super::super::fault::Break;
use super::super::identity;
use super::answer::Answer;
use super::site::TENANTS;
use crate::model::Timestamp;

/// The name of the only user, of every customer.
const USER: &str = "probe";
/// Their password; it opens nothing.
pub(super) const PASSWORD: &str = "lighthouse";

/// What came with a request: a form's fields or a query's.
#[derive(Debug)]
pub(super) struct Fields(Vec<(String, String)>);

impl Fields {
    pub(super) fn of(text: &[u8]) -> Self {
        let pairs = form_urlencoded::parse(text);
        Self(pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect())
    }

    pub(super) fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(own, _)| own == name).map_or("", |(_, value)| value)
    }

    /// The customer that is named, if there is such a one.
    pub(super) fn tenant(&self) -> Option<&'static str> {
        let named = self.get("tenant");
        TENANTS.into_iter().find(|tenant| *tenant == named)
    }
}

/// The product sends its visitor to the identity provider.
pub(super) fn leave(identity: &str, product: &str, tenant: &str) -> Answer {
    Answer::redirect(format!("{identity}/authorize?product={product}&tenant={tenant}"))
}

/// The identity provider's form, or what has become of it.
pub(super) fn authorize(fields: &Fields, broken: Option<Break>) -> Answer {
    let (product, Some(tenant)) = (fields.get("product"), fields.tenant()) else {
        return Answer::text(StatusCode::BAD_REQUEST, "there is no such customer");
    };
    match broken {
        Some(Break::Dead) => Answer::text(StatusCode::BAD_GATEWAY, "the supplier does not answer"),
        Some(Break::Loop) => {
            Answer::redirect(format!("/authorize?product={product}&tenant={tenant}"))
        }
        Some(Break::Astray) | None => {
            let product: String = product.chars().filter(char::is_ascii_alphanumeric).collect();
            let form = format!(
                "<form method=\"post\" action=\"/session\">\n\
                 <input type=\"hidden\" name=\"product\" value=\"{product}\">\n\
                 <input type=\"hidden\" name=\"tenant\" value=\"{tenant}\">\n\
                 <label>User <input name=\"user\"></label>\n\
                 <label>Password <input name=\"password\" type=\"password\"></label>\n\
                 <button>Log in</button>\n</form>"
            );
            Answer::page("Sign in", &form, "/")
        }
    }
}

/// What comes of the form: the way back, with a code. `origin` is the product's.
pub(super) fn session(
    fields: &Fields,
    origin: Option<&str>,
    broken: Option<Break>,
    now: Timestamp,
) -> Answer {
    let (Some(tenant), Some(origin)) = (fields.tenant(), origin) else {
        return Answer::text(StatusCode::BAD_REQUEST, "there is no such customer");
    };
    if (fields.get("user"), fields.get("password")) != (USER, PASSWORD) {
        return Answer::text(StatusCode::UNAUTHORIZED, "wrong user or password");
    }
    if broken == Some(Break::Astray) {
        return Answer::redirect("/elsewhere".to_owned());
    }
    let code = identity::issue(tenant, now);
    Answer::redirect(format!("{origin}/callback?tenant={tenant}&code={code}"))
}

/// The product takes the code and gives a session, dated by the clock of the backend, `own`; whether
/// it is any good is decided by the true one.
pub(super) fn callback(fields: &Fields, own: Timestamp, now: Timestamp) -> Answer {
    let Some(tenant) = fields.tenant() else {
        return Answer::text(StatusCode::BAD_REQUEST, "there is no such customer");
    };
    let session = identity::issue(tenant, own);
    let good = identity::verify(fields.get("code"), now).and(identity::verify(&session, now));
    match good {
        Ok(()) => Answer::redirect(format!("/t/{tenant}/"))
            .with(header::SET_COOKIE, format!("session={session}; Path=/; HttpOnly; SameSite=Lax")),
        Err(rejected) => {
            Answer::text(StatusCode::UNAUTHORIZED, &format!("authentication failed: {rejected}"))
        }
    }
}

/// Whether somebody who sends these cookies is logged in.
pub(super) fn is_known(cookies: &str, now: Timestamp) -> bool {
    let sessions = cookies.split("; ").filter_map(|pair| pair.strip_prefix("session="));
    sessions.into_iter().any(|session| identity::verify(session, now).is_ok())
}
