//! Forms as pages have them, and what a browser would send.

use proptest::prelude::{prop_assert_eq, proptest};
use scraper::{Html, Selector};

use super::{Filled, fill};
use crate::config::Chosen;
use crate::model::Reason;

fn filled(page: &str, select: &str, fields: &[(&str, &str)]) -> Result<Filled, Reason> {
    let chosen = Chosen { written: select.into(), select: Selector::parse(select).unwrap() };
    let fields: Vec<_> =
        fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let url = "https://desk.example/in/login?next=%2Fhome#top".parse().unwrap();
    fill(&Html::parse_document(page), &url, &chosen, &fields, "B0UNDARY")
}

fn sent(page: &str, fields: &[(&str, &str)]) -> String {
    let filled = filled(page, "form", fields).unwrap_or_else(|reason| panic!("{reason}: {page}"));
    let body = filled.body.map(|(_, body)| format!(" {body}")).unwrap_or_default();
    format!("{} {}{body}", filled.method, filled.url)
}

#[test]
fn what_a_browser_would_send() {
    for (page, fields, expected) in [
        (
            "<form method=post action=session><input type=hidden name=csrf value='a b'>
             <input name=user><input type=password name=password><button>Log in</button></form>",
            &[("user", "ana"), ("password", "hü&sh")][..],
            "POST https://desk.example/in/session csrf=a+b&user=ana&password=h%C3%BC%26sh",
        ),
        ("<form method=POST action=''><input name=a></form>", &[], "POST https://desk.example/in/login?next=%2Fhome a="),
        ("<form action=/q?old=1><input name=a value=1></form>", &[], "GET https://desk.example/q?a=1"),
        ("<base href=/other/><form action=x method=post></form>", &[], "POST https://desk.example/other/x "),
        (
            "<form method=post action=//idp.example/in><input type=checkbox name=c checked>
             <input type=checkbox name=d><input type=radio name=r value=1><input type=radio name=r
             value=2 checked><select name=s><option>one<option value=2>two</select><select name=t>
             <option>a<option selected>b b</select><select multiple name=m><option selected>x
             <option selected>y</select><textarea name=x>\nline\nend</textarea><input disabled name=n>
             <fieldset disabled><input name=n></fieldset><input type=file name=f><input value=n></form>",
            &[],
            "POST https://idp.example/in c=on&r=2&s=one&t=b+b&m=x&m=y&x=line%0D%0Aend",
        ),
        (
            "<form method=post action=x><input type=radio name=r value=1 checked><input type=radio
             name=r value=2><input type=checkbox name=keep><select name=s><option>a<option>b</select>",
            &[("r", "2"), ("keep", "on"), ("s", "b")],
            "POST https://desk.example/in/x r=2&s=b&keep=on",
        ),
        (
            "<form id=f><button type=button name=no>No</button></form><input form=f name=a value=1>
             <button form=f name=do value=in formaction=/go formmethod=post>In</button>
             <button form=f name=do value=out>Out</button>",
            &[],
            "POST https://desk.example/go a=1&do=in",
        ),
        (
            "<form action=y><button name=do value=in formaction=/go formmethod=post>In</button>
             <input type=submit name=do value=out></form>",
            &[("do", "out")],
            "GET https://desk.example/in/y?do=out",
        ),
        (
            "<form method=post action=x enctype=multipart/form-data><input name='a\"' value=1></form>",
            &[],
            "POST https://desk.example/in/x --B0UNDARY\r\nContent-Disposition: form-data; \
             name=\"a%22\"\r\n\r\n1\r\n--B0UNDARY--\r\n",
        ),
    ] {
        assert_eq!(sent(page, fields), expected, "{page}");
    }
}

#[test]
fn a_form_that_has_changed() {
    let page = "<form id=f><input name=user><input type=radio name=r value=1></form><div id=d>";
    for (select, fields, sought) in [
        ("#login", &[][..], "form `#login`"),
        ("#d", &[], "form `#d`"),
        ("#f", &[("email", "hush")], "field `email` in the form `#f`"),
        ("#f", &[("r", "hush")], "such choice for the field `r` in the form `#f`"),
    ] {
        let sought = sought.to_owned();
        assert_eq!(filled(page, select, fields), Err(Reason::FormNotFound { sought }));
    }
    for page in [
        "<form action=javascript:x()>",
        "<form method=dialog>",
        "<form method=post enctype=text/plain>",
    ] {
        assert_eq!(filled(page, "form", &[]).unwrap_err().name(), "malformed_answer", "{page}");
    }
}

proptest! {
    /// Whatever a field is filled with, a server reads the same.
    #[test]
    fn what_is_filled_in_arrives(value in "[^\r\n\0]*") {
        let page = "<form method=post><input type=hidden name=csrf value=t><input name=user></form>";
        let (_, body) = filled(page, "form", &[("user", &value)]).unwrap().body.unwrap();
        let read: Vec<_> = url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
        let expected = [("csrf".to_owned(), "t".to_owned()), ("user".to_owned(), value)];
        prop_assert_eq!(read, expected);
    }
}
