//! What happens to requests, and what has happened.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use farol::model::IncidentKey;
use tokio::sync::Notify;

use crate::chance::Chance;
use crate::faults::{Fault, proxy};

/// How many of a hundred requests meet a fault.
const PER_CENT: u64 = 14;

/// The weather over all pages.
#[derive(Clone)]
pub(crate) struct Weather {
    shared: Arc<Mutex<Book>>,
    write: Arc<Notify>,
}

struct Book {
    chance: Chance,
    requests: usize,
    writes: usize,
    faults: BTreeMap<String, usize>,
    /// The incidents of which a write met a fault.
    struck: BTreeSet<String>,
}

impl Weather {
    pub(crate) fn new(seed: u64) -> Self {
        let book = Book {
            chance: Chance::new(seed, 8),
            requests: 0,
            writes: 0,
            faults: BTreeMap::new(),
            struck: BTreeSet::new(),
        };
        Self { shared: Arc::new(Mutex::new(book)), write: Arc::new(Notify::new()) }
    }

    /// A proxy before `upstream`. No server can tell a request that is delivered twice from two
    /// unless it knows versions: `versions` says whether this one does.
    pub(crate) async fn over(&self, upstream: SocketAddr, versions: bool) -> SocketAddr {
        let weather = self.clone();
        proxy(upstream, move |request| weather.meet(request, versions)).await
    }

    fn meet(&self, request: &str, versions: bool) -> Option<Fault> {
        let (_, body) = request.split_once("\r\n\r\n")?;
        let mut book = self.shared.lock().unwrap();
        book.requests += 1;
        if !body.is_empty() {
            book.writes += 1;
            self.write.notify_waiters();
        }
        if book.chance.below(100) >= PER_CENT {
            return None;
        }
        let all = Fault::ALL.len();
        let of = u64::try_from(all + if versions { 4 } else { 2 }).unwrap();
        let fault = match usize::try_from(book.chance.below(of)).unwrap() {
            index if index < all => Fault::ALL[index],
            index if index < all + 2 => Fault::Slow,
            _ => Fault::Twice,
        };
        *book.faults.entry(format!("{fault:?}")).or_default() += 1;
        let mark: Option<serde_json::Value> = serde_json::from_str(body).ok();
        let key = mark.as_ref().and_then(|it| it["incident"]["metadata"]["farol"]["k"].as_str());
        book.struck.extend(key.map(str::to_owned));
        Some(fault)
    }

    /// Waits for the next write that passes.
    pub(crate) async fn a_write(&self) {
        self.write.notified().await;
    }

    /// Whether a write of this incident met a fault.
    pub(crate) fn struck(&self, key: &IncidentKey) -> bool {
        self.shared.lock().unwrap().struck.contains(key.as_str())
    }

    pub(crate) fn report(&self) -> String {
        let book = self.shared.lock().unwrap();
        let faults: usize = book.faults.values().sum();
        format!(
            "{} requests, {} of them writes; {faults} faults: {:?}",
            book.requests, book.writes, book.faults
        )
    }
}
