//! Clients that do the least that each protocol allows: no timing, no judgement, no deadline.

use std::sync::Arc;

use hickory_proto::op::{Message, OpCode, Query};
use hickory_proto::rr::RecordType;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio_rustls::TlsConnector;

use crate::targets::Targets;

pub(crate) struct Bare {
    targets: Targets,
    tls: TlsConnector,
    question: Vec<u8>,
}

impl Bare {
    pub(crate) fn new(targets: &Targets) -> Self {
        // The same roots as farol has.
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        roots.add(targets.root.clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        // Every run is a new user's.
        config.resumption = rustls::client::Resumption::disabled();
        let mut question = Message::query();
        question.metadata.op_code = OpCode::Query;
        question.add_query(Query::query("one.test.".parse().unwrap(), RecordType::A));
        Self {
            targets: targets.clone(),
            tls: TlsConnector::from(Arc::new(config)),
            question: question.to_vec().unwrap(),
        }
    }

    pub(crate) async fn run(&self, kind: &str) -> std::io::Result<()> {
        match kind {
            "http" => get(TcpStream::connect(self.targets.http).await?).await,
            "https" => {
                let stream = TcpStream::connect(self.targets.https).await?;
                let name = ServerName::IpAddress(self.targets.https.ip().into());
                get(self.tls.connect(name, stream).await?).await
            }
            "dns" => {
                let socket = UdpSocket::bind("127.0.0.1:0").await?;
                socket.connect(self.targets.dns).await?;
                socket.send(&self.question).await?;
                let mut answer = [0; 512];
                assert!(socket.recv(&mut answer).await? > self.question.len());
                Ok(())
            }
            _ => {
                let mut stream = TcpStream::connect(self.targets.tcp).await?;
                let mut banner = [0; 512];
                let length = stream.read(&mut banner).await?;
                assert!(banner[..length].starts_with(b"220 "));
                Ok(())
            }
        }
    }
}

async fn get(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> std::io::Result<()> {
    stream.write_all(b"GET / HTTP/1.1\r\nHost: target\r\nConnection: close\r\n\r\n").await?;
    let mut answer = Vec::with_capacity(1024);
    stream.read_to_end(&mut answer).await?;
    assert!(answer.starts_with(b"HTTP/1.1 200 "));
    Ok(())
}
