//! `websocket = "wss://host/path"`, or a table.

use http::header::UPGRADE;
use regex::bytes::Regex;
use toml::Spanned;

use super::super::mistake::Mistake;
use super::super::plan::tcp::Security;
use super::super::plan::{Addresses, TlsSettings, WebsocketCheck};
use super::super::reader::{Field, Key, Reader, Section};
use super::super::setting::header::Headers;
use super::super::setting::list::OneOrMany;
use super::super::setting::short::Shortened;
use super::super::setting::size::Size;
use super::super::setting::text::Token;
use super::super::setting::web_url::SocketUrl;
use super::http::{ADDRESSES, CERTIFICATE};
use super::http_client::{FAMILY, SOURCE, TLS};
use super::script::{InMessages, Script, read_script};
use super::tls::refuse_without_tls;
use super::tuning::Timeout;

/// The most that a check may ask to read of a message.
type MaxMessage = Size<{ 16 << 20 }>;

const URL: Key<SocketUrl> = Key::new("url", "What is opened: `wss://` or `ws://`.");
const HEADERS: Key<Headers> = Key::new("headers", "Headers to send with the upgrade.");
const SUBPROTOCOLS: Key<OneOrMany<Token>> = Key::new(
    "subprotocols",
    "The subprotocols that are offered, the best first; the server must choose one of them.",
);
const SEND: Key<String> = Key::new("send", "The text message that is sent first.");
const EXPECT: Key<Regex> = Key::new(
    "expect",
    "What must be found in a message of the answer; without it, the upgrade is enough.",
);
const SCRIPT: Key<Script<InMessages>> =
    Key::new("script", "What is sent and expected, step by step.");
const EXPECT_TIMEOUT: Key<Timeout> = Key::new(
    "expect_timeout",
    "How long one step may wait for what it expects; without it, the `timeout`.",
);
const MAX_MESSAGE: Key<MaxMessage> =
    Key::new("max_message", "A message that is larger than this fails the check.").or_text("1MiB");

impl Shortened for WebsocketCheck {
    type Short = SocketUrl;

    const EITHER: &'static str =
        "a URL such as \"wss://desk.example/live\", or a table such as { url = \"...\" }";

    fn of(url: SocketUrl) -> Self {
        Self {
            url: url.0,
            headers: Vec::new(),
            subprotocols: Vec::new(),
            script: Vec::new(),
            expect_timeout: None,
            max_message: 1 << 20,
            addresses: Addresses::Any,
            family: None,
            source: None,
            tls: TlsSettings::default(),
            certificate: None,
        }
    }
}

impl Section for WebsocketCheck {
    const NAME: &'static str = "`websocket`";

    fn read_keys(table: &mut Reader<'_, '_, '_>) -> Option<Self> {
        let (url, headers) = (table.require(&URL), table.take(&HEADERS));
        let (subprotocols, max_message) = (table.take(&SUBPROTOCOLS), table.take(&MAX_MESSAGE));
        let (send, expect, script) = (table.take(&SEND), table.take(&EXPECT), table.take(&SCRIPT));
        let (patience, addresses) = (table.take(&EXPECT_TIMEOUT), table.take(&ADDRESSES));
        let (family, source) = (table.take(&FAMILY), table.take(&SOURCE));
        let (tls, certificate) = (table.take(&TLS), table.take(&CERTIFICATE));
        refuse_own_headers(&headers, table);
        if url.as_ref().is_some_and(|url| url.get_ref().0.scheme() == "ws") {
            let help = "begin `url` with `wss://`, or remove this";
            refuse_without_tls(&tls, help, table);
            refuse_without_tls(&certificate, help, table);
        }
        // TLS, if any, is there before the first message.
        let script = read_script(send, expect, script, Security::Tls, table);
        let short = Self::of(url?.into_inner());
        Some(Self {
            headers: headers.or(Headers(short.headers))?.0,
            subprotocols: names(subprotocols)?,
            script: script?,
            expect_timeout: patience.optional()?.map(|limit| limit.0),
            max_message: max_message.or(Size(short.max_message))?.0,
            addresses: addresses.or(short.addresses)?,
            family: family.optional()?,
            source: source.optional()?,
            tls: tls.or(short.tls)?,
            certificate: certificate.optional()?,
            url: short.url,
        })
    }
}

