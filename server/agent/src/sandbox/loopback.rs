//! Brings up the loopback device of a new network namespace, so that tests which talk to themselves do so there.

use std::io;

use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, sendto, socket_with};

/// `RTM_NEWLINK`, `NLMSG_ERROR`, and the flags `NLM_F_REQUEST | NLM_F_ACK` of rtnetlink(7).
const NEW_LINK: u16 = 16;
const ANSWER: u16 = 2;
const REQUEST_WITH_ANSWER: u16 = 1 | 4;

/// `IFF_UP` of netdevice(7).
const UP: u32 = 1;

/// The loopback device is the first of every namespace.
const LOOPBACK: i32 = 1;

/// Brings up the loopback device.
pub(super) fn bring_up() -> io::Result<()> {
    let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, None)?;
    sendto(&socket, &request(), SendFlags::empty(), &SocketAddrNetlink::new(0, 0))?;
    let mut answer = [0; 64];
    let (count, _) = recv(&socket, &mut answer, RecvFlags::empty())?;
    // A header of 16 bytes with the kind at 4, then the error number, negated.
    let wrong = || io::Error::from(io::ErrorKind::InvalidData);
    let answer = answer.get(..count).ok_or_else(wrong)?;
    let kind = answer.get(4..6).and_then(|bytes| bytes.try_into().ok()).map(u16::from_ne_bytes);
    let error = answer.get(16..20).and_then(|bytes| bytes.try_into().ok()).map(i32::from_ne_bytes);
    match (kind, error) {
        (Some(ANSWER), Some(0)) => Ok(()),
        (Some(ANSWER), Some(error)) => Err(io::Error::from_raw_os_error(-error)),
        _ => Err(wrong()),
    }
}

/// Returns `struct nlmsghdr` and `struct ifinfomsg` of the request.
fn request() -> Vec<u8> {
    let mut message = Vec::with_capacity(32);
    message.extend(32_u32.to_ne_bytes());
    message.extend(NEW_LINK.to_ne_bytes());
    message.extend(REQUEST_WITH_ANSWER.to_ne_bytes());
    message.extend([0; 8]); // sequence number and port
    message.extend([0; 4]); // family, padding and type
    message.extend(LOOPBACK.to_ne_bytes());
    message.extend(UP.to_ne_bytes());
    message.extend(UP.to_ne_bytes()); // which flags are changed
    message
}
