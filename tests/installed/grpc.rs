//! The `grpc` check against etcd, which tells its health by gRPC's own protocol.

use farol::model::{Phase, Reason, Verdict};

use crate::asking::only;
use crate::certificates::{Authority, for_days};
use crate::probing::{ask, observe, why};
use crate::process::free_address;
use crate::servers::stores::etcd;
use crate::servers::write_identity;

#[tokio::test]
#[ignore = "needs etcd"]
async fn a_store_tells_its_health_until_it_stops() {
    let dir = tempfile::tempdir().unwrap();
    let address = free_address();
    let server = etcd(dir.path(), address, free_address(), None);
    let whole = format!("grpc = 'http://{address}'");
    let finding = ask(&whole).await;
    assert_eq!(finding.reason, None, "{}", server.said());
    let phases: Vec<Phase> = finding.phases.iter().map(|(phase, _)| phase).collect();
    assert_eq!(phases, [Phase::Connect, Phase::Send, Phase::FirstByte, Phase::Transfer]);

    let service = format!("grpc = {{ url = 'http://{address}', service = 'desk.Agents' }}");
    let finding = ask(&service).await;
    let unknown = Reason::GrpcHealth { got: "SERVICE_UNKNOWN".to_owned() };
    assert_eq!((finding.reason, finding.verdict), (Some(unknown), Verdict::Fail));

    drop(server);
    let finding = ask(&whole).await;
    assert_eq!((finding.reason, finding.verdict), (Some(Reason::ConnectRefused), Verdict::Fail));
    let phases: Vec<Phase> = finding.phases.iter().map(|(phase, _)| phase).collect();
    assert_eq!(phases, [Phase::Connect], "of the rest, nothing was reached");
}

#[tokio::test]
#[ignore = "needs etcd"]
async fn a_store_tells_its_health_over_tls() {
    let authority = Authority::new();
    let dir = tempfile::tempdir().unwrap();
    let address = free_address();
    let papers = write_identity(dir.path(), "etcd", &authority.identify("127.0.0.1", for_days(10)));
    let server = etcd(dir.path(), address, free_address(), Some(&papers));
    for (limits, reason) in [
        ("degraded = '4d', failed = '3d'", "pass"),
        ("degraded = '30d', failed = '21d'", "tls_certificate_expiring"),
    ] {
        let limits = format!("certificate = {{ {limits} }}");
        let check = format!("grpc = {{ url = 'https://{address}', {limits} }}");
        let finding = only(observe("", &check, &[authority.root()]).await);
        assert_eq!(why(&finding), reason, "{:?}\n{}", finding.reason, server.said());
        assert!(finding.tls.is_some() && finding.phases.get(Phase::Tls).is_some());
    }
    let stranger = ask(&format!("grpc = 'https://{address}'")).await;
    assert_eq!(why(&stranger), "tls_untrusted");
    // One that speaks TLS alone, asked without.
    let plain = ask(&format!("grpc = 'http://{address}'")).await;
    assert!(matches!(plain.reason, Some(Reason::ConnectionClosed { .. })), "{plain:?}");
}
