//! The servers of a simulated platform, asked over plain sockets: by name, by nonsense, and after
//! they have ended.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use farol::clock::Clock;
use farol::demo::world::{Kind, World};
use hickory_proto::op::{Message, MessageType, OpCode, Query, ResponseCode};
use hickory_proto::rr::{Name, RecordType};
use http::StatusCode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};

use super::read;

async fn world() -> World {
    World::start(Kind::Blip, Clock::start()).await.unwrap()
}

fn name_server(world: &World) -> SocketAddr {
    world.variables()["resolver"].parse().unwrap()
}

/// These backends of the service that has this network.
fn backends(network: u8, hosts: &[u8]) -> Vec<IpAddr> {
    hosts.iter().map(|host| IpAddr::from([127, 77, network, *host])).collect()
}

/// The first backend of a service, as its name resolves.
async fn first(world: &World, service: &str) -> SocketAddr {
    let query = query(&format!("{service}.blip.test."), RecordType::A);
    let reply = ask_udp(name_server(world), &query).await;
    let variables = world.variables();
    let (_, port) = variables[service].rsplit_once(':').unwrap();
    SocketAddr::new(addresses(&reply)[0], port.parse().unwrap())
}

/// Whether the portal takes a form of so many bytes, with a new connection.
async fn post(world: &World, bytes: usize) -> StatusCode {
    // Whoever comes first installs it; for the others it is there already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("http://{}/health", first(world, "portal").await);
    within(client.post(url).body("x".repeat(bytes)).send()).await.unwrap().status()
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

fn addresses(reply: &Message) -> Vec<IpAddr> {
    reply.answers.iter().map(|record| record.data.ip_addr().unwrap()).collect()
}

/// So that a server that keeps silent fails a test instead of hanging it.
async fn within<T>(answer: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(10), answer).await.unwrap()
}

#[tokio::test]
async fn its_names_resolve_over_udp_and_tcp() {
    let mut world = world().await;
    let server = name_server(&world);
    let mut connection = TcpStream::connect(server).await.unwrap();
    let mut hold = async |name: &str, record_type, code, expected: &[IpAddr]| {
        let query = query(name, record_type);
        let over_udp = ask_udp(server, &query).await;
        for reply in [over_udp, ask_tcp(&mut connection, &query).await] {
            assert_eq!(reply.metadata.id, 4_711);
            assert_eq!(reply.metadata.response_code, code, "{name} {record_type}");
            assert_eq!(addresses(&reply), expected, "{name} {record_type}");
        }
    };
    for (name, record_type, code, expected) in [
        ("portal.blip.test.", RecordType::A, ResponseCode::NoError, backends(1, &[1, 2, 3])),
        ("desk.blip.test.", RecordType::A, ResponseCode::NoError, backends(2, &[1, 2, 3])),
        ("chat.blip.test.", RecordType::A, ResponseCode::NoError, backends(8, &[1, 2, 3])),
        ("portal.blip.test.", RecordType::AAAA, ResponseCode::NoError, vec![]),
        ("nobody.blip.test.", RecordType::A, ResponseCode::NXDomain, vec![]),
        ("example.com.", RecordType::A, ResponseCode::Refused, vec![]),
    ] {
        hold(name, record_type, code, &expected).await;
    }
    // Whoever has asked before is told what holds now.
    let moved = read("{ fault = 'addresses', service = 'portal', are = [1, 2, 4] }");
    world.set(&moved).await.unwrap();
    let expected = backends(1, &[1, 2, 4]);
    hold("portal.blip.test.", RecordType::A, ResponseCode::NoError, &expected).await;
}

#[tokio::test]
async fn the_chat_greets_and_answers() {
    let world = world().await;
    let mut chat = TcpStream::connect(first(&world, "chat").await).await.unwrap();
    chat.write_all(b"PING\r\nHELLO\r\nPING\nQUIT\r\n").await.unwrap();
    let mut said = String::new();
    within(chat.read_to_string(&mut said)).await.unwrap();
    assert_eq!(said, "BLIP chat ready\r\nPONG\r\nERROR unknown command\r\nPONG\r\nBYE\r\n");
}

#[tokio::test]
async fn a_form_is_read_unless_it_is_too_long() {
    let world = world().await;
    for (bytes, status) in [(4_096, StatusCode::OK), (4_097, StatusCode::BAD_REQUEST)] {
        assert_eq!(post(&world, bytes).await, status, "{bytes} bytes");
    }
}

#[tokio::test]
async fn nonsense_takes_nothing_down() {
    let world = world().await;
    let (web, chat) = (first(&world, "portal").await, first(&world, "chat").await);
    let dns = name_server(&world);
    let zeros = vec![0; 70_000];
    let ones = vec![0xff; 70_000];
    let line = b"GET / HTTP/1.1\r\nx: ".repeat(2_000);
    for port in [web, chat, dns] {
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
        socket.send_to(&zeros[..size], dns).await.unwrap();
        socket.send_to(&ones[..size], dns).await.unwrap();
    }

    assert_eq!(post(&world, 0).await, StatusCode::OK);
    let portal = query("portal.blip.test.", RecordType::A);
    assert_eq!(ask_udp(dns, &portal).await.answers.len(), 3);
    let mut connection = TcpStream::connect(dns).await.unwrap();
    assert_eq!(ask_tcp(&mut connection, &portal).await.answers.len(), 3);
    let mut greeting = [0; 15];
    let mut chat = TcpStream::connect(chat).await.unwrap();
    within(chat.read_exact(&mut greeting)).await.unwrap();
    assert_eq!(&greeting, b"BLIP chat ready");
}

#[tokio::test]
async fn two_platforms_live_side_by_side_and_one_ends_when_it_is_dropped() {
    let (one, other) = (world().await, world().await);
    let ports = [first(&one, "portal").await, first(&one, "chat").await, name_server(&one)];
    assert!(!ports.contains(&first(&other, "portal").await));
    drop(one);
    within(async {
        for port in ports {
            while TcpStream::connect(port).await.is_ok() {
                tokio::task::yield_now().await;
            }
        }
    })
    .await;
    assert_eq!(post(&other, 0).await, StatusCode::OK);
}
