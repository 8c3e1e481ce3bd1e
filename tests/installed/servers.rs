//! Real servers as child processes, on the loopback, stopped when dropped.

use std::fs;
use std::net::{IpAddr, SocketAddr, TcpStream, UdpSocket};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A child process that is stopped when dropped.
pub(crate) struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// nginx on one address, answering 200 with its own name.
pub(crate) fn nginx(dir: &Path, address: SocketAddr) -> Server {
    let dir = dir.join(format!("nginx-{}", address.ip()));
    fs::create_dir_all(&dir).unwrap();
    let config = dir.join("nginx.conf");
    let text = format!(
        "daemon off; master_process off; pid {dir}/pid; error_log {dir}/error.log;\n\
         events {{ worker_connections 64; }}\n\
         http {{ access_log {dir}/access.log; client_body_temp_path {dir}/body; \
         proxy_temp_path {dir}/proxy; fastcgi_temp_path {dir}/fastcgi; uwsgi_temp_path {dir}/uwsgi; \
         scgi_temp_path {dir}/scgi;\n\
         server {{ listen {address}; location / {{ return 200 \"this is {address}\\n\"; }} }} }}\n",
        dir = dir.display(),
    );
    fs::write(&config, text).unwrap();
    let mut command = Command::new("nginx");
    command.arg("-p").arg(&dir).arg("-e").arg(dir.join("error.log")).arg("-c").arg(&config);
    let server = start(command);
    wait(|| TcpStream::connect(address).is_ok(), "nginx");
    server
}

/// Knot DNS, authoritative for `farol.test`, where `www` has these addresses.
pub(crate) fn knot(dir: &Path, listen: SocketAddr, www: &[IpAddr]) -> Server {
    let dir = dir.join("knot");
    fs::create_dir_all(&dir).unwrap();
    let mut zone = String::from(
        "$ORIGIN farol.test.\n$TTL 1\n@ SOA ns hostmaster 1 3600 600 86400 60\n@ NS ns\n\
         ns A 127.0.0.1\n",
    );
    for address in www {
        let kind = if address.is_ipv4() { "A" } else { "AAAA" };
        zone.push_str(&format!("www {kind} {address}\n"));
    }
    fs::write(dir.join("farol.test.zone"), zone).unwrap();
    let config = dir.join("knot.conf");
    let text = format!(
        "server:\n    rundir: {dir}\n    listen: {ip}@{port}\n\
         database:\n    storage: {dir}/db\n\
         log:\n  - target: stderr\n    any: info\n\
         zone:\n  - domain: farol.test\n    storage: {dir}\n    file: farol.test.zone\n",
        dir = dir.display(),
        ip = listen.ip(),
        port = listen.port(),
    );
    fs::write(&config, text).unwrap();
    let mut command = Command::new("knotd");
    command.arg("-c").arg(&config);
    let server = start(command);
    wait(|| answers_dns(listen), "knot");
    server
}

/// Whether a DNS server answers a query for the zone's SOA with any answer at all.
fn answers_dns(server: SocketAddr) -> bool {
    let query =
        b"\x12\x34\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x05farol\x04test\x00\x00\x06\x00\x01";
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    let mut answer = [0; 512];
    socket.send_to(query, server).is_ok()
        && matches!(socket.recv(&mut answer), Ok(length) if length > 12 && answer[7] > 0)
}

fn start(mut command: Command) -> Server {
    Server(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
}

fn wait(mut ready: impl FnMut() -> bool, what: &str) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !ready() {
        assert!(Instant::now() < deadline, "{what} did not start");
        std::thread::sleep(Duration::from_millis(20));
    }
}
