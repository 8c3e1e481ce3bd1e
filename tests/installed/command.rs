//! `farol check`, the command, on servers of several kinds at once.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use crate::certificates::{ALWAYS, Authority, for_days};
use crate::process::free_address;
use crate::servers::mail::exim;
use crate::servers::names::knot;
use crate::servers::web::{nginx_with, secure_site};
use crate::servers::{write_certificates, write_identity};

fn check(probes: &Path, trusted: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_farol"));
    // As a host that trusts an authority of its own.
    command.arg("check").arg(probes).env("SSL_CERT_FILE", trusted).env_remove("SSL_CERT_DIR");
    command.output().unwrap()
}

#[test]
#[ignore = "needs nginx, knot and exim"]
fn the_command_tells_which_server_is_not_well() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let authority = Authority::new();
    let trusted = write_certificates(dir, "root", &[authority.root()]);
    let [web, dns, mail] = [(); 3].map(|()| free_address());
    let _knot = knot(dir, dns, &[web.ip()]);
    let papers = write_identity(dir, "web", &authority.identify("www.farol.test", ALWAYS));
    let _nginx =
        nginx_with(dir, "nginx", web, "", &secure_site(web, &papers, "return 200 'well';"));
    let start_mail = |dates| {
        let identity = authority.identify("mail.farol.test", dates);
        exim(dir, mail, Some(&write_identity(dir, "mail", &identity)))
    };
    let exim = start_mail(ALWAYS);
    let probes = dir.join("shop.toml");
    let text = format!(
        r#"
        [platform]
        name = "Shop"
        resolvers = ["{dns}"]
        [[component]]
        name = "All"
        [[component.check]]
        name = "Web"
        http = {{ url = "https://www.farol.test:{}/", addresses = "all", contains = "well" }}
        [[component.check]]
        name = "Names"
        dns = {{ name = "www.farol.test", expect = "127.0.0.1", authoritative = true }}
        [[component.check]]
        name = "Mail"
        [component.check.tls]
        address = "{mail}"
        starttls = "smtp"
        server_name = "mail.farol.test"
        "#,
        web.port()
    );
    fs::write(&probes, text).unwrap();
    let verdicts = |output: &Output| -> Vec<String> {
        let text = String::from_utf8_lossy(&output.stdout);
        let words = text.lines().skip(1).map(|line| line.split_whitespace().take(2));
        words.map(|two| two.collect::<Vec<_>>().join(" ")).collect()
    };
    let output = check(&probes, &trusted);
    let well = ["pass shop/all/web", "pass shop/all/names", "pass shop/all/mail"];
    assert_eq!(verdicts(&output), well, "{output:?}");
    assert_eq!(output.status.code(), Some(0));

    drop(exim);
    let _exim = start_mail(for_days(2));
    let output = check(&probes, &trusted);
    let ill = ["pass shop/all/web", "pass shop/all/names", "fail shop/all/mail"];
    assert_eq!(verdicts(&output), ill, "{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("tls_certificate_expiring: "));
    assert_eq!(output.status.code(), Some(1));
}
