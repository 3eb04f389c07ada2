//! One UDP socket of one media thread: batches in (GRO), batches out (GSO).
//!
//! It looks into no packet. What the system's send buffer does not take is dropped and counted: waiting would delay everybody else.

use std::io::{self, IoSliceMut};
use std::net::{IpAddr, SocketAddr};

use mio::net::UdpSocket;
use quinn_udp::{RecvMeta, Transmit, UdpSockRef, UdpSocketState};
use socket2::{Domain, Protocol, Socket, Type};

use super::figures::Figures;

/// How much the kernel may hold for us while we are busy, in bytes.
const BUFFER: usize = 8 << 20;
/// Buffers of one call; each may hold many packets of one sender.
const BATCH: usize = 16;
/// What GRO may put into one buffer.
const ROOM: usize = 64 * 1024;
/// The most bytes of one GSO send: what an IP packet may say of its length, less headers.
const MAX_SEND: usize = 65_000;

/// Memory for receiving; one per thread.
pub(super) struct Buffers(Vec<u8>);

impl Buffers {
    pub(super) fn new() -> Self {
        Self(vec![0; BATCH * ROOM])
    }
}

pub(super) struct Udp {
    pub(super) socket: UdpSocket,
    state: UdpSocketState,
    /// Of all interfaces: then the address to send from must be named.
    any: bool,
    pub(super) v4: bool,
    batch: Batch,
}

/// Packets for one destination that leave in one call.
#[derive(Default)]
struct Batch {
    to: Option<(SocketAddr, IpAddr)>,
    segment: usize,
    segments: usize,
    bytes: Vec<u8>,
    /// A shorter packet closes the batch.
    closed: bool,
}

/// Binds a socket that several threads share by address: the kernel spreads sources over them.
pub(super) fn bind(address: SocketAddr, shared: bool) -> io::Result<std::net::UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_reuse_port(shared)?;
    socket.set_nonblocking(true)?;
    // The kernel gives what its own limit (net.core.rmem_max) allows.
    socket.set_recv_buffer_size(BUFFER)?;
    socket.set_send_buffer_size(BUFFER)?;
    socket.bind(&address.into())?;
    Ok(socket.into())
}

impl Udp {
    pub(super) fn new(socket: std::net::UdpSocket) -> io::Result<Self> {
        let address = socket.local_addr()?;
        let state = UdpSocketState::new(UdpSockRef::from(&socket))?;
        Ok(Self {
            socket: UdpSocket::from_std(socket),
            state,
            any: address.ip().is_unspecified(),
            v4: address.is_ipv4(),
            batch: Batch::default(),
        })
    }

    /// Receives one batch; false when nothing was there.
    pub(super) fn receive(
        &self,
        buffers: &mut Buffers,
        figures: &Figures,
        mut each: impl FnMut(SocketAddr, Option<IpAddr>, &[u8]),
    ) -> bool {
        let mut metas = [RecvMeta::default(); BATCH];
        let mut slices = buffers.0.chunks_exact_mut(ROOM);
        let mut slices: [IoSliceMut; BATCH] =
            std::array::from_fn(|_| IoSliceMut::new(slices.next().unwrap_or_default()));
        let received = self.state.recv(UdpSockRef::from(&self.socket), &mut slices, &mut metas);
        let count = match received {
            Ok(count) => count,
            Err(error) => {
                if error.kind() != io::ErrorKind::WouldBlock {
                    figures.receive_errors.add(1);
                }
                // An ICMP error about one receiver says nothing about the next packet.
                return matches!(error.kind(), io::ErrorKind::ConnectionRefused | io::ErrorKind::Interrupted);
            }
        };
        for (meta, slice) in metas.iter().zip(&slices).take(count) {
            let bytes = slice.get(..meta.len).unwrap_or_default();
            for packet in bytes.chunks(meta.stride.max(1)) {
                figures.received(packet.len());
                each(meta.addr, meta.dst_ip, packet);
            }
        }
        true
    }

    /// Queues a packet; it leaves with others to the same destination, at the latest with [`Udp::flush`].
    pub(super) fn send(&mut self, source: IpAddr, destination: SocketAddr, packet: &[u8], figures: &Figures) {
        let batch = &self.batch;
        let joins = batch.to == Some((destination, source))
            && !batch.closed
            && packet.len() <= batch.segment
            && batch.segments < self.state.max_gso_segments()
            && batch.bytes.len() + packet.len() <= MAX_SEND;
        if !joins {
            self.flush(figures);
            self.batch.to = Some((destination, source));
            self.batch.segment = packet.len();
        }
        self.batch.closed = packet.len() < self.batch.segment;
        self.batch.segments += 1;
        self.batch.bytes.extend_from_slice(packet);
    }

    /// Sends what was queued.
    pub(super) fn flush(&mut self, figures: &Figures) {
        let Some((destination, source)) = self.batch.to.take() else { return };
        let src_ip = self.any.then_some(source);
        let whole = Transmit {
            destination,
            ecn: None,
            contents: &self.batch.bytes,
            segment_size: (self.batch.segments > 1).then_some(self.batch.segment),
            src_ip,
        };
        let sent = self.transmit(&whole, self.batch.segments, figures);
        // A device that cannot segment says so once, and takes the same packets one by one.
        if sent.is_err_and(|error| error.kind() != io::ErrorKind::WouldBlock) && self.batch.segments > 1 {
            for packet in self.batch.bytes.chunks(self.batch.segment) {
                let single = Transmit { contents: packet, segment_size: None, ..whole.clone() };
                let _ = self.transmit(&single, 1, figures);
            }
        }
        self.batch.bytes.clear();
        self.batch.segments = 0;
        self.batch.closed = false;
    }

    fn transmit(&self, transmit: &Transmit<'_>, packets: usize, figures: &Figures) -> io::Result<()> {
        let sent = self.state.try_send(UdpSockRef::from(&self.socket), transmit);
        match &sent {
            Ok(()) => figures.sent(packets, transmit.contents.len()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => figures.send_drops.add(packets as u64),
            Err(_) => figures.send_errors.add(1),
        }
        sent
    }
}
