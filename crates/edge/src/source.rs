//! Where a request comes from, as limits count it.
//!
//! It believes a header only from who is trusted to set it, and only the part that the trusted one wrote.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

/// Addresses named in one request at most; who sends more is not read further.
const MAX_HOPS: usize = 32;

/// Who is counted for a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Source {
    /// This machine itself, past no proxy: an operator, or a watchdog.
    Here,
    /// Somebody at an address.
    Block(Block),
    /// Somebody whose address a trusted proxy did not tell in a form that can be read: all of them are one.
    Unreadable,
}

impl fmt::Display for Source {
    /// Its block; nothing for this machine itself and for whoever cannot be told.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Block(block) => block.fmt(f),
            Self::Here | Self::Unreadable => Ok(()),
        }
    }
}

/// A block of addresses that one asker has: an IPv4 address, or an IPv6 /64.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Block(IpAddr);

impl Block {
    /// The block of an address. An IPv4 address written as IPv6 is the IPv4 address; so is one from which a tunnel or a
    /// translator made an IPv6 address: whoever has it would have a /48 and more of its own beside it.
    pub fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self(IpAddr::V4(address)),
            IpAddr::V6(address) => match embedded(address) {
                Some(address) => Self(IpAddr::V4(address)),
                None => Self(IpAddr::V6(masked(address, 64))),
            },
        }
    }

    /// The block around it that one network is usually given: an IPv4 /24, or an IPv6 /48.
    #[must_use]
    pub fn around(self) -> Self {
        match self.0 {
            IpAddr::V4(address) => {
                let [a, b, c, _] = address.octets();
                Self(IpAddr::V4(Ipv4Addr::new(a, b, c, 0)))
            }
            IpAddr::V6(address) => Self(IpAddr::V6(masked(address, 48))),
        }
    }

    /// The block around that, as providers are given: an IPv4 /16, or an IPv6 /32. Whoever has one of the latter has 65,536
    /// networks.
    #[must_use]
    pub fn far_around(self) -> Self {
        match self.0 {
            IpAddr::V4(address) => {
                let [a, b, ..] = address.octets();
                Self(IpAddr::V4(Ipv4Addr::new(a, b, 0, 0)))
            }
            IpAddr::V6(address) => Self(IpAddr::V6(masked(address, 32))),
        }
    }
}

impl fmt::Display for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            IpAddr::V4(address) => write!(f, "{address}"),
            IpAddr::V6(address) => write!(f, "{address}/64"),
        }
    }
}

/// The IPv4 address of whoever is behind an IPv6 address that was made from it.
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let bits = address.to_bits();
    let last = u32::try_from(bits & u128::from(u32::MAX)).ok()?;
    match address.segments() {
        // 6to4 (RFC 3056): the 32 bits behind 2002::/16.
        [0x2002, high, low, ..] => Some(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low))),
        // Teredo (RFC 4380): the client's address, its bits turned.
        [0x2001, 0, ..] => Some(Ipv4Addr::from_bits(!last)),
        // NAT64 (RFC 6052), the well-known prefix.
        [0x64, 0xff9b, 0, 0, 0, 0, ..] => Some(Ipv4Addr::from_bits(last)),
        _ => None,
    }
}

fn masked(address: Ipv6Addr, bits: u32) -> Ipv6Addr {
    let mask = u128::MAX.checked_shl(128 - bits).unwrap_or(0);
    Ipv6Addr::from_bits(address.to_bits() & mask)
}

/// Addresses that begin alike: an address, or an address and how many of its bits count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u32,
}

impl Network {
    /// One address.
    pub fn of(address: IpAddr) -> Self {
        let address = address.to_canonical();
        Self { address, bits: if address.is_ipv4() { 32 } else { 128 } }
    }
}

/// A network that is written in another way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoNetwork;

impl fmt::Display for NoNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "a network is an IP address, or an address, a slash and a number of bits, such as 10.0.0.0/8",
        )
    }
}

