//! Addresses that mean nothing, or another machine, to a client on the internet.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The blocks of the IANA special-purpose address registries (RFC 6890) that are not globally reachable and that a
/// record may hold by mistake. The blocks for documentation are left out: worked plans live of them.
const V4: &[(Ipv4Addr, u32, &str)] = &[
    (Ipv4Addr::new(0, 0, 0, 0), 8, "\"this network\", RFC 791"),
    (Ipv4Addr::new(10, 0, 0, 0), 8, "private, RFC 1918"),
    (Ipv4Addr::new(100, 64, 0, 0), 10, "shared behind carrier NAT, RFC 6598"),
    (Ipv4Addr::new(127, 0, 0, 0), 8, "loopback, RFC 1122"),
    (Ipv4Addr::new(169, 254, 0, 0), 16, "link-local, RFC 3927"),
    (Ipv4Addr::new(172, 16, 0, 0), 12, "private, RFC 1918"),
    (Ipv4Addr::new(192, 168, 0, 0), 16, "private, RFC 1918"),
    (Ipv4Addr::new(198, 18, 0, 0), 15, "for benchmarks, RFC 2544"),
    (Ipv4Addr::new(240, 0, 0, 0), 4, "reserved, RFC 1112"),
];

const V6: &[(Ipv6Addr, u32, &str)] = &[
    (Ipv6Addr::UNSPECIFIED, 128, "unspecified, RFC 4291"),
    (Ipv6Addr::LOCALHOST, 128, "loopback, RFC 4291"),
    (Ipv6Addr::new(0x64, 0xff9b, 1, 0, 0, 0, 0, 0), 48, "local translation, RFC 8215"),
    (Ipv6Addr::new(0x100, 0, 0, 0, 0, 0, 0, 0), 64, "discard only, RFC 6666"),
    (Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7, "unique local, RFC 4193"),
    (Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10, "link-local, RFC 4291"),
    (Ipv6Addr::new(0xfec0, 0, 0, 0, 0, 0, 0, 0), 10, "site-local, RFC 3879"),
];

/// What an address is if it is not globally reachable.
pub(super) fn special_purpose(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(a) => {
            let within = |(net, length, _): &&(Ipv4Addr, u32, _)| (a.to_bits() ^ net.to_bits()) >> (32 - length) == 0;
            V4.iter().find(within).map(|(_, _, word)| *word)
        }
        IpAddr::V6(a) => match a.to_ipv4_mapped() {
            Some(v4) => special_purpose(IpAddr::V4(v4)).or(Some("IPv4-mapped, RFC 4291")),
            None => {
                let within =
                    |(net, length, _): &&(Ipv6Addr, u32, _)| (a.to_bits() ^ net.to_bits()) >> (128 - length) == 0;
                V6.iter().find(within).map(|(_, _, word)| *word)
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_block_ends_where_the_registry_says() {
        let is = |text: &str| special_purpose(text.parse().unwrap()).is_some();
        for (first, last, before, after) in [
            ("10.0.0.0", "10.255.255.255", "9.255.255.255", "11.0.0.0"),
            ("100.64.0.0", "100.127.255.255", "100.63.255.255", "100.128.0.0"),
            ("127.0.0.0", "127.255.255.255", "126.255.255.255", "128.0.0.0"),
            ("169.254.0.0", "169.254.255.255", "169.253.255.255", "169.255.0.0"),
            ("172.16.0.0", "172.31.255.255", "172.15.255.255", "172.32.0.0"),
            ("192.168.0.0", "192.168.255.255", "192.167.255.255", "192.169.0.0"),
            ("198.18.0.0", "198.19.255.255", "198.17.255.255", "198.20.0.0"),
            ("fc00::", "fdff:ffff::1", "fbff::1", "fe00::1"),
            ("fe80::1", "febf::1", "fe7f::1", "ff02::1"),
        ] {
            assert_eq!([first, last, before, after].map(is), [true, true, false, false], "{first} to {last}");
        }
        for special in
            ["::", "::1", "100::1", "64:ff9b:1::1", "::ffff:10.0.0.1", "::ffff:9.9.9.9", "0.0.0.0", "240.0.0.1"]
        {
            assert!(is(special), "{special}");
        }
        for public in ["203.0.113.10", "198.51.100.7", "192.0.2.1", "2001:db8::1", "64:ff9b::1", "2620:fe::fe"] {
            assert!(!is(public), "{public}");
        }
    }
}
