use super::*;

fn refused(address: &str, allowed: Allowed) -> bool {
    refuse(address.parse().unwrap(), allowed).is_some()
}

#[test]
fn the_tables_are_read_whole() {
    let (never, private) = &*TABLES;
    assert_eq!((never.len(), private.len()), (NEVER.len(), PRIVATE.len()));
    assert!(PUBLIC_V6.parse::<IpNet>().is_ok());
}

#[test]
fn public_addresses_are_reached() {
    for address in
        ["8.8.8.8", "1.1.1.1", "172.15.0.1", "172.32.0.1", "100.63.0.1", "100.128.0.1", "2606:4700::1111"]
    {
        assert!(!refused(address, Allowed::Public), "{address}");
    }
}

#[test]
fn the_users_own_network_is_reached_only_if_he_allows_it() {
    for address in [
        "127.0.0.1",
        "127.9.9.9",
        "0.0.0.0",
        "::1",
        "10.1.2.3",
        "172.31.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "fd12::1",
    ] {
        assert!(refused(address, Allowed::Public), "{address}");
        assert!(!refused(address, Allowed::PrivateToo), "{address}");
    }
}

#[test]
fn what_is_for_special_purposes_is_never_reached() {
    for address in [
        "169.254.169.254",
        "100.100.100.200",
        "168.63.129.16",
        "192.0.0.192",
        "fd00:ec2::254",
        "0.1.2.3",
        "224.0.0.1",
        "255.255.255.255",
        "198.18.0.1",
        "203.0.113.9",
        "::",
        "::ffff:127.0.0.1",
        "::ffff:8.8.8.8",
        "::127.0.0.1",
        "::ffff:0:127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b:1::1",
        "2002:7f00:1::",
        "2001:0:1::1",
        "2001:db8::1",
        "fe80::1",
        "fec0::1",
        "ff02::1",
        "100::1",
        "5f00::1",
    ] {
        assert!(refused(address, Allowed::Public), "{address}");
        assert!(refused(address, Allowed::PrivateToo), "{address}");
    }
}