impl std::error::Error for NoNetwork {}

impl FromStr for Network {
    type Err = NoNetwork;

    fn from_str(text: &str) -> Result<Self, NoNetwork> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse().map_err(|_| NoNetwork)?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| NoNetwork)?;
        let all = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.unwrap_or(all);
        if bits > all { Err(NoNetwork) } else { Ok(Self { address, bits }) }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

/// The proxies that are believed when they say who asked them.
#[derive(Debug, Clone, Default)]
pub struct Proxies {
    trusted: Vec<Network>,
}

impl Proxies {
    /// Proxies on this machine alone.
    pub fn here() -> Self {
        Self::default()
    }

    /// The same, and those in these networks.
    #[must_use]
    pub fn and(mut self, networks: impl IntoIterator<Item = Network>) -> Self {
        self.trusted.extend(networks);
        self
    }

    /// Is what this address says of others believed?
    pub fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_loopback() || self.trusted.iter().any(|network| is_in(address, *network))
    }

    /// Who is counted for a request that came over a connection from `from`, with these values of `X-Forwarded-For`
    /// in the order of the lines: the last address that is not a trusted proxy, read from the end. What stands before
    /// it is only said, and not looked at.
    pub fn source<'v>(&self, from: IpAddr, forwarded: impl IntoIterator<Item = &'v [u8]>) -> Source {
        if !self.trusts(from) {
            return Source::Block(Block::of(from));
        }
        let values: Vec<&[u8]> = forwarded.into_iter().collect();
        let hops = values.iter().rev().flat_map(|value| value.rsplit(|byte| *byte == b','));
        for (n, hop) in hops.map(<[u8]>::trim_ascii).filter(|hop| !hop.is_empty()).enumerate() {
            match address(hop).filter(|_| n < MAX_HOPS) {
                None => return Source::Unreadable,
                Some(address) if self.trusts(address) => {}
                Some(address) => return Source::Block(Block::of(address)),
            }
        }
        if from.to_canonical().is_loopback() { Source::Here } else { Source::Block(Block::of(from)) }
    }
}

fn is_in(address: IpAddr, network: Network) -> bool {
    match (address, network.address) {
        (IpAddr::V4(address), IpAddr::V4(of)) => {
            let mask = u32::MAX.checked_shl(32 - network.bits.min(32)).unwrap_or(0);
            address.to_bits() & mask == of.to_bits() & mask
        }
        (IpAddr::V6(address), IpAddr::V6(of)) => {
            let bits = network.bits.min(128);
            masked(address, bits) == masked(of, bits)
        }
        _ => false,
    }
}

