//! `http = "https://..."`, or a table. Its settings hang together with nothing outside of it, so
//! it is read straight into the plan.

use http::Method;
use url::Url;

use super::super::mistake::Mistake;
use super::super::plan::expect::HttpExpect;
use super::super::plan::{
    Addresses, CertificateLimits, ClockLimits, HttpCheck, HttpClient, RequestBody,
};
use super::super::reader::{Field, Key, Reader, Section};
use super::super::setting::count::Redirects;
use super::super::setting::header::Headers;
use super::super::setting::short::Shortened;
use super::super::setting::size::Size;
use super::expect::RawExpect;
use super::http_client::RawHttpClient;
use super::tls::refuse_without_tls;

/// The most of a body that a check may ask to read.
pub(super) type MaxBody = Size<{ 64 << 20 }>;

const URL: Key<Url> = Key::new("url", "What is asked for: `https://` or `http://`.");
pub(super) const METHOD: Key<Method> = Key::new("method", "The method.").or_text("GET");
pub(super) const HEADERS: Key<Headers> = Key::new("headers", "Headers to send.");
const BODY: Key<RequestBody> =
    Key::new("body", "The body to send, or { file = \"...\" } for where it is.");
pub(super) const REDIRECTS: Key<Redirects> =
    Key::new("redirects", "How many redirects are followed; `false` for none.").or_number(10);
pub(super) const MAX_BODY: Key<MaxBody> =
    Key::new("max_body", "A body that is larger than this fails the check.").or_text("4MiB");
pub(super) const ADDRESSES: Key<Addresses> = Key::new(
    "addresses",
    "`any`: one address of the name, as a user's machine would. `all`: each of them on its own.",
)
.or_text("any");
pub(super) const MAX_CLOCK_SKEW: Key<ClockLimits> = Key::new(
    "max_clock_skew",
    "How far the server's clock, by its `Date` headers, may be off; one value is `failed`.",
);
pub(super) const CERTIFICATE: Key<CertificateLimits> =
    Key::new("certificate", "How long the certificates must still be valid.");

impl Shortened for HttpCheck {
    type Short = Url;

    const EITHER: &'static str = "a URL in quotes, or a table such as { url = \"...\" }";

    fn of(url: Url) -> Self {
        Self {
            url,
            method: Method::GET,
            headers: Vec::new(),
            body: None,
            max_redirects: 10,
            max_body: 4 << 20,
            addresses: Addresses::Any,
            max_clock_skew: ClockLimits::DEFAULT,
            certificate: None,
            client: HttpClient::default(),
            expect: HttpExpect::default(),
        }
    }
}

impl Section for HttpCheck {
    const NAME: &'static str = "`http`";

    fn read_keys(table: &mut Reader<'_, '_, '_>) -> Option<Self> {
        let (url, method, headers) =
            (table.require(&URL), table.take(&METHOD), table.take(&HEADERS));
        let body = table.take(&BODY);
        let (redirects, max_body) = (table.take(&REDIRECTS), table.take(&MAX_BODY));
        let (addresses, skew) = (table.take(&ADDRESSES), table.take(&MAX_CLOCK_SKEW));
        let certificate = table.take(&CERTIFICATE);
        let client = RawHttpClient::ask(table);
        client.weigh(table, &headers, &addresses);
        if url.as_ref().is_some_and(|url| url.get_ref().scheme() == "http") {
            let help = "begin `url` with `https://`, or remove this";
            refuse_without_tls(&certificate, help, table);
        }
        let expect = RawExpect::ask(table).settle();
        let looks = expect.as_ref().is_some_and(HttpExpect::looks_into_the_body);
        refuse_looking_into_nothing(table, &method, looks);
        let short = Self::of(url?.into_inner());
        Some(Self {
            method: method.or(short.method)?,
            headers: headers.or(Headers(short.headers))?.0,
            body: body.optional()?,
            max_redirects: redirects.or(Redirects(short.max_redirects))?.0,
            max_body: max_body.or(Size(short.max_body))?.0,
            addresses: addresses.or(short.addresses)?,
            max_clock_skew: skew.or(short.max_clock_skew)?,
            certificate: certificate.optional()?,
            client: client.settle()?,
            expect: expect?,
            url: short.url,
        })
    }
}

/// A HEAD request whose answer must have something in its body could never pass.
fn refuse_looking_into_nothing(
    table: &mut Reader<'_, '_, '_>,
    method: &Field<Method>,
    looks: bool,
) {
    if let Field::Given(method) = method
        && *method.get_ref() == Method::HEAD
        && looks
    {
        table.report(method.span(), Mistake::HeadHasNoBody);
    }
}
