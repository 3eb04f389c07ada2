//! At which addresses media can be reached, from what the operator wrote and what the machine has.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use crate::media::{Place, Transport};

/// Where media sockets are bound, and as what clients know them.
#[derive(Clone, Debug, Default)]
pub struct Addresses {
    /// UDP sockets. `[::]` listens to IPv6 and `0.0.0.0` to IPv4: to have both, name both.
    pub udp: Vec<SocketAddr>,
    /// TCP listeners.
    pub tcp: Vec<SocketAddr>,
    /// What clients are told instead of this machine's own address of the same family (1:1 NAT).
    pub external_ip: Vec<IpAddr>,
}

impl Addresses {
    /// The two ports after `port`, TCP first: where `LiveKit` users look for them.
    pub fn after(bind: SocketAddr) -> Self {
        let both = |offset: u16| {
            let port = bind.port().checked_add(offset);
            port.map(|port| SocketAddr::new(bind.ip(), port)).into_iter().flat_map(families).collect()
        };
        Self { tcp: both(1), udp: both(2), external_ip: Vec::new() }
    }

    /// Every place, UDP before TCP. An address of all interfaces becomes the one by which this machine reaches others.
    ///
    /// # Errors
    /// None can be told to clients: an unspecified address, no route, and no external address.
    pub fn places(&self) -> io::Result<Vec<Place>> {
        let udp = self.udp.iter().map(|bound| (Transport::Udp, *bound));
        let tcp = self.tcp.iter().map(|bound| (Transport::Tcp, *bound));
        let places: Vec<_> =
            udp.chain(tcp).filter_map(|(transport, bound)| self.place(transport, bound)).collect();
        if places.is_empty() {
            let why = "no address can be told to clients: bind media to an address of this machine, or set the external address";
            return Err(io::Error::new(io::ErrorKind::AddrNotAvailable, why));
        }
        Ok(places)
    }

    fn place(&self, transport: Transport, bound: SocketAddr) -> Option<Place> {
        let external = self.external_ip.iter().copied().find(|ip| ip.is_ipv4() == bound.is_ipv4());
        let local =
            if bound.ip().is_unspecified() { own_address(bound.ip()).or(external)? } else { bound.ip() };
        let (local, public) = (SocketAddr::new(local, bound.port()), external.unwrap_or(local));
        Some(Place { transport, local, public: SocketAddr::new(public, bound.port()) })
    }
}

/// All interfaces of IPv6 are also all interfaces of IPv4, as servers commonly take it.
fn families(address: SocketAddr) -> Vec<SocketAddr> {
    if address.ip() == IpAddr::V6(Ipv6Addr::UNSPECIFIED) {
        return vec![SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), address.port()), address];
    }
    vec![address]
}

/// The address from which this machine would reach a far one (of documentation, RFC 5737 and 3849). Nothing is sent.
fn own_address(unspecified: IpAddr) -> Option<IpAddr> {
    let far: SocketAddr = if unspecified.is_ipv4() {
        ([192, 0, 2, 1], 9).into()
    } else {
        ("2001:db8::1".parse::<IpAddr>().ok()?, 9).into()
    };
    let socket = UdpSocket::bind((unspecified, 0)).ok()?;
    socket.connect(far).ok()?;
    Some(socket.local_addr().ok()?.ip()).filter(|ip| !ip.is_unspecified())
}

/// The place at which a packet arrived: by its destination address, or, where the system does not tell it or it is another
/// address of this machine, the first of the same transport and family.
pub(super) fn arrived(
    places: &[Place],
    transport: Transport,
    ip: Option<IpAddr>,
    v4: bool,
) -> Option<SocketAddr> {
    let mut alike = places.iter().filter(|place| place.transport == transport && place.local.is_ipv4() == v4);
    let exact = alike.clone().find(|place| Some(place.local.ip()) == ip);
    exact.or_else(|| alike.next()).map(|place| place.local)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_takes_the_two_ports_after_the_first() {
        let addresses = Addresses::after("127.0.0.1:7880".parse().unwrap());
        let places = addresses.places().unwrap();
        let said: Vec<_> = places.iter().map(|place| (place.transport, place.public.to_string())).collect();
        assert_eq!(
            said,
            [(Transport::Udp, "127.0.0.1:7882".into()), (Transport::Tcp, "127.0.0.1:7881".into())]
        );
    }

    #[test]
    fn all_interfaces_are_those_of_both_families() {
        let addresses = Addresses::after("[::]:7880".parse().unwrap());
        assert_eq!(addresses.udp, ["0.0.0.0:7882".parse().unwrap(), "[::]:7882".parse().unwrap()]);
    }

    #[test]
    fn behind_a_nat_clients_hear_the_external_address() {
        let external_ip = vec!["203.0.113.7".parse().unwrap()];
        let addresses = Addresses { external_ip, ..Addresses::after("10.0.0.5:7880".parse().unwrap()) };
        let place = addresses.places().unwrap()[0];
        assert_eq!(
            (place.local.to_string(), place.public.to_string()),
            ("10.0.0.5:7882".into(), "203.0.113.7:7882".into())
        );
    }

    #[test]
    fn a_packet_to_an_unlisted_address_counts_for_its_family() {
        let addresses = Addresses::after("10.0.0.5:7880".parse().unwrap());
        let places = addresses.places().unwrap();
        let local = Some("10.0.0.5:7882".parse().unwrap());
        assert_eq!(arrived(&places, Transport::Udp, Some("127.0.0.1".parse().unwrap()), true), local);
        assert_eq!(arrived(&places, Transport::Udp, None, true), local);
        assert_eq!(arrived(&places, Transport::Udp, None, false), None);
    }
}
