//! What a process and the one that takes over from it say to each other, one message in a packet (unix(7),
//! `SOCK_SEQPACKET`), a socket beside it where one is handed over.
//!
//! The successor asks, gets each listening socket and the end of the list, starts, and says that it is ready:
//! `docs/decisions/0004-binary-upgrade.md`.
//! Never: a reason to trust what comes in. Both ends may be of different versions.

use std::ffi::OsStr;
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
};
use settings::Address;

use crate::inherited::{Role, Socket};

/// Bytes of a message at most: a path has 107.
const MESSAGE_BYTES_MAX: usize = 512;
/// What is said first, with the version of what follows.
const HELLO: &str = "turnpike takes over 1";

/// A message that is a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Word {
    /// The successor runs and asks for the sockets.
    Hello,
    /// There are no more.
    End,
    /// The successor serves.
    Ready,
}

impl Word {
    fn text(self) -> &'static str {
        match self {
            Word::Hello => HELLO,
            Word::End => "end",
            Word::Ready => "ready",
        }
    }
}

/// A message.
#[derive(Debug)]
pub(crate) enum Message {
    /// Said.
    Word(Word),
    /// A socket that is handed over.
    Socket(Socket),
}

/// Both ends of the way between them.
///
/// # Errors
/// No descriptors are left.
pub(crate) fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?)
}

/// Says a word.
///
/// # Errors
/// The other end is gone, or reads nothing.
pub(crate) fn say(to: impl AsFd, word: Word) -> io::Result<()> {
    send(to, word.text().as_bytes(), None)
}

/// Hands a socket over; both ends hold it from then on.
///
/// # Errors
/// As [`say`].
pub(crate) fn hand_over(to: impl AsFd, socket: &Socket) -> io::Result<()> {
    let role = socket.role.unwrap_or(Role::Listener).word();
    let (shared, owns_file) = (u8::from(socket.shared), u8::from(socket.owns_file));
    let mut text = format!("socket {role} {} {shared} {owns_file} ", socket.group).into_bytes();
    match &socket.address {
        Address::Tcp(address) => text.extend_from_slice(format!("tcp {address}").as_bytes()),
        Address::Unix(path) => text.extend([&b"unix "[..], path.as_os_str().as_bytes()].concat()),
    }
    send(to, &text, Some(socket.socket.as_fd()))
}

fn send(to: impl AsFd, text: &[u8], socket: Option<BorrowedFd<'_>>) -> io::Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    let sockets = socket.map(|socket| [socket]);
    if let Some(sockets) = &sockets {
        ancillary.push(SendAncillaryMessage::ScmRights(sockets));
    }
    sendmsg(to, &[IoSlice::new(text)], &mut ancillary, SendFlags::NOSIGNAL)?;
    Ok(())
}

/// The next message; `None` if none has come yet, for an end that doesn't wait.
///
/// # Errors
/// `UnexpectedEof`: the other end is gone. `InvalidData`: it says what isn't understood. `TimedOut` by the socket's own time.
pub(crate) fn hear(from: impl AsFd, waits: bool) -> io::Result<Option<Message>> {
    let mut text = [0; MESSAGE_BYTES_MAX];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let flags = if waits { RecvFlags::CMSG_CLOEXEC } else { RecvFlags::CMSG_CLOEXEC | RecvFlags::DONTWAIT };
    let received = match recvmsg(from, &mut [IoSliceMut::new(&mut text)], &mut ancillary, flags) {
        Ok(received) => received.bytes,
        Err(rustix::io::Errno::AGAIN) if !waits => return Ok(None),
        Err(rustix::io::Errno::AGAIN) => return Err(io::ErrorKind::TimedOut.into()),
        // Closed with messages unread: as good as gone.
        Err(rustix::io::Errno::CONNRESET) => return Err(io::ErrorKind::UnexpectedEof.into()),
        Err(error) => return Err(error.into()),
    };
    let mut socket = None;
    for message in ancillary.drain() {
        if let RecvAncillaryMessage::ScmRights(sockets) = message {
            socket = sockets.last().or(socket);
        }
    }
    if received == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    read(&text[..received], socket).map(Some).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

fn read(text: &[u8], socket: Option<OwnedFd>) -> Option<Message> {
    let words = [Word::Hello, Word::End, Word::Ready];
    if let Some(word) = words.into_iter().find(|word| word.text().as_bytes() == text) {
        return Some(Message::Word(word));
    }
    let mut words = text.strip_prefix(b"socket ")?.splitn(6, |byte| *byte == b' ');
    let mut word = || words.next().and_then(|word| std::str::from_utf8(word).ok());
    let (role, group) = (Role::of(word()?)?, word()?.parse().ok()?);
    let (shared, owns_file) = (word()? == "1", word()? == "1");
    let address = match (word()?, words.next()?) {
        ("tcp", address) => Address::Tcp(std::str::from_utf8(address).ok()?.parse().ok()?),
        ("unix", path) => Address::Unix(PathBuf::from(OsStr::from_bytes(path))),
        _ => return None,
    };
    Some(Message::Socket(Socket { role: Some(role), group, address, shared, owns_file, socket: socket? }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixStream;

    #[test]
    fn what_is_said_is_heard() {
        let (near, far) = pair().expect("a pair");
        assert!(hear(&far, false).expect("nothing yet").is_none());
        say(&near, Word::Hello).expect("said");
        assert!(matches!(hear(&far, true), Ok(Some(Message::Word(Word::Hello)))));
        for (address, shared) in [
            (Address::Tcp("[::1]:80".parse().expect("an address")), false),
            (Address::Unix("/run/a b.sock".into()), true),
        ] {
            let (socket, _peer) = UnixStream::pair().expect("a pair");
            let role = Some(Role::Control);
            let one = Socket {
                role,
                group: 7,
                address: address.clone(),
                shared,
                owns_file: shared,
                socket: socket.into(),
            };
            hand_over(&near, &one).expect("handed over");
            let Ok(Some(Message::Socket(seen))) = hear(&far, true) else { panic!("a socket") };
            assert_eq!((seen.role, seen.group, seen.address), (role, 7, address));
            assert_eq!((seen.shared, seen.owns_file), (shared, shared));
        }
        say(&near, Word::End).expect("said");
        say(&near, Word::Ready).expect("said");
        assert!(matches!(hear(&far, true), Ok(Some(Message::Word(Word::End)))));
        assert!(matches!(hear(&far, true), Ok(Some(Message::Word(Word::Ready)))));
        drop(near);
        assert_eq!(hear(&far, true).expect_err("gone").kind(), io::ErrorKind::UnexpectedEof);
    }

    #[test]
    fn what_isnt_understood_is_refused() {
        for text in [
            "turnpike takes over 2",
            "socket",
            "socket listener 0 0 0 tcp 127.0.0.1:1",
            "socket x 0 0 0 unix /a",
        ] {
            let (near, far) = pair().expect("a pair");
            send(&near, text.as_bytes(), None).expect("sent");
            assert_eq!(hear(&far, true).expect_err(text).kind(), io::ErrorKind::InvalidData);
        }
    }
}
