//! What a step's answer has for later steps, and whether it accepts the credentials. Pure.

use url::Url;

use super::super::http::Answer;
use super::super::http::cookies::Jar;
use super::super::http::expect::{GoOn, html, tree};
use crate::config::{Extract, ExtractFrom, Rejection};
use crate::model::Reason;

/// The most that a variable can hold.
const LONGEST: usize = 64 * 1024;

/// Takes out all that `wanted` names, as far as it is there: of `url`, `answer` and `jar`.
pub(super) fn extract(
    wanted: &[Extract],
    answer: &Answer,
    url: &Url,
    jar: &Jar,
    go_on: GoOn<'_>,
) -> Result<Vec<Option<String>>, Reason> {
    let needs = |is: fn(&ExtractFrom) -> bool| wanted.iter().any(|one| is(&one.from));
    let document = needs(|from| matches!(from, ExtractFrom::Css(..)))
        .then(|| html::read(&answer.body, go_on))
        .transpose()?;
    // Of what is no JSON no path leads anywhere.
    let json = needs(|from| matches!(from, ExtractFrom::Json(..)))
        .then(|| tree::parse(&answer.body).ok())
        .flatten();
    let take = |from: &ExtractFrom| match from {
        ExtractFrom::Css(chosen, attribute) => {
            let mut found = document.as_ref()?.select(&chosen.select);
            match attribute {
                Some(name) => found.find_map(|element| element.attr(name)).map(str::to_owned),
                None => found.next().map(html::text_of),
            }
        }
        ExtractFrom::Json(written, path) => {
            let tree = json.as_ref().filter(|tree| tree.affords(written))?;
            let value = path.query(&tree.root).first()?;
            Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned))
        }
        ExtractFrom::Regex(pattern) => {
            let text = String::from_utf8_lossy(&answer.body);
            let found = pattern.captures(&text)?;
            let part = found.get(1).or_else(|| found.get(0))?;
            Some(part.as_str().to_owned())
        }
        ExtractFrom::Header(name) => Some(answer.headers.get(name)?.to_str().ok()?.to_owned()),
        ExtractFrom::Cookie(name) => jar.value(name, url).map(str::to_owned),
        ExtractFrom::UrlParam(name) => parameter(url, name),
    };
    let take = |one: &Extract| {
        if !go_on() {
            return Err(Reason::Timeout { phase: crate::model::Phase::Transfer });
        }
        Ok(take(&one.from).filter(|text| text.len() <= LONGEST))
    };
    wanted.iter().map(take).collect()
}

/// A parameter of the query, or of the fragment, which some answers are in so that servers do not
/// see them.
fn parameter(url: &Url, name: &str) -> Option<String> {
    let fragment = url.fragment().unwrap_or_default().as_bytes();
    let mut all = url.query_pairs().chain(url::form_urlencoded::parse(fragment));
    all.find(|(own, _)| own == name).map(|(_, value)| value.into_owned())
}

/// Whether `answer` says that the credentials are wrong, in one of these ways.
pub(super) fn is_rejection(
    rejection: &Rejection,
    answer: &Answer,
    go_on: GoOn<'_>,
) -> Result<bool, Reason> {
    let text = String::from_utf8_lossy(&answer.body);
    if rejection.status.contains(answer.status)
        || rejection.contains.iter().any(|part| text.contains(part.as_str()))
    {
        return Ok(true);
    }
    if rejection.html.is_empty() {
        return Ok(false);
    }
    let document = html::read(&answer.body, go_on)?;
    Ok(rejection.html.iter().any(|chosen| document.select(&chosen.select).next().is_some()))
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;
    use scraper::Selector;
    use serde_json_path::JsonPath;

    use super::*;
    use crate::config::{Chosen, HttpVersion, StatusSet};
    use crate::model::Timestamp;

    fn answer(body: &str) -> Answer {
        let mut headers = HeaderMap::new();
        headers.insert("x-token", "h".parse().unwrap());
        Answer {
            status: 200,
            version: HttpVersion::OneOne,
            headers,
            body: body.as_bytes().to_owned(),
            sent: Timestamp::EPOCH,
            received: Timestamp::EPOCH,
        }
    }

    fn css(select: &str) -> Chosen {
        Chosen { written: select.into(), select: Selector::parse(select).unwrap() }
    }

    fn taken(body: &str, from: ExtractFrom) -> Option<String> {
        let url = "https://desk.example/back?code=c%2B1&state=#token=f&code=2".parse().unwrap();
        let mut jar = Jar::default();
        jar.keep(&["sid=s3; Path=/".parse().unwrap()], &url);
        let wanted = [Extract { name: "x".into(), from }];
        let mut all = extract(&wanted, &answer(body), &url, &jar, &|| true).unwrap();
        all.pop().unwrap()
    }

    #[test]
    fn from_everywhere() {
        let page = "<p id=a> Hello  <b>you</b></p><input name=csrf><input name=csrf value=t>";
        let json = |path: &str| ExtractFrom::Json(path.to_owned(), JsonPath::parse(path).unwrap());
        let regex = |text: &str| ExtractFrom::Regex(regex::Regex::new(text).unwrap());
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(taken(page, ExtractFrom::Css(css("#a"), None)), some("Hello you"));
        let csrf = ExtractFrom::Css(css("[name=csrf]"), Some("value".to_owned()));
        assert_eq!(taken(page, csrf), some("t"));
        assert_eq!(taken(page, ExtractFrom::Css(css("#b"), None)), None);
        let body = r#"{"t":"a\"b","n":[1,2]}"#;
        assert_eq!(taken(body, json("$.t")), some("a\"b"));
        assert_eq!(taken(body, json("$.n")), some("[1,2]"));
        assert_eq!(taken(body, json("$.n[*]")), some("1"));
        assert_eq!(taken(body, json("$.x")), None);
        assert_eq!(taken("<html>", json("$.x")), None);
        assert_eq!(taken("var t = 'abc';", regex("t = '(.*)'")), some("abc"));
        assert_eq!(taken("version 1.2", regex(r"\d\.\d")), some("1.2"));
        assert_eq!(taken("", ExtractFrom::Header("x-token".parse().unwrap())), some("h"));
        assert_eq!(taken("", ExtractFrom::Cookie("sid".to_owned())), some("s3"));
        for (name, value) in [("code", Some("c+1")), ("state", Some("")), ("token", Some("f"))] {
            let found = taken("", ExtractFrom::UrlParam(name.to_owned()));
            assert_eq!(found.as_deref(), value, "{name}");
        }
        assert_eq!(taken("", ExtractFrom::UrlParam("none".to_owned())), None);
        assert_eq!(taken(&"x".repeat(LONGEST + 1), regex("x+")), None);
    }

    #[test]
    fn rejections() {
        let rejection = Rejection {
            status: StatusSet(vec![(401, 401)]),
            contains: vec!["is locked".to_owned()],
            html: vec![css(".error")],
        };
        let is = |status, body| {
            let answer = Answer { status, ..answer(body) };
            is_rejection(&rejection, &answer, &|| true).unwrap()
        };
        assert!(is(401, "") && is(200, "Your account is locked.") && is(200, "<p class=error>"));
        assert!(!is(200, "<p>Hello") && !is(500, ""));
    }
}
