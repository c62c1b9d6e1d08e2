//! Internet addresses, in network order, as their text forms read.
#![allow(unsafe_code, reason = "the head is accessed without checks")]

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

use super::either::either;
use super::through::through;

through! {
    [] Ipv4Addr as [u8; 4], "an address": Ipv4Addr::octets, |octets| Some(octets.into());
    [] Ipv6Addr as [u8; 16], "an address": Ipv6Addr::octets, |octets| Some(octets.into());
    [] SocketAddrV4 as (Ipv4Addr, u16), "an address":
        |address| (*address.ip(), address.port()),
        |(ip, port)| Some(SocketAddrV4::new(ip, port));
    [] SocketAddrV6 as (Ipv6Addr, u16, u32, u32), "an address":
        |address| (*address.ip(), address.port(), address.flowinfo(), address.scope_id()),
        |(ip, port, flow, scope)| Some(SocketAddrV6::new(ip, port, flow, scope));
}

either! {
    [] IpAddr { V4(Ipv4Addr), V6(Ipv6Addr) }
    [] SocketAddr { V4(SocketAddrV4), V6(SocketAddrV6) }
}
