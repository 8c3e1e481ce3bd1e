//! `grpc = "https://host:port"`, or a table.

use http::header::CONTENT_TYPE;
use serde_json::Value;
use url::Url;

use super::super::mistake::Mistake;
use super::super::plan::{Addresses, GrpcCheck, TlsSettings};
use super::super::problem::Problems;
use super::super::reader::{Field, Key, Node, Reader, Section, Setting};
use super::super::setting::header::Headers;
use super::super::setting::short::Shortened;
use super::super::setting::text::Line;
use super::http::{ADDRESSES, CERTIFICATE};
use super::http_client::{FAMILY, SOURCE, TLS};
use super::tls::refuse_without_tls;

const URL: Key<Server> =
    Key::new("url", "Who is asked: `https://host:port`, or `http://` for HTTP/2 without TLS.");
const SERVICE: Key<Line<200>> =
    Key::new("service", "The service that is asked about; without it, the server as a whole.");
const METADATA: Key<Headers> = Key::new("metadata", "What else the call carries.");

/// A server's URL: what stands after the port is the protocol's own.
pub(in super::super) struct Server(Url);

impl Setting for Server {
    const EXPECTED: &'static str = Url::EXPECTED;

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        let url = Url::read(node, problems)?;
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            problems.report(node.span(), Mistake::UrlPath);
            return None;
        }
        Some(Self(url))
    }

    fn schema() -> Value {
        Url::schema()
    }
}

impl Shortened for GrpcCheck {
    type Short = Server;

    const EITHER: &'static str = "a URL in quotes, or a table such as { url = \"...\" }";

    fn of(Server(url): Server) -> Self {
        Self {
            url,
            service: String::new(),
            metadata: Vec::new(),
            tls: TlsSettings::default(),
            certificate: None,
            addresses: Addresses::Any,
            family: None,
            source: None,
        }
    }
}

impl Section for GrpcCheck {
    const NAME: &'static str = "`grpc`";

    fn read_keys(table: &mut Reader<'_, '_, '_>) -> Option<Self> {
        let (url, service, metadata) =
            (table.require(&URL), table.take(&SERVICE), table.take(&METADATA));
        let (tls, certificate) = (table.take(&TLS), table.take(&CERTIFICATE));
        let (addresses, family) = (table.take(&ADDRESSES), table.take(&FAMILY));
        let source = table.take(&SOURCE);
        refuse_the_protocols(&metadata, table);
        let short = Self::of(url?.into_inner());
        if short.url.scheme() == "http" {
            let help = "begin `url` with `https://`, or remove this";
            refuse_without_tls(&tls, help, table);
            refuse_without_tls(&certificate, help, table);
        }
        Some(Self {
            service: service.optional()?.map(|line| line.0).unwrap_or_default(),
            metadata: metadata.or(Headers(short.metadata))?.0,
            tls: tls.or(short.tls)?,
            certificate: certificate.optional()?,
            addresses: addresses.or(short.addresses)?,
            family: family.optional()?,
            source: source.optional()?,
            url: short.url,
        })
    }
}

/// What a call says about itself is not for anybody to change.
fn refuse_the_protocols(metadata: &Field<Headers>, table: &mut Reader<'_, '_, '_>) {
    let Field::Given(headers) = metadata else { return };
    for (name, _) in &headers.get_ref().0 {
        if name == CONTENT_TYPE || name.as_str().starts_with("grpc-") {
            table.report(headers.span(), Mistake::ReservedHeader { name: name.to_string() });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::plan::{Addresses, Family, GrpcCheck};
    use super::super::super::setting::short::ShortOr;
    use super::super::super::setting::tests::read;

    #[test]
    fn every_key_has_its_place_in_the_plan() {
        let text = "{ url = 'https://desk.example:50051/', service = 'desk.Agents',
            metadata = { X-Tenant = 'a', Authorization = { env = 'T', prefix = 'Bearer ' } },
            tls = { min_version = '1.3' }, certificate = { failed = '3d' },
            addresses = 'all', family = 'ipv4', source = '127.0.0.1' }"
            .replace('\n', "");
        let grpc = read::<ShortOr<GrpcCheck>>(&text).map(|grpc| grpc.0).unwrap();
        assert_eq!((grpc.url.port(), grpc.service.as_str()), (Some(50051), "desk.Agents"));
        assert_eq!(grpc.metadata.len(), 2);
        assert!(grpc.tls.only_1_3 && grpc.certificate.is_some());
        assert_eq!((grpc.addresses, grpc.family), (Addresses::All, Some(Family::Ipv4)));
        assert_eq!(grpc.source, Some("127.0.0.1".parse().unwrap()));
        assert!(
            read::<ShortOr<GrpcCheck>>("'https://desk.example'")
                .map(|grpc| grpc.0)
                .unwrap()
                .service
                .is_empty()
        );
    }

    #[test]
    fn what_the_protocol_decides_cannot_be_set() {
        let url = "url = 'https://desk.example";
        for (text, code) in [
            ("'https://desk.example/health'".to_owned(), "url_path"),
            (format!("{{ {url}/?a' }}"), "url_path"),
            (format!("{{ {url}#a' }}"), "url_path"),
            (format!("{{ {url}', metadata = {{ grpc-timeout = '1S' }} }}"), "reserved_header"),
            (format!("{{ {url}', metadata = {{ Content-Type = 'a' }} }}"), "reserved_header"),
            (format!("{{ {url}', metadata = {{ TE = 'a' }} }}"), "reserved_header"),
            (format!("{{ {url}', service = '' }}"), "invalid_text"),
            ("'desk.example:50051'".to_owned(), "url_scheme"),
            ("5".to_owned(), "wrong_type"),
        ] {
            let words = read::<ShortOr<GrpcCheck>>(&text).map(|grpc| grpc.0).unwrap_err();
            assert!(words.starts_with(code), "{text}: {words}");
        }
    }
}
