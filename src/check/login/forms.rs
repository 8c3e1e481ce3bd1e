//! A form of a page, filled in and sent off as a browser would. Pure.

use http::Method;
use scraper::{ElementRef, Html, Selector};
use url::Url;

use crate::config::Chosen;
use crate::model::Reason;

/// What is sent when a form is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Filled {
    pub(super) method: Method,
    pub(super) url: Url,
    /// The type and the text of the body, if the form has its fields there.
    pub(super) body: Option<(String, String)>,
}

/// One field as it is sent.
type Entry = (String, String);

/// Fills in `fields` of the form that `chosen` selects in the page at `url`.
///
/// 1. What the page has filled in stays: hidden fields, ticked boxes, selected options.
/// 2. A field that is to be filled in must be there, and what is chosen must be offered.
/// 3. The form is sent by its first button, or by the one that is a field to be filled in.
/// 4. What the button says of where and how goes before what the form says.
pub(super) fn fill(
    document: &Html,
    url: &Url,
    chosen: &Chosen,
    fields: &[Entry],
    boundary: &str,
) -> Result<Filled, Reason> {
    let form = document.select(&chosen.select).find(|found| found.value().name() == "form");
    let form =
        form.ok_or_else(|| Reason::FormNotFound { sought: format!("form `{}`", chosen.written) })?;
    let controls = controls(document, form);
    let button = button(&controls, fields);
    let mut entries: Vec<Entry> = Vec::new();
    for control in &controls {
        entries.extend(control.entries(button == Some(control.element)));
    }
    for (name, value) in fields {
        let of_name: Vec<&Control<'_>> = controls.iter().filter(|it| it.name == name).collect();
        let sought = |what: &str| Reason::FormNotFound {
            sought: format!("{what} `{name}` in the form `{}`", chosen.written),
        };
        if of_name.is_empty() {
            return Err(sought("field"));
        }
        if !of_name.iter().any(|control| control.takes(value)) {
            return Err(sought("such choice for the field"));
        }
        put(&mut entries, name, value);
    }
    send(document, url, form, button, entries, boundary)
}

/// Sets the first field of this name, which may not have been sent so far: an empty box.
fn put(entries: &mut Vec<Entry>, name: &str, value: &str) {
    match entries.iter_mut().find(|(own, _)| own == name) {
        Some((_, own)) => value.clone_into(own),
        None => entries.push((name.to_owned(), value.to_owned())),
    }
}

fn send(
    document: &Html,
    url: &Url,
    form: ElementRef<'_>,
    button: Option<ElementRef<'_>>,
    entries: Vec<Entry>,
    boundary: &str,
) -> Result<Filled, Reason> {
    let said = |of_button: &str, of_form: &str| {
        let of_button = button.and_then(|button| button.attr(of_button));
        of_button.or_else(|| form.attr(of_form)).map(str::trim).unwrap_or_default()
    };
    let action = said("formaction", "action");
    let mut to =
        if action.is_empty() { Some(url.clone()) } else { base(document, url).join(action).ok() }
            .filter(|to| matches!(to.scheme(), "http" | "https") && to.has_host())
            .ok_or_else(|| malformed("a form that is sent to no address of the web"))?;
    to.set_fragment(None);
    let method = said("formmethod", "method").to_ascii_lowercase();
    if method == "dialog" {
        return Err(malformed("a form that is not sent"));
    }
    // Line breaks are sent as the network has them, whatever the page has.
    let entries: Vec<Entry> = entries.into_iter().map(|(n, v)| (breaks(&n), breaks(&v))).collect();
    if method != "post" {
        to.query_pairs_mut().clear().extend_pairs(&entries);
        return Ok(Filled { method: Method::GET, url: to, body: None });
    }
    let kind = said("formenctype", "enctype").to_ascii_lowercase();
    let body = match kind.as_str() {
        "multipart/form-data" => {
            (format!("{kind}; boundary={boundary}"), multipart(&entries, boundary))
        }
        "text/plain" => return Err(malformed("a form that is sent as plain text")),
        _ => {
            let mut form = url::form_urlencoded::Serializer::new(String::new());
            form.extend_pairs(&entries);
            ("application/x-www-form-urlencoded".to_owned(), form.finish())
        }
    };
    Ok(Filled { method: Method::POST, url: to, body: Some(body) })
}

fn malformed(detail: &str) -> Reason {
    Reason::MalformedAnswer { detail: detail.to_owned() }
}

fn multipart(entries: &[Entry], boundary: &str) -> String {
    let mut body = String::new();
    for (name, value) in entries {
        let name = name.replace('\r', "%0D").replace('\n', "%0A").replace('"', "%22");
        body += &format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
        );
    }
    body + &format!("--{boundary}--\r\n")
}

fn breaks(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n").replace('\n', "\r\n")
}

