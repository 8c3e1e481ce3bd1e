//! The services of each platform, and the customers that it has.

/// The customers of either platform, each with a login of its own.
pub(super) const TENANTS: [&str; 3] = ["acme", "globex", "initech"];

/// One service: a host name with several backends behind it.
#[derive(Debug)]
pub(super) struct Site {
    /// The first label of its host name.
    pub(super) name: &'static str,
    /// What it is.
    pub(super) sort: Sort,
}

/// What a service is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    /// Pages of the product with this title, and a login before what is a customer's own.
    Pages(&'static str),
    /// Interfaces that answer in JSON.
    Interfaces,
    /// Where the users of the others log in.
    Identity,
    /// Lines over TCP.
    Chat,
}

const fn site(name: &'static str, sort: Sort) -> Site {
    Site { name, sort }
}

pub(super) const BLIP: &[Site] = &[
    site("portal", Sort::Pages("Blip Portal")),
    site("desk", Sort::Pages("Blip Desk")),
    site("crm", Sort::Interfaces),
    site("core", Sort::Interfaces),
    site("analytics", Sort::Interfaces),
    site("ai", Sort::Interfaces),
    site("id", Sort::Identity),
    site("chat", Sort::Chat),
];

pub(super) const IADVIZE: &[Site] = &[
    site("admin", Sort::Pages("iAdvize Administration")),
    site("panel", Sort::Pages("iAdvize Conversation Panel")),
    site("onsite", Sort::Interfaces),
    site("visitor", Sort::Pages("iAdvize Messenger")),
    site("api", Sort::Interfaces),
    site("bot", Sort::Interfaces),
    site("third", Sort::Interfaces),
    site("mobile", Sort::Interfaces),
    site("id", Sort::Identity),
];
