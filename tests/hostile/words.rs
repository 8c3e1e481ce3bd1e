//! What a target says over a stream, after it has heard what, and what it does then.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, sink, split};

/// Whether enough was heard for it to be the target's turn.
type Enough = fn(&[u8]) -> bool;

/// What is said to what was heard.
type Say = Arc<dyn Fn(&[u8]) -> Vec<u8> + Send + Sync>;

/// A target's part of a conversation.
#[derive(Clone)]
pub(crate) struct Words {
    turns: Vec<(Enough, Say)>,
    then: Then,
}

/// What a target does when it has said everything.
#[derive(Clone)]
enum Then {
    Silence,
    Close,
    Reset,
    Repeat(Arc<[u8]>),
    Drip(Arc<[u8]>),
}

/// Says `greeting` before it has heard anything.
pub(crate) fn greets(greeting: impl AsRef<[u8]>) -> Words {
    Words { turns: Vec::new(), then: Then::Silence }.turn(|_| true, greeting)
}

/// Takes the connection, and says nothing, whatever it hears.
pub(crate) fn silent() -> Words {
    greets("")
}

/// Hears a request of HTTP/1, and says `answer`.
pub(crate) fn answers(answer: impl AsRef<[u8]>) -> Words {
    Words { turns: Vec::new(), then: Then::Silence }.turn(is_request, answer)
}

/// Hears anything at all, and says `answer`.
pub(crate) fn replies(answer: impl AsRef<[u8]>) -> Words {
    Words { turns: Vec::new(), then: Then::Silence }.turn(is_something, answer)
}

/// Hears a request of HTTP/1, and says what `say` makes of it.
pub(crate) fn answers_to(say: impl Fn(&[u8]) -> String + Send + Sync + 'static) -> Words {
    let say = move |heard: &[u8]| say(heard).into_bytes();
    Words { turns: Vec::new(), then: Then::Silence }.says_to(is_request, say)
}

/// Whether a whole head was heard.
pub(crate) fn is_request(heard: &[u8]) -> bool {
    heard.windows(4).any(|end| end == b"\r\n\r\n")
}

fn is_something(heard: &[u8]) -> bool {
    !heard.is_empty()
}

impl Words {
    /// Hears `enough`, and says `words`.
    pub(crate) fn turn(self, enough: Enough, words: impl AsRef<[u8]>) -> Self {
        let words = words.as_ref().to_vec();
        self.says_to(enough, move |_| words.clone())
    }

    /// Hears anything at all, and says `words`.
    pub(crate) fn replies(self, words: impl AsRef<[u8]>) -> Self {
        self.turn(is_something, words)
    }

    /// Hears `enough`, and says what `say` makes of it.
    pub(crate) fn says_to(
        mut self,
        enough: Enough,
        say: impl Fn(&[u8]) -> Vec<u8> + Send + Sync + 'static,
    ) -> Self {
        self.turns.push((enough, Arc::new(say)));
        self
    }

    /// Then closes.
    pub(crate) fn closes(mut self) -> Self {
        self.then = Then::Close;
        self
    }

    /// Then resets the connection.
    pub(crate) fn resets(mut self) -> Self {
        self.then = Then::Reset;
        self
    }

    /// Then says `words` again and again.
    pub(crate) fn without_end(mut self, words: impl AsRef<[u8]>) -> Self {
        self.then = Then::Repeat(words.as_ref().into());
        self
    }

    /// Then says `words` again and again, a byte now and then.
    pub(crate) fn drips(mut self, words: impl AsRef<[u8]>) -> Self {
        self.then = Then::Drip(words.as_ref().into());
        self
    }

    /// Whether the connection is to be reset when it is dropped.
    pub(crate) fn ends_in_reset(&self) -> bool {
        matches!(self.then, Then::Reset)
    }

    /// Says all this over `stream`, for as long as anybody listens.
    pub(crate) async fn say_over(
        &self,
        stream: impl AsyncRead + AsyncWrite,
    ) -> std::io::Result<()> {
        let (mut read, mut write) = split(stream);
        for (enough, say) in &self.turns {
            // Room for all that is said at once, so that one turn is not taken for two.
            let mut heard = Vec::with_capacity(1 << 16);
            while !enough(&heard) {
                if read.read_buf(&mut heard).await? == 0 {
                    return Ok(());
                }
            }
            write.write_all(&say(&heard)).await?;
            write.flush().await?;
        }
        // Whatever comes is read: what is left unread when a connection is closed resets it.
        let mut nowhere = sink();
        let rest = async { tokio::io::copy(&mut read, &mut nowhere).await.map(drop) };
        match &self.then {
            Then::Silence => rest.await,
            Then::Reset => Ok(()),
            Then::Close => {
                write.shutdown().await?;
                rest.await
            }
            Then::Repeat(words) => {
                let speech = async { loop_over(words, &mut write).await };
                tokio::try_join!(rest, speech).map(drop)
            }
            Then::Drip(words) => {
                let mut every = tokio::time::interval(Duration::from_millis(20));
                for byte in words.iter().cycle() {
                    every.tick().await;
                    write.write_all(&[*byte]).await?;
                    write.flush().await?;
                }
                Ok(())
            }
        }
    }
}

async fn loop_over(words: &[u8], write: &mut (impl AsyncWrite + Unpin)) -> std::io::Result<()> {
    loop {
        write.write_all(words).await?;
    }
}
