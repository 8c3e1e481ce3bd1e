//! The simulated platform, asked over real sockets what a prober would ask it.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use farol::clock::Clock;
use farol::demo::Platform;
use farol::model::Timestamp;
use hickory_proto::op::{Message, MessageType, OpCode, Query, ResponseCode};
use hickory_proto::rr::{Name, RData, RecordType};
use http::StatusCode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};

const YEAR: i64 = 365 * 24 * 3_600 * 1_000_000;
const MINUTE: i64 = 60 * 1_000_000;
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

async fn platform() -> (Platform, Clock) {
    let clock = Clock::start();
    (Platform::start(clock).await.unwrap(), clock)
}

/// A client for which `host` is at `address`, with a new connection for every request.
fn client(host: &str, address: SocketAddr) -> reqwest::Client {
    // Whoever comes first installs it; for the others it is there already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0);
    builder.resolve(host, address).timeout(Duration::from_secs(10)).build().unwrap()
}

async fn get(
    platform: &Platform,
    backend: usize,
    path: &str,
) -> reqwest::Result<reqwest::Response> {
    let (client, url) = target(platform, backend, path);
    client.get(url).send().await
}

async fn log_in(platform: &Platform, backend: usize, form: &str) -> (StatusCode, String, bool) {
    let (client, url) = target(platform, backend, "/login");
    let request = client.post(url).header(FORM.0, FORM.1).body(form.to_owned());
    let response = request.send().await.unwrap();
    let (status, cookie) = (response.status(), response.headers().contains_key("set-cookie"));
    (status, response.text().await.unwrap(), cookie)
}

fn target(platform: &Platform, backend: usize, path: &str) -> (reqwest::Client, String) {
    let address = SocketAddr::new(platform.backends()[backend], platform.web_port());
    let url = format!("http://portal.blip.test:{}{path}", platform.web_port());
    (client("portal.blip.test", address), url)
}

/// How far the answer's `Date` is ahead of `clock`, in microseconds.
fn date_offset(response: &reqwest::Response, clock: Clock) -> i64 {
    let date = response.headers()["date"].to_str().unwrap();
    let date = httpdate::parse_http_date(date).unwrap();
    let since = date.duration_since(std::time::UNIX_EPOCH).unwrap();
    (Timestamp::EPOCH + since).as_micros() - clock.now().as_micros()
}

#[tokio::test]
async fn each_server_tells_its_own_time() {
    let (platform, clock) = platform().await;
    platform.set_clock(1, YEAR);
    for (backend, offset) in [(0, 0), (1, YEAR), (2, 0)] {
        for path in ["/health", "/portal", "/login", "/nowhere"] {
            let response = get(&platform, backend, path).await.unwrap();
            let off_by = date_offset(&response, clock) - offset;
            assert!(off_by.abs() < MINUTE, "{path} of server {backend} is off by {off_by} us");
        }
        let health = get(&platform, backend, "/health").await.unwrap();
        assert_eq!(health.status(), StatusCode::OK);
        let body: serde_json::Value = health.json().await.unwrap();
        assert_eq!(body["status"], "ok");
        assert_eq!(body["server"], platform.backends()[backend].to_string());
        let time = chrono::DateTime::parse_from_rfc3339(body["time"].as_str().unwrap()).unwrap();
        let off_by = time.timestamp_micros() - clock.now().as_micros() - offset;
        assert!(off_by.abs() < MINUTE, "the time in the body is off by {off_by} us");
    }
    platform.set_clock(1, 0);
    let mended = date_offset(&get(&platform, 1, "/health").await.unwrap(), clock);
    assert!(mended.abs() < MINUTE, "still off by {mended} us");
}

