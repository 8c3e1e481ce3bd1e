//! The stable names of reasons, and whose trouble they are.

use super::Reason;
use crate::model::Phase;

impl Reason {
    /// The stable name: the `reason` label of the metrics and the heading in the documentation.
    #[expect(clippy::too_many_lines, reason = "a line for each reason, and nothing else")]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::ResolveNotFound => "resolve_not_found",
            Self::ResolveNoAddress => "resolve_no_address",
            Self::TooFewAddresses { .. } => "too_few_addresses",
            Self::ResolveFailed { .. } => "resolve_failed",
            Self::ConnectRefused => "connect_refused",
            Self::ConnectReset => "connect_reset",
            Self::ConnectUnreachable => "connect_unreachable",
            Self::ConnectFailed { .. } => "connect_failed",
            Self::ProxyUnreachable { .. } => "proxy_unreachable",
            Self::ProxyAuth => "proxy_auth",
            Self::ProxyDenied { .. } => "proxy_denied",
            Self::ProxyMalformed { .. } => "proxy_malformed",
            Self::ProxyFailed { .. } => "proxy_failed",
            Self::TokenUnavailable { .. } => "token_unavailable",
            Self::TokenRefused { .. } => "token_refused",
            Self::TokenMalformed { .. } => "token_malformed",
            Self::TlsHandshake { .. } => "tls_handshake",
            Self::TlsCertificateExpired => "tls_certificate_expired",
            Self::TlsCertificateNotYetValid => "tls_certificate_not_yet_valid",
            Self::TlsNameMismatch => "tls_name_mismatch",
            Self::TlsUntrusted { .. } => "tls_untrusted",
            Self::TlsSelfSigned => "tls_self_signed",
            Self::TlsCertificateRevoked => "tls_certificate_revoked",
            Self::TlsCertificateExpiring { .. } => "tls_certificate_expiring",
            Self::TlsStaple { .. } => "tls_staple",
            Self::TlsVersion { .. } => "tls_version",
            Self::TlsCipher { .. } => "tls_cipher",
            Self::StarttlsRefused { .. } => "starttls_refused",
            Self::Timeout { phase } => match phase {
                Phase::Resolve => "resolve_timeout",
                Phase::Connect => "connect_timeout",
                Phase::Tls => "tls_timeout",
                Phase::Send => "send_timeout",
                Phase::FirstByte => "first_byte_timeout",
                Phase::Transfer => "transfer_timeout",
            },
            Self::ConnectionClosed { phase } => match phase {
                Phase::Resolve => "resolve_closed",
                Phase::Connect => "connect_closed",
                Phase::Tls => "tls_closed",
                Phase::Send => "send_closed",
                Phase::FirstByte => "first_byte_closed",
                Phase::Transfer => "transfer_closed",
            },
            Self::MalformedAnswer { .. } => "malformed_answer",
            Self::HttpVersion { .. } => "http_version",
            Self::HeadersTooLarge => "headers_too_large",
            Self::BodyTooLarge => "body_too_large",
            Self::BodyEncoding { .. } => "body_encoding",
            Self::FirstByteLimit { .. } => "first_byte_limit",
            Self::IdleLimit { .. } => "idle_limit",
            Self::ExpectLimit { .. } => "expect_limit",
            Self::Status { .. } => "status",
            Self::RedirectLimit => "redirect_limit",
            Self::RedirectLoop => "redirect_loop",
            Self::RedirectHost { .. } => "redirect_host",
            Self::FormNotFound { .. } => "form_not_found",
            Self::ExtractMissing { .. } => "extract_missing",
            Self::ExtractDiffers { .. } => "extract_differs",
            Self::Cookie { .. } => "cookie",
            Self::TokenClaim { .. } => "token_claim",
            Self::TokenTime { .. } => "token_time",
            Self::CredentialsRejected { .. } => "credentials_rejected",
            Self::RedirectInvalid => "redirect_invalid",
            Self::RedirectRefused { .. } => "redirect_refused",
            Self::Body { .. } => "body",
            Self::BodySize { .. } => "body_size",
            Self::Header { .. } => "header",
            Self::FinalUrl { .. } => "final_url",
            Self::Json { .. } => "json",
            Self::Html { .. } => "html",
            Self::RecordStale { .. } => "record_stale",
            Self::RecordAhead { .. } => "record_ahead",
            Self::RecordNoTime { .. } => "record_no_time",
            Self::PageBlank => "page_blank",
            Self::PagePart { .. } => "page_part",
            Self::PagePartType { .. } => "page_part_type",
            Self::DnsRcode { .. } => "dns_rcode",
            Self::DnsAnswer { .. } => "dns_answer",
            Self::DnsTtl { .. } => "dns_ttl",
            Self::DnsFlag { .. } => "dns_flag",
            Self::DnsTruncated { .. } => "dns_truncated",
            Self::DnsSerial { .. } => "dns_serial",
            Self::DnsDelegation { .. } => "dns_delegation",
            Self::DnssecBogus { .. } => "dnssec_bogus",
            Self::DnssecInsecure => "dnssec_insecure",
            Self::TcpExpect { .. } => "tcp_expect",
            Self::GrpcStatus { .. } => "grpc_status",
            Self::GrpcHealth { .. } => "grpc_health",
            Self::EchoLost { .. } => "echo_lost",
            Self::WebsocketExpect { .. } => "websocket_expect",
            Self::WebsocketClosed { .. } => "websocket_closed",
            Self::WebsocketSubprotocol { .. } => "websocket_subprotocol",
            Self::WebsocketMessageTooLarge => "websocket_message_too_large",
            Self::ClockSkew { .. } => "clock_skew",
            Self::ClockJump { .. } => "clock_jump",
            Self::ClockDrift { .. } => "clock_drift",
            Self::ClockUnreadable { .. } => "clock_unreadable",
            Self::NtpUnsynchronized { .. } => "ntp_unsynchronized",
            Self::NtpRefused { .. } => "ntp_refused",
            Self::Slow { .. } => "slow",
            Self::SlowQuantile { .. } => "slow_quantile",
            Self::SlowPhase { phase, .. } => match phase {
                Phase::Resolve => "resolve_slow",
                Phase::Connect => "connect_slow",
                Phase::Tls => "tls_slow",
                Phase::Send => "send_slow",
                Phase::FirstByte => "first_byte_slow",
                Phase::Transfer => "transfer_slow",
            },
            Self::ProberExhausted { .. } => "prober_exhausted",
            Self::ProberOffline { .. } => "prober_offline",
            Self::ProberBlip => "prober_blip",
            Self::ProberClock { .. } => "prober_clock",
            Self::ProberClockUnsure => "prober_clock_unsure",
            Self::ProberClockOff { .. } => "prober_clock_off",
            Self::ProberBusy { .. } => "prober_busy",
            Self::ProberResolver { .. } => "prober_resolver",
            Self::OwnTrouble { .. } => "own_trouble",
            Self::ProberMisconfigured { .. } => "prober_misconfigured",
        }
    }

    /// Whether the trouble is ours, so that it must not be held against the target.
    pub const fn is_ours(&self) -> bool {
        matches!(
            self,
            Self::ProberExhausted { .. }
                | Self::ProberOffline { .. }
                | Self::ProberBlip
                | Self::ProberClock { .. }
                | Self::ProberClockUnsure
                | Self::ProberClockOff { .. }
                | Self::ProberBusy { .. }
                | Self::ProberResolver { .. }
                | Self::ProberMisconfigured { .. }
                | Self::ProxyUnreachable { .. }
                | Self::ProxyAuth
                | Self::ProxyDenied { .. }
                | Self::ProxyMalformed { .. }
        )
    }
}
