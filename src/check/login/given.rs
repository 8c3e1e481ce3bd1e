//! What the cookies must be that are given on the way of a step. Pure: values are looked at and
//! never told.

use cookie_store::RawCookie;
use http::HeaderValue;

use crate::config::{CookieExpect, HeaderExpect, SameSite};
use crate::model::Reason;

/// Judges the `Set-Cookie` lines of a step. A cookie that is given more than once passes if it is
/// once as it must be: it may be taken back when it has done its service.
pub(super) fn judge(expected: &[CookieExpect], given: &[HeaderValue]) -> Result<(), Reason> {
    let given: Vec<RawCookie<'_>> =
        given.iter().filter_map(|line| RawCookie::parse(line.to_str().ok()?).ok()).collect();
    for expect in expected {
        let of_name = given.iter().filter(|cookie| cookie.name() == expect.name);
        let words = of_name.map(|cookie| unmet(expect, cookie)).reduce(|one, other| one.and(other));
        let is_unwanted = matches!(expect.value, Some(HeaderExpect::Absent));
        let words = match words {
            None if is_unwanted => None,
            None => Some(String::new()),
            Some(words) => words,
        };
        if let Some(words) = words {
            let expected = format!("the cookie {}{words}", expect.name);
            return Err(Reason::Cookie { expected });
        }
    }
    Ok(())
}

/// The first that `cookie` does not meet, in words.
fn unmet(expect: &CookieExpect, cookie: &RawCookie<'_>) -> Option<String> {
    let flag = |wanted: Option<bool>, is: Option<bool>, name: &str| match wanted {
        Some(true) if is != Some(true) => Some(format!(" with {name}")),
        Some(false) if is == Some(true) => Some(format!(" without {name}")),
        Some(_) | None => None,
    };
    let same_site = || {
        let wanted = expect.same_site?;
        let is = cookie.same_site();
        let (met, name) = match wanted {
            SameSite::Strict => (is.is_some_and(|it| it.is_strict()), "Strict"),
            SameSite::Lax => (is.is_some_and(|it| it.is_lax()), "Lax"),
            SameSite::None => (is.is_some_and(|it| it.is_none()), "None"),
        };
        (!met).then(|| format!(" with SameSite={name}"))
    };
    let value = || {
        let (met, words) = match expect.value.as_ref()? {
            HeaderExpect::Equals(text) => (cookie.value() == text, " with the expected value"),
            HeaderExpect::Matches(pattern) => {
                (pattern.is_match(cookie.value().as_bytes()), " with a value of the expected form")
            }
            HeaderExpect::Present => (!cookie.value().is_empty(), " with a value"),
            HeaderExpect::Absent => (false, " not to be given"),
        };
        (!met).then(|| words.to_owned())
    };
    value()
        .or_else(|| flag(expect.secure, cookie.secure(), "Secure"))
        .or_else(|| flag(expect.http_only, cookie.http_only(), "HttpOnly"))
        .or_else(same_site)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_as_they_must_be() {
        let any = || CookieExpect {
            name: "sid".to_owned(),
            secure: None,
            http_only: None,
            same_site: None,
            value: None,
        };
        let absent = || CookieExpect { value: Some(HeaderExpect::Absent), ..any() };
        let equals = |text: &str| CookieExpect {
            value: Some(HeaderExpect::Equals(text.to_owned())),
            ..any()
        };
        let strict = || CookieExpect { same_site: Some(SameSite::Strict), ..any() };
        let full = || CookieExpect {
            secure: Some(true),
            http_only: Some(true),
            same_site: Some(SameSite::Lax),
            ..any()
        };
        for (expect, given, words) in [
            (any(), &["sid=hush"][..], ""),
            (any(), &["other=hush"], "the cookie sid"),
            (any(), &[], "the cookie sid"),
            (full(), &["sid=hush; Secure; HttpOnly; SameSite=Lax"], ""),
            (full(), &["sid=hush; HttpOnly; SameSite=Lax"], "the cookie sid with Secure"),
            (full(), &["sid=hush; Secure; SameSite=Lax"], "the cookie sid with HttpOnly"),
            (full(), &["sid=hush; Secure; HttpOnly"], "the cookie sid with SameSite=Lax"),
            (full(), &["sid=hush; Secure; HttpOnly; SameSite=Lax", "sid=; Max-Age=0"], ""),
            (strict(), &["sid=hush; SameSite=Lax"], "the cookie sid with SameSite=Strict"),
            (absent(), &["sid=hush"], "the cookie sid not to be given"),
            (absent(), &[], ""),
            (equals("hush"), &["sid=hush"], ""),
            (equals("other"), &["sid=hush"], "the cookie sid with the expected value"),
        ] {
            let lines: Vec<HeaderValue> = given.iter().map(|line| line.parse().unwrap()).collect();
            let expected = words.to_owned();
            let reason = if words.is_empty() { Ok(()) } else { Err(Reason::Cookie { expected }) };
            assert_eq!(judge(&[expect], &lines), reason, "{given:?}");
        }
    }
}