/// An address as proxies write it: alone, with a port, in brackets, or both.
fn address(hop: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(hop).ok()?;
    let text = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text);
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(address);
    }
    if let Ok(socket) = text.parse::<SocketAddr>() {
        return Some(socket.ip());
    }
    let inside = text.strip_prefix('[')?.strip_suffix(']')?;
    inside.parse::<Ipv6Addr>().ok().map(IpAddr::V6)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn block(text: &str) -> Source {
        Source::Block(Block::of(ip(text)))
    }

    fn source(from: &str, lines: &[&str]) -> Source {
        let proxies = Proxies::here().and(["10.1.0.0/16".parse().unwrap()]);
        proxies.source(ip(from), lines.iter().map(|line| line.as_bytes()))
    }

    #[test]
    fn a_stranger_is_counted_by_the_connection_whatever_it_says() {
        assert_eq!(source("192.0.2.7", &["203.0.113.1"]), block("192.0.2.7"));
        assert_eq!(source("::ffff:192.0.2.7", &["127.0.0.1"]), block("192.0.2.7"));
    }

    /// One IPv4 address has 65,536 networks of 6to4, any number of ports with Teredo, and itself behind NAT64.
    #[test]
    fn an_address_made_from_an_ipv4_address_is_counted_as_that() {
        for made in [
            "2002:c000:0207::1",
            "2002:c000:0207:ffff:1:2:3:4",
            "64:ff9b::192.0.2.7",
            "2001:0:4136:e378:8000:63bf:3fff:fdf8",
            "2001:0:ffff:1:0:1:3fff:fdf8",
            "::ffff:192.0.2.7",
        ] {
            assert_eq!(Block::of(ip(made)), Block::of(ip("192.0.2.7")), "{made}");
        }
        for other in ["2001:db8::1", "2003::1", "64:ff9b:1::192.0.2.7", "2001:1::3fff:fdf8"] {
            assert!(Block::of(ip(other)).to_string().ends_with("/64"), "{other}");
        }
    }

    #[test]
    fn behind_a_proxy_the_last_address_that_is_no_proxy_is_counted() {
        assert_eq!(source("127.0.0.1", &["198.51.100.1, 203.0.113.9"]), block("203.0.113.9"));
        assert_eq!(
            source("127.0.0.1", &["198.51.100.1", "203.0.113.9"]),
            block("203.0.113.9"),
            "a second line"
        );
        assert_eq!(source("127.0.0.1", &["203.0.113.9, 10.1.2.3", " 127.0.0.1 "]), block("203.0.113.9"));
        assert_eq!(source("10.1.9.9", &["203.0.113.9"]), block("203.0.113.9"));
        assert_eq!(source("10.2.9.9", &["203.0.113.9"]), block("10.2.9.9"), "no proxy of ours");
    }

    #[test]
    fn every_form_that_proxies_write_is_read() {
        for form in ["203.0.113.9", "203.0.113.9:4711", "::ffff:203.0.113.9", "\"203.0.113.9:1\""] {
            assert_eq!(source("127.0.0.1", &[form]), block("203.0.113.9"), "{form}");
        }
        for form in ["2001:db8:1:2:3::1", "[2001:db8:1:2::9]:443", "[2001:db8:1:2::]"] {
            assert_eq!(source("127.0.0.1", &[form]), block("2001:db8:1:2::"), "{form}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_one_source_and_not_let_through() {
        for form in ["unknown", "_hidden", "203.0.113", "203.0.113.9 , x", "[::1", "\u{fffd}"] {
            assert_eq!(source("127.0.0.1", &[form]), Source::Unreadable, "{form}");
        }
        assert_eq!(source("127.0.0.1", &["203.0.113.9, unknown"]), Source::Unreadable);
    }

    #[test]
    fn this_machine_itself_is_not_a_stranger() {
        assert_eq!(source("127.0.0.1", &[]), Source::Here);
        assert_eq!(source("::1", &["", " , "]), Source::Here);
        assert_eq!(source("10.1.2.3", &[]), block("10.1.2.3"), "a proxy that asks for itself");
    }

    proptest! {
        /// Whatever a client writes into the header, a proxy adds its address behind it, in this line or in a new one.
        #[test]
        fn nobody_is_counted_as_somebody_else(said in "[ -~]{0,200}", own: bool, last: [u8; 4]) {
            let client = IpAddr::from(last);
            prop_assume!(!Proxies::here().trusts(client));
            let joined = format!("{said}, {client}");
            let client_text = client.to_string();
            let lines: Vec<&[u8]> =
                if own { vec![said.as_bytes(), client_text.as_bytes()] } else { vec![joined.as_bytes()] };
            let found = Proxies::here().source(ip("127.0.0.1"), lines);
            prop_assert_eq!(found, Source::Block(Block::of(client)));
        }

        #[test]
        fn one_who_has_a_network_of_64_bits_is_one(high: u64, low: u64, other: u64) {
            let of = |low: u64| Block::of(IpAddr::V6(Ipv6Addr::from_bits(u128::from(high) << 64 | u128::from(low))));
            prop_assume!(high != 0);
            prop_assert_eq!(of(low), of(other));
            prop_assert_eq!(of(low).around(), of(other).around());
        }
    }
}