#[tokio::test]
async fn a_server_in_next_year_lets_nobody_in_until_its_clock_is_mended() {
    let (platform, _) = platform().await;
    let good = "user=demo&password=demo";
    platform.set_clock(1, YEAR);
    for backend in [0, 2] {
        let (status, body, cookie) = log_in(&platform, backend, good).await;
        assert_eq!((status, cookie), (StatusCode::OK, true), "{body}");
        assert!(body.contains("welcome"), "{body}");
    }
    let (status, body, cookie) = log_in(&platform, 1, good).await;
    assert_eq!((status, cookie), (StatusCode::UNAUTHORIZED, false), "{body}");
    assert!(body.contains("issued in the future") && !body.contains("welcome"), "{body}");
    for path in ["/health", "/portal", "/login"] {
        assert_eq!(get(&platform, 1, path).await.unwrap().status(), StatusCode::OK, "{path}");
    }

    platform.set_clock(1, -YEAR);
    let (status, body, _) = log_in(&platform, 1, good).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert!(body.contains("expired"), "{body}");

    platform.set_clock(1, 0);
    assert_eq!(log_in(&platform, 1, good).await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_login_can_be_refused_broken_and_too_long() {
    let (platform, _) = platform().await;
    let cases = [
        ("user=demo&password=wrong".to_owned(), StatusCode::UNAUTHORIZED),
        (String::new(), StatusCode::UNAUTHORIZED),
        ("%00=%ff&&&==".to_owned(), StatusCode::UNAUTHORIZED),
        ("x".repeat(5_000), StatusCode::PAYLOAD_TOO_LARGE),
    ];
    for (form, expected) in cases {
        let (status, body, cookie) = log_in(&platform, 0, &form).await;
        assert_eq!((status, cookie), (expected, false), "{body}");
        assert!(!body.contains("welcome"), "{body}");
    }
    platform.break_login(0, true);
    let form = "user=demo&password=demo";
    assert_eq!(log_in(&platform, 0, form).await.0, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(log_in(&platform, 1, form).await.0, StatusCode::OK);
    platform.break_login(0, false);
    assert_eq!(log_in(&platform, 0, form).await.0, StatusCode::OK);
}

#[tokio::test]
async fn pages_know_their_product_and_their_methods() {
    let (platform, _) = platform().await;
    assert!(get(&platform, 0, "/login").await.unwrap().text().await.unwrap().contains("<form"));
    let portal = get(&platform, 0, "/portal").await.unwrap().text().await.unwrap();
    assert!(portal.contains("Blip Portal"), "{portal}");
    let address = SocketAddr::new(platform.backends()[2], platform.web_port());
    let url = format!("http://desk.blip.test:{}/portal", platform.web_port());
    let desk = client("desk.blip.test", address).get(url).send().await.unwrap();
    assert!(desk.text().await.unwrap().contains("Blip Desk"));

    assert_eq!(get(&platform, 0, "/nowhere").await.unwrap().status(), StatusCode::NOT_FOUND);
    let (client, url) = target(&platform, 0, "/health");
    let refused = client.delete(url).send().await.unwrap();
    assert_eq!(refused.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(refused.headers()["allow"], "GET, HEAD");
}

#[tokio::test]
async fn a_server_can_be_slow_stopped_and_restarted() {
    let (mut platform, clock) = platform().await;
    let delay = Duration::from_millis(300);
    platform.slow(2, delay);
    let watch = clock.stopwatch();
    assert_eq!(get(&platform, 2, "/health").await.unwrap().status(), StatusCode::OK);
    assert!(watch.elapsed().to_duration() >= delay);

    platform.stop(2).await;
    platform.stop(2).await;
    let refused = get(&platform, 2, "/health").await.unwrap_err();
    assert!(refused.is_connect(), "{refused:?}");
    assert_eq!(get(&platform, 0, "/health").await.unwrap().status(), StatusCode::OK);

    platform.restart(2).await.unwrap();
    platform.restart(2).await.unwrap();
    assert_eq!(get(&platform, 2, "/health").await.unwrap().status(), StatusCode::OK);
}

fn query(name: &str, record_type: RecordType) -> Vec<u8> {
    let mut query = Message::new(4_711, MessageType::Query, OpCode::Query);
    query.add_query(Query::query(Name::from_ascii(name).unwrap(), record_type));
    query.to_vec().unwrap()
}

async fn ask_udp(server: SocketAddr, query: &[u8]) -> Message {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    socket.connect(server).await.unwrap();
    socket.send(query).await.unwrap();
    let mut buffer = [0; 512];
    let size = within(socket.recv(&mut buffer)).await.unwrap();
    Message::from_vec(&buffer[..size]).unwrap()
}

async fn ask_tcp(connection: &mut TcpStream, query: &[u8]) -> Message {
    connection.write_u16(u16::try_from(query.len()).unwrap()).await.unwrap();
    connection.write_all(query).await.unwrap();
    let size = within(connection.read_u16()).await.unwrap();
    let mut answer = vec![0; usize::from(size)];
    within(connection.read_exact(&mut answer)).await.unwrap();
    Message::from_vec(&answer).unwrap()
}

/// So that a server that keeps silent fails a test instead of hanging it.
async fn within<T>(answer: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(10), answer).await.unwrap()
}

#[tokio::test]
async fn its_names_resolve_over_udp_and_tcp() {
    let (platform, _) = platform().await;
    let mut connection = TcpStream::connect(platform.dns()).await.unwrap();
    let cases = [
        ("portal.blip.test.", RecordType::A, ResponseCode::NoError, platform.backends().to_vec()),
        ("desk.blip.test.", RecordType::A, ResponseCode::NoError, platform.backends().to_vec()),
        ("chat.blip.test.", RecordType::A, ResponseCode::NoError, vec![platform.chat().ip()]),
        ("ns.blip.test.", RecordType::A, ResponseCode::NoError, vec![platform.dns().ip()]),
        ("portal.blip.test.", RecordType::AAAA, ResponseCode::NoError, vec![]),
        ("nobody.blip.test.", RecordType::A, ResponseCode::NXDomain, vec![]),
        ("example.com.", RecordType::A, ResponseCode::Refused, vec![]),
    ];
    for (name, record_type, code, addresses) in cases {
        let query = query(name, record_type);
        let over_udp = ask_udp(platform.dns(), &query).await;
        let over_tcp = ask_tcp(&mut connection, &query).await;
        for reply in [over_udp, over_tcp] {
            assert_eq!(reply.metadata.id, 4_711);
            assert_eq!(reply.metadata.response_code, code, "{name} {record_type}");
            let got: Vec<IpAddr> =
                reply.answers.iter().map(|record| address(&record.data)).collect();
            assert_eq!(got, addresses, "{name} {record_type}");
        }
    }
}

fn address(data: &RData) -> IpAddr {
    data.ip_addr().unwrap()
}

#[tokio::test]
async fn the_chat_greets_and_answers() {
    let (platform, _) = platform().await;
    let mut chat = TcpStream::connect(platform.chat()).await.unwrap();
    chat.write_all(b"PING\r\nHELLO\r\nPING\nQUIT\r\n").await.unwrap();
    let mut said = String::new();
    within(chat.read_to_string(&mut said)).await.unwrap();
    assert_eq!(said, "BLIP chat ready\r\nPONG\r\nERROR unknown command\r\nPONG\r\nBYE\r\n");
}

#[tokio::test]
async fn nonsense_takes_nothing_down() {
    let (platform, _) = platform().await;
    let web = SocketAddr::new(platform.backends()[0], platform.web_port());
    let zeros = vec![0; 70_000];
    let ones = vec![0xff; 70_000];
    let line = b"GET / HTTP/1.1\r\nx: ".repeat(2_000);
    for port in [web, platform.chat(), platform.dns()] {
        for nonsense in [&zeros, &ones, &line, &b"\r\n".to_vec(), &vec![]] {
            let mut connection = TcpStream::connect(port).await.unwrap();
            // The server may close before it has all of it.
            let _ = connection.write_all(nonsense).await;
            let _ = connection.shutdown().await;
            let _ = within(connection.read_to_end(&mut Vec::new())).await;
        }
    }
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    for size in [0, 1, 12, 512, 1_232, 9_000] {
        socket.send_to(&zeros[..size], platform.dns()).await.unwrap();
        socket.send_to(&ones[..size], platform.dns()).await.unwrap();
    }

    assert_eq!(get(&platform, 0, "/health").await.unwrap().status(), StatusCode::OK);
    let portal = query("portal.blip.test.", RecordType::A);
    assert_eq!(ask_udp(platform.dns(), &portal).await.answers.len(), 3);
    let mut connection = TcpStream::connect(platform.dns()).await.unwrap();
    assert_eq!(ask_tcp(&mut connection, &portal).await.answers.len(), 3);
    let mut greeting = [0; 15];
    let mut chat = TcpStream::connect(platform.chat()).await.unwrap();
    within(chat.read_exact(&mut greeting)).await.unwrap();
    assert_eq!(&greeting, b"BLIP chat ready");
}

#[tokio::test]
async fn two_platforms_live_side_by_side_and_one_ends_when_it_is_dropped() {
    let (first, _) = platform().await;
    let (second, _) = platform().await;
    assert_ne!(first.web_port(), second.web_port());
    let ports = [SocketAddr::new(first.backends()[0], first.web_port()), first.chat(), first.dns()];
    drop(first);
    within(async {
        for port in ports {
            while TcpStream::connect(port).await.is_ok() {
                tokio::task::yield_now().await;
            }
        }
    })
    .await;
    assert_eq!(get(&second, 0, "/health").await.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn its_probe_file_names_what_is_there() {
    let (platform, _) = platform().await;
    let file: toml::Value = toml::from_str(&platform.probe_file()).unwrap();
    let dns = platform.dns().to_string();
    assert_eq!(file["platform"]["resolvers"][0].as_str(), Some(dns.as_str()));
    let checks: Vec<&toml::Value> = file["component"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|component| component["check"].as_array().unwrap())
        .collect();
    assert_eq!(checks.len(), 5);
    for check in checks {
        if let Some(http) = check.get("http") {
            let url = url::Url::parse(http["url"].as_str().unwrap()).unwrap();
            assert_eq!(url.port(), Some(platform.web_port()));
            let body = http.get("body").and_then(toml::Value::as_str).unwrap_or_default();
            let client = client(url.host_str().unwrap(), resolve(&platform, &url).await);
            let method = http.get("method").and_then(toml::Value::as_str).unwrap_or("GET");
            let request = client.request(method.parse().unwrap(), url).body(body.to_owned());
            let response = request.header(FORM.0, FORM.1).send().await.unwrap();
            assert_eq!(response.status(), StatusCode::OK);
            let contains = http.get("contains").and_then(toml::Value::as_str).unwrap_or_default();
            assert!(response.text().await.unwrap().contains(contains));
        } else if let Some(dns) = check.get("dns") {
            assert_eq!(dns["server"].as_str(), Some(platform.dns().to_string().as_str()));
            let expected: Vec<IpAddr> = dns["expect"].clone().try_into().unwrap();
            assert_eq!(expected, platform.backends());
        } else {
            let tcp = &check["tcp"];
            let address = format!("chat.blip.test:{}", platform.chat().port());
            assert_eq!(tcp["address"].as_str(), Some(address.as_str()));
            assert_eq!(tcp["send"].as_str(), Some("PING\r\n"));
        }
    }
}

/// The first address of the URL's host, as the platform's own name server gives it.
async fn resolve(platform: &Platform, url: &url::Url) -> SocketAddr {
    let query = query(&format!("{}.", url.host_str().unwrap()), RecordType::A);
    let reply = ask_udp(platform.dns(), &query).await;
    SocketAddr::new(address(&reply.answers[0].data), url.port().unwrap())
}