/// What relative addresses in the page are relative to.
fn base(document: &Html, url: &Url) -> Url {
    let bases = Selector::parse("base[href]").ok();
    let base = bases.and_then(|bases| document.select(&bases).next()?.attr("href"));
    base.and_then(|href| url.join(href.trim()).ok()).unwrap_or_else(|| url.clone())
}

/// Something in a form that has a name and can be sent.
struct Control<'a> {
    element: ElementRef<'a>,
    name: &'a str,
    /// The element's name, or the type of an `input`.
    kind: String,
}

/// What a form has, in the order of the page: also what stands elsewhere and names the form.
fn controls<'a>(document: &'a Html, form: ElementRef<'a>) -> Vec<Control<'a>> {
    let Ok(all) = Selector::parse("input, button, select, textarea") else { return Vec::new() };
    let id = form.attr("id");
    let belongs = |element: &ElementRef<'a>| match element.attr("form") {
        Some(named) => Some(named) == id,
        None => element.ancestors().any(|above| above.id() == form.id()),
    };
    let enabled = |element: &ElementRef<'a>| {
        let off = |above: ElementRef<'_>| {
            above.value().name() == "fieldset" && above.attr("disabled").is_some()
        };
        element.attr("disabled").is_none()
            && !element.ancestors().filter_map(ElementRef::wrap).any(off)
    };
    let named = |element: ElementRef<'a>| {
        let kind = element.attr("type").map(str::to_ascii_lowercase);
        let kind = match element.value().name() {
            "input" => kind.unwrap_or_else(|| "text".to_owned()),
            "button" => kind.unwrap_or_else(|| "submit".to_owned()),
            other => other.to_owned(),
        };
        Control { element, name: element.attr("name").unwrap_or_default(), kind }
    };
    document.select(&all).filter(belongs).filter(enabled).map(named).collect()
}

/// The button that sends the form.
fn button<'a>(controls: &[Control<'a>], fields: &[Entry]) -> Option<ElementRef<'a>> {
    let is_meant = |control: &&&Control<'a>| {
        fields.iter().any(|(name, value)| control.name == name && control.takes(value))
    };
    let buttons: Vec<&Control<'a>> = controls.iter().filter(|it| it.is_button()).collect();
    let meant = buttons.iter().find(is_meant).or_else(|| buttons.first());
    meant.map(|control| control.element)
}

impl<'a> Control<'a> {
    fn is_button(&self) -> bool {
        matches!(self.kind.as_str(), "submit" | "image")
    }

    fn value(&self) -> Option<&'a str> {
        self.element.attr("value")
    }

    /// Whether somebody could give it this value.
    fn takes(&self, value: &str) -> bool {
        match self.kind.as_str() {
            "radio" | "checkbox" => self.value().unwrap_or("on") == value,
            "submit" => self.value().unwrap_or_default() == value,
            "select" => self.options().iter().any(|(own, _)| own == value),
            "image" | "reset" | "button" | "file" => false,
            _ => true,
        }
    }

    /// What it sends unless somebody fills it in.
    fn entries(&self, is_pressed: bool) -> Vec<Entry> {
        let entry = |value: String| vec![(self.name.to_owned(), value)];
        if self.name.is_empty() {
            return Vec::new();
        }
        match self.kind.as_str() {
            "submit" if is_pressed => entry(self.value().unwrap_or_default().to_owned()),
            "submit" | "image" | "reset" | "button" | "file" => Vec::new(),
            "radio" | "checkbox" if self.element.attr("checked").is_none() => Vec::new(),
            "radio" | "checkbox" => entry(self.value().unwrap_or("on").to_owned()),
            "textarea" => entry(self.element.text().collect()),
            "select" => self.selected().into_iter().flat_map(entry).collect(),
            _ => entry(self.value().unwrap_or_default().to_owned()),
        }
    }

    /// The options of a `select`, and whether the page has selected them.
    fn options(&self) -> Vec<(String, bool)> {
        let Ok(options) = Selector::parse("option") else { return Vec::new() };
        let enabled = self.element.select(&options).filter(|it| it.attr("disabled").is_none());
        let option = |option: ElementRef<'_>| {
            let text = || {
                option.text().collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ")
            };
            let value = option.attr("value").map_or_else(text, str::to_owned);
            (value, option.attr("selected").is_some())
        };
        enabled.map(option).collect()
    }

    fn selected(&self) -> Vec<String> {
        let options = self.options();
        let mut selected: Vec<String> =
            options.iter().filter(|(_, selected)| *selected).map(|(own, _)| own.clone()).collect();
        if self.element.attr("multiple").is_none() {
            // The last one that says so, or the first of all, as a list that drops down shows one.
            let shown = selected.pop().or_else(|| options.first().map(|(own, _)| own.clone()));
            selected = shown.into_iter().collect();
        }
        selected
    }
}

#[cfg(test)]
mod tests;
