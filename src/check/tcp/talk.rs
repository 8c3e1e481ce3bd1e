//! A conversation over one connection: what is said, what is heard, and one buffer for all that
//! was heard and that nobody has taken yet. Bounded in time by its run, and in size here.

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::model::{Phase, Reason};
use crate::net::connect::breakage;
use crate::net::{Network, Run, TlsFor, Wire};

/// Most that is heard and not taken, in bytes.
const MOST_HEARD: usize = 64 * 1024;

/// Most that is searched in one conversation, in bytes. Everything is searched again whenever
/// more has come, so that a target that sends byte by byte would keep a core busy.
const MOST_SEARCHED: usize = 64 * 1024 * 1024;

/// How much is read at once.
const PART: usize = 4096;

/// A conversation.
pub(in super::super) struct Talk<'r> {
    run: &'r mut Run,
    wire: Wire,
    heard: Vec<u8>,
    /// Whether anything was heard since we last spoke.
    answered: bool,
    searched: usize,
}

impl<'r> Talk<'r> {
    /// A conversation over `wire`, in the time that `run` has left.
    pub(in super::super) fn new(run: &'r mut Run, wire: Wire) -> Self {
        Self { run, wire, heard: Vec::new(), answered: false, searched: 0 }
    }

    /// Changes over to TLS. What was heard and not taken was said in plain words by somebody who
    /// should have been waiting for us, and must not be taken for something said over TLS.
    pub(in super::super) async fn secure(
        self,
        network: &Network,
        to: TlsFor<'_>,
    ) -> Result<Self, Reason> {
        let Self { run, wire, heard, searched, .. } = self;
        if !heard.is_empty() {
            let detail = format!("before the TLS handshake: {}", words(&heard));
            return Err(Reason::MalformedAnswer { detail });
        }
        let wire = network.secure(run, wire, to).await?;
        Ok(Self { run, wire, heard, answered: false, searched })
    }

    /// Says `words`.
    pub(in super::super) async fn say(&mut self, words: &[u8]) -> Result<(), Reason> {
        let wire = &mut self.wire;
        let broke = |error| breakage(&error, Phase::Send);
        self.answered = false;
        self.run
            .phase(Phase::Send, async {
                wire.write_all(words).await.map_err(broke)?;
                wire.flush().await.map_err(broke)
            })
            .await
    }

    /// Listens until `find` finds something in what was heard and not taken, and takes all up to
    /// where `find` says that it ends.
    pub(in super::super) async fn listen<T>(
        &mut self,
        expected: &str,
        mut find: impl FnMut(&[u8]) -> Option<(usize, T)>,
    ) -> Result<T, Reason> {
        loop {
            if !self.heard.is_empty() {
                self.searched = self.searched.saturating_add(self.heard.len());
                if let Some((end, found)) = find(&self.heard) {
                    self.heard.drain(..end.min(self.heard.len()));
                    return Ok(found);
                }
            }
            match self.more().await {
                Ok(true) => {}
                Err(ours) if ours.is_ours() => return Err(ours),
                // However it ended, what came tells more than that it ended.
                Ok(false) | Err(_) if !self.heard.is_empty() => {
                    return Err(unexpected(expected, &self.heard));
                }
                Ok(false) => return Err(Reason::ConnectionClosed { phase: self.phase() }),
                Err(reason) => return Err(reason),
            }
        }
    }

    /// Listens for one line, and gives it without its end.
    pub(in super::super) async fn line(&mut self, expected: &str) -> Result<Vec<u8>, Reason> {
        self.listen(expected, |heard| {
            let end = heard.iter().position(|byte| *byte == b'\n')?;
            let line = heard.get(..end)?;
            Some((end + 1, line.strip_suffix(b"\r").unwrap_or(line).to_vec()))
        })
        .await
    }

    /// Hears more; `false` if there is no more, or no room for it.
    async fn more(&mut self) -> Result<bool, Reason> {
        let room = MOST_HEARD.saturating_sub(self.heard.len());
        let mut part = [0; PART];
        let Some(part) = part.get_mut(..room.min(PART)) else { return Ok(false) };
        if part.is_empty() || self.searched > MOST_SEARCHED {
            return Ok(false);
        }
        let phase = self.phase();
        let wire = &mut self.wire;
        let length = self
            .run
            .phase(phase, async { wire.read(part).await.map_err(|error| breakage(&error, phase)) })
            .await?;
        self.heard.extend(part.iter().take(length));
        self.answered |= length > 0;
        Ok(length > 0)
    }

    /// The phase that waiting is counted to.
    fn phase(&self) -> Phase {
        if self.answered { Phase::Transfer } else { Phase::FirstByte }
    }
}

/// That `got` was heard where something else was expected.
pub(in super::super) fn unexpected(expected: &str, got: &[u8]) -> Reason {
    Reason::TcpExpect { expected: expected.to_owned(), got: words(got) }
}

/// What was heard, for reading. Whoever shows it cuts it; this only spares work on what no one
/// would see.
pub(in super::super) fn words(heard: &[u8]) -> String {
    String::from_utf8_lossy(heard.get(..1024).unwrap_or(heard)).into_owned()
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncWriteExt, duplex};

    use super::{MOST_HEARD, MOST_SEARCHED, Talk, unexpected};
    use crate::clock::Clock;
    use crate::model::{Phase, Reason, Span};
    use crate::net::Run;

    fn run() -> Run {
        Run::start(Clock::start(), Span::from_secs(60))
    }

    #[tokio::test]
    async fn what_was_found_is_taken_and_the_rest_left() {
        let (mut theirs, ours) = duplex(64);
        theirs.write_all(b"one\r\ntwo\nrest").await.unwrap();
        let mut run = run();
        let mut talk = Talk::new(&mut run, Box::new(ours));
        assert_eq!(talk.line("a line").await.unwrap(), b"one");
        assert_eq!(talk.line("a line").await.unwrap(), b"two");
        drop(theirs);
        assert_eq!(talk.line("a line").await, Err(unexpected("a line", b"rest")));
        talk.heard.clear();
        let closed = Reason::ConnectionClosed { phase: Phase::Transfer };
        assert_eq!(talk.line("a line").await, Err(closed));
    }

    #[tokio::test]
    async fn no_more_is_heard_than_there_is_room_for() {
        let (mut theirs, ours) = duplex(2 * MOST_HEARD);
        theirs.write_all(&vec![b'x'; MOST_HEARD + 1]).await.unwrap();
        let mut run = run();
        let mut talk = Talk::new(&mut run, Box::new(ours));
        assert_eq!(talk.line("a line").await.unwrap_err().name(), "tcp_expect");
        assert_eq!(talk.heard.len(), MOST_HEARD);
    }

    /// One byte at a time, all there is room for would be searched for 2 GiB.
    #[tokio::test]
    async fn a_target_that_sends_byte_by_byte_does_not_keep_us_busy() {
        let (mut theirs, ours) = duplex(1);
        let sending = tokio::spawn(async move {
            let _ = theirs.write_all(&vec![b'x'; MOST_HEARD]).await;
        });
        let mut run = run();
        let mut talk = Talk::new(&mut run, Box::new(ours));
        let mut searched = 0;
        let found: Result<(), Reason> = talk
            .listen("y", |heard| {
                searched += heard.len();
                None
            })
            .await;
        assert_eq!(found.unwrap_err().name(), "tcp_expect");
        assert!(searched < MOST_SEARCHED + MOST_HEARD, "{searched}");
        assert!(talk.heard.len() < MOST_HEARD);
        sending.abort();
    }
}
