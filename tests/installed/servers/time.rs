//! chrony, and programs whose clock is wrong.

use std::fs;
use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use farol::net::ntp::{Moment, Packet};

use super::{Server, folder};

/// `program`, whose clock is ahead by as much as faketime is told, such as `+365d`.
pub(crate) fn faked(ahead: &str, program: &str) -> Command {
    let mut command = Command::new("faketime");
    command.args(["-f", ahead, program]);
    command
}

/// chrony on one address; its clock is ahead by so much. It says that it knows the time by itself, in
/// the stratum `local`, or that it does not know it. It sets no clock (`-x`).
pub(crate) fn chrony(dir: &Path, address: SocketAddr, local: Option<u8>, ahead: &str) -> Server {
    let dir = folder(dir, &format!("chrony-{}-{}", address.ip(), address.port()));
    let config = dir.join("chrony.conf");
    let knows = local.map(|stratum| format!("local stratum {stratum}\n")).unwrap_or_default();
    let text = format!(
        "{knows}bindaddress {}\nport {}\ncmdport 0\nallow 127.0.0.0/8\npidfile {dir}/pid\n",
        address.ip(),
        address.port(),
        dir = dir.display(),
    );
    fs::write(&config, text).unwrap();
    let mut command = faked(ahead, "chronyd");
    // `-U`: whoever runs the tests may not be root.
    command.args(["-d", "-x", "-U", "-u", "root", "-f"]).arg(&config);
    // Before it has looked at its own clock, it says that it does not know.
    Server::start(&dir, command)
        .until(|| answer(address).is_some_and(|said| local.is_none() || said.leap != 3))
}

/// Hands questions on to the server at `to`, and its answers back with a clock that is ahead by so
/// many microseconds. For less than a second faketime does not do: chrony then believes the system,
/// which is not faked, on when a question came.
pub(crate) fn shifted(listen: SocketAddr, to: SocketAddr, ahead: i64) {
    let socket = UdpSocket::bind(listen).unwrap();
    std::thread::spawn(move || {
        let mut bytes = [0; 48];
        let units = (i128::from(ahead) << 32) / 1_000_000;
        let units = i64::try_from(units).unwrap().cast_unsigned();
        let later = |moment: Moment| Moment(moment.0.wrapping_add(units));
        while let Ok((_, from)) = socket.recv_from(&mut bytes) {
            let asking = UdpSocket::bind((to.ip(), 0)).unwrap();
            asking.send_to(&bytes, to).unwrap();
            asking.recv(&mut bytes).unwrap();
            let said = Packet::decode(&bytes).unwrap();
            let (receive, transmit) = (later(said.receive), later(said.transmit));
            let said = Packet { receive, transmit, ..said };
            socket.send_to(&said.encode(), from).unwrap();
        }
    });
}

/// The environment of a program whose wall clock, and no other, is ahead by what stands in `file`,
/// as faketime writes it, whenever it looks.
pub(crate) fn by_file(file: &Path) -> Vec<(&'static str, String)> {
    let libraries = fs::read_dir("/usr/lib").unwrap().map(|entry| entry.unwrap().path());
    let mut found = libraries.map(|path| path.join("faketime/libfaketimeMT.so.1"));
    let library = found.find(|path| path.exists()).expect("faketime is installed");
    vec![
        ("LD_PRELOAD", library.display().to_string()),
        ("FAKETIME_TIMESTAMP_FILE", file.display().to_string()),
        ("FAKETIME_NO_CACHE", "1".to_owned()),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
        ("NO_FAKE_STAT", "1".to_owned()),
    ]
}

fn answer(address: SocketAddr) -> Option<Packet> {
    let socket = UdpSocket::bind((address.ip(), 0)).unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    socket.send_to(&Packet::question(7).encode(), address).ok()?;
    let mut answer = [0; 48];
    socket.recv(&mut answer).ok()?;
    Packet::decode(&answer)
}
