//! Which reasons may be the doing of our own network.

use super::Reason;
use crate::model::Phase;

impl Reason {
    /// Whether a network of our own that is lost, or loses packets, could look like this:
    ///
    /// 1. A name that could not be looked up, a connection that could not be made, and whatever
    ///    took too long.
    /// 2. Not what was refused, nor any answer that was not liked: something did answer. So did
    ///    whoever says that there is no such name.
    /// 3. A connection that was closed while it was made; one that broke later was closed by
    ///    somebody, and packets that are lost close nothing.
    pub const fn may_be_network(&self) -> bool {
        matches!(
            self,
            Self::ResolveFailed { .. }
                | Self::ConnectReset
                | Self::ConnectUnreachable
                | Self::ConnectFailed { .. }
                | Self::ProxyFailed { .. }
                | Self::TokenUnavailable { .. }
                | Self::Timeout { .. }
                | Self::ConnectionClosed { phase: Phase::Resolve | Phase::Connect | Phase::Tls }
                | Self::FirstByteLimit { .. }
                | Self::IdleLimit { .. }
                | Self::ExpectLimit { .. }
                | Self::DnsDelegation { .. }
                | Self::EchoLost { .. }
        )
    }

    /// Whether a name could not be looked up: what a resolver of ours that is lost would look like.
    pub const fn may_be_resolver(&self) -> bool {
        matches!(self, Self::ResolveFailed { .. } | Self::Timeout { phase: Phase::Resolve })
    }

    /// Whether anything at all answered.
    pub const fn was_answered(&self) -> bool {
        if let Self::EchoLost { lost, sent } = self {
            return *lost < *sent;
        }
        !self.may_be_network()
    }
}

#[cfg(test)]
mod tests {
    use super::{Phase, Reason};

    #[test]
    fn an_answer_that_is_not_liked_is_no_network_that_is_lost() {
        for answer in [
            Reason::Status { got: 503 },
            Reason::ConnectRefused,
            Reason::ResolveNotFound,
            Reason::DnsRcode { got: "SERVFAIL".to_owned() },
            Reason::ConnectionClosed { phase: Phase::Transfer },
        ] {
            assert!(!answer.may_be_network() && answer.was_answered(), "{answer:?}");
        }
        for silence in [
            Reason::Timeout { phase: Phase::Transfer },
            Reason::ConnectUnreachable,
            Reason::EchoLost { lost: 3, sent: 3 },
        ] {
            assert!(silence.may_be_network() && !silence.was_answered(), "{silence:?}");
        }
        let some = Reason::EchoLost { lost: 2, sent: 3 };
        assert!(some.may_be_network() && some.was_answered());
    }
}