/// Each name once: RFC 6455 has no meaning for a second.
fn names(subprotocols: Field<OneOrMany<Token>>) -> Option<Vec<String>> {
    let mut names = Vec::new();
    for name in subprotocols.or(OneOrMany(Vec::new()))?.0.into_iter().map(Spanned::into_inner) {
        if !names.contains(&name.0) {
            names.push(name.0);
        }
    }
    Some(names)
}

fn refuse_own_headers(headers: &Field<Headers>, table: &mut Reader<'_, '_, '_>) {
    let Field::Given(headers) = headers else { return };
    for (name, _) in &headers.get_ref().0 {
        if *name == UPGRADE || name.as_str().starts_with("sec-websocket-") {
            let mistake = Mistake::ReservedHeader { name: name.to_string() };
            table.report(headers.span(), mistake);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::plan::tcp::Step;
    use super::super::super::plan::{Addresses, Family, WebsocketCheck};
    use super::super::super::setting::short::ShortOr;
    use super::super::super::setting::tests::read;
    use crate::model::Span;

    fn written(keys: &str) -> Result<WebsocketCheck, String> {
        read(&format!("{{ url = 'wss://desk.example/live', {keys} }}"))
    }

    #[test]
    fn every_key_has_its_place_in_the_plan() {
        let check = written(
            "headers = { Origin = 'https://desk.example' }, subprotocols = ['v2.chat', 'chat', 'chat'], \
             script = [{ expect = 'id=(\\d+)' }, { send = '{{1}}' }, { send_hex = '00ff' }], \
             expect_timeout = '2s', max_message = '64KiB', addresses = 'all', family = 'ipv6', \
             source = '::1', tls = { min_version = '1.3' }, certificate = { degraded = '21d' }",
        );
        let check = check.unwrap();
        assert_eq!(check.headers.len(), 1);
        assert_eq!(check.subprotocols, ["v2.chat", "chat"]);
        assert!(matches!(check.script[2], Step::SendBytes(_)));
        assert_eq!(check.expect_timeout, Some(Span::from_secs(2)));
        assert_eq!(check.max_message, 64 << 10);
        assert_eq!((check.addresses, check.family), (Addresses::All, Some(Family::Ipv6)));
        assert!(check.source.is_some() && check.tls.only_1_3 && check.certificate.is_some());
        let short = read::<ShortOr<WebsocketCheck>>("'ws://desk.example'").unwrap().0;
        assert!(short.script.is_empty());
        assert_eq!(written("send = 'ping', expect = 'pong'").unwrap().script.len(), 2);
    }

    #[test]
    fn what_cannot_be_meant_is_a_mistake() {
        for (keys, code) in [
            ("headers = { Upgrade = 'h2c' }", "reserved_header"),
            ("headers = { Sec-WebSocket-Version = '8' }", "reserved_header"),
            ("subprotocols = 'a b'", "invalid_text"),
            ("script = [{ starttls = true }]", "unknown_key"),
            ("script = [{ send = '{{1}}' }]", "unknown_capture"),
            ("send = 'a', script = []", "script_twice"),
            ("max_message = '1GiB'", "out_of_range"),
            ("proxy = 'http://a'", "unknown_key"),
        ] {
            // A step of no kind is one more.
            assert!(written(keys).unwrap_err().contains(code), "{keys}");
        }
        for keys in ["tls = { min_version = '1.3' }", "certificate = { degraded = '1d' }"] {
            let text = format!("{{ url = 'ws://desk.example/', {keys} }}");
            assert!(read::<WebsocketCheck>(&text).unwrap_err().starts_with("no_tls"), "{keys}");
        }
    }
}
