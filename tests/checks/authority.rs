//! Servers that show what a certificate authority of our own signs.

use tokio::io::AsyncWriteExt;
use tokio_rustls::TlsAcceptor;

#[path = "../support/certificates.rs"]
mod certificates;

pub(crate) use certificates::*;

use crate::servers::{Server, ok, read_request, serve};

impl Authority {
    /// A server on 127.0.0.1 that shows a certificate for `name`, valid from the first year to the
    /// second, and answers over TLS.
    pub(crate) async fn serve(&self, name: &str, years: (i32, i32)) -> Server {
        serve_tls(self.identify(name, ((years.0, 1, 1), (years.1, 1, 1))).acceptor()).await
    }
}

/// Answers a request with the name that SNI has asked for.
pub(crate) async fn serve_tls(acceptor: TlsAcceptor) -> Server {
    serve(move |stream| {
        let acceptor = acceptor.clone();
        async move {
            // A client that does not trust us hangs up.
            let Ok(mut stream) = acceptor.accept(stream).await else { return };
            let asked_for = stream.get_ref().1.server_name().unwrap_or_default().to_owned();
            read_request(&mut stream).await;
            // One that only wanted to shake hands has gone.
            let _ = stream.write_all(ok(&asked_for).as_bytes()).await;
            let _ = stream.shutdown().await;
        }
    })
    .await
}
