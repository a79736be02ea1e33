//! Which IP addresses may be reached: those of the public internet, and the user's own network if he says so.

use std::net::IpAddr;
use std::sync::LazyLock;

use ipnet::IpNet;

/// Which addresses may be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Allowed {
    /// Those of the public internet.
    Public,
    /// Also this machine and the networks around it. Never those by which clouds hand out keys.
    PrivateToo,
}

/// Networks that the user can allow.
const PRIVATE: [(&str, &str); 8] = [
    ("0.0.0.0/32", "this machine"),
    ("127.0.0.0/8", "this machine"),
    ("::1/128", "this machine"),
    ("10.0.0.0/8", "a private network"),
    ("172.16.0.0/12", "a private network"),
    ("192.168.0.0/16", "a private network"),
    ("100.64.0.0/10", "a network behind a provider's translation"),
    ("fc00::/7", "a private network"),
];

/// Networks that nobody can allow: what IANA keeps for special purposes, and where clouds hand out keys. Sources: the IANA
/// registries of special-purpose addresses for IPv4 and IPv6; the documentation of AWS, Google Cloud, Azure, Alibaba, Oracle.
const NEVER: [(&str, &str); 27] = [
    ("100.100.100.200/32", "a cloud's metadata"),
    ("168.63.129.16/32", "a cloud's metadata"),
    ("169.254.0.0/16", "link-local, where clouds keep their metadata"),
    ("fd00:ec2::/32", "a cloud's metadata"),
    ("fd20:ce::/32", "a cloud's metadata"),
    ("0.0.0.0/8", "no address of a server"),
    ("192.0.0.0/24", "kept for protocols"),
    ("192.0.2.0/24", "kept for documentation"),
    ("192.88.99.0/24", "a relay of 6to4"),
    ("192.175.48.0/24", "kept for protocols"),
    ("192.31.196.0/24", "kept for protocols"),
    ("192.52.193.0/24", "kept for protocols"),
    ("198.18.0.0/15", "kept for measurements"),
    ("198.51.100.0/24", "kept for documentation"),
    ("203.0.113.0/24", "kept for documentation"),
    ("224.0.0.0/4", "multicast"),
    ("240.0.0.0/4", "reserved"),
    ("2001::/32", "a tunnel (Teredo), in which any address can be"),
    ("2001:2::/48", "kept for measurements"),
    ("2001:10::/28", "no address of a server"),
    ("2001:20::/28", "no address of a server"),
    ("2001:db8::/32", "kept for documentation"),
    ("2002::/16", "a tunnel (6to4), in which any address can be"),
    ("2620:4f:8000::/48", "kept for protocols"),
    ("3fff::/20", "kept for documentation"),
    ("fe80::/10", "link-local"),
    ("ff00::/8", "multicast"),
];

/// The part of IPv6 that is given out for the public internet. What is outside of it embeds an address of IPv4 (mapped,
/// compatible, translated by NAT64), stays within a network, or has no meaning yet.
const PUBLIC_V6: &str = "2000::/3";

type Networks = Vec<(IpNet, &'static str)>;

static TABLES: LazyLock<(Networks, Networks)> = LazyLock::new(|| (parse(&NEVER), parse(&PRIVATE)));

fn parse(table: &[(&str, &'static str)]) -> Networks {
    table.iter().filter_map(|(network, what)| Some((network.parse().ok()?, *what))).collect()
}

/// Returns why an address may not be reached; none if it may.
pub(crate) fn refuse(address: IpAddr, allowed: Allowed) -> Option<String> {
    let (never, private) = &*TABLES;
    let is_in = |(network, _): &&(IpNet, &str)| network.contains(&address);
    // The most exact of the networks counts: this machine's own address stands in one that is refused.
    let of =
        |table: &'static Networks| table.iter().filter(is_in).max_by_key(|(network, _)| network.prefix_len());
    match (of(never), of(private)) {
        (Some(never), Some(private)) if never.0.prefix_len() > private.0.prefix_len() => Some(never.1),
        (_, Some(private)) => (allowed == Allowed::Public).then_some(private.1),
        (Some(never), None) => Some(never.1),
        (None, None) if is_given_out(address) => None,
        (None, None) => Some("no address of the public internet"),
    }
    .map(|what| format!("{address} is not fetched from: it is {what}"))
}

fn is_given_out(address: IpAddr) -> bool {
    address.is_ipv4() || PUBLIC_V6.parse::<IpNet>().is_ok_and(|network| network.contains(&address))
}

#[cfg(test)]
mod tests;
