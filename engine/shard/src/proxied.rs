//! Connections whose proxy says first whom it speaks for (the PROXY protocol), before any byte of TLS or HTTP.
//!
//! A header that is missing, broken or late ends the connection without an answer: its first bytes can't be taken for
//! a client's, whose address nobody would know.

use codec::proxy_protocol::{self, Endpoints, HEADER_BYTES_MAX, Progress};

use crate::client::Phase;
use crate::rt::{Lent, Runtime};
use crate::shard::Shard;

impl<R: Runtime> Shard<R> {
    /// Bytes arrived on a connection that is yet to be introduced.
    pub(crate) fn introduction_received(&mut self, index: u32, lent: Lent) {
        let client = &mut self.clients[index as usize];
        let held = client.carry.len();
        let bytes = self.rt.bytes(&lent);
        let parsed = if held == 0 {
            proxy_protocol::parse(bytes)
        } else {
            client.carry.extend_from_slice(&bytes[..bytes.len().min(HEADER_BYTES_MAX - held)]);
            proxy_protocol::parse(&client.carry)
        };
        match parsed {
            Ok(Progress::Partial) => {
                if held == 0 {
                    client.carry.extend_from_slice(bytes);
                }
                self.rt.release(lent);
            }
            Ok(Progress::Complete { endpoints, consumed }) => {
                let rest = self.rt.slice(&lent, consumed - held..lent.len());
                // The slice is the only one then, which TLS needs to decrypt it in place.
                self.rt.release(lent);
                self.introduced(index, endpoints);
                if rest.is_empty() {
                    self.rt.release(rest);
                } else {
                    self.client_received(index, rest);
                }
            }
            Err(_) => {
                self.rt.release(lent);
                self.introduction_failed(index);
            }
        }
    }

    fn introduced(&mut self, index: u32, endpoints: Endpoints) {
        let client = &mut self.clients[index as usize];
        if let Endpoints::Proxied { source, destination } = endpoints {
            client.peer = source.ip().to_canonical();
            client.local_port = destination.port();
        }
        client.phase = Phase::Idle;
        let carry = std::mem::take(&mut client.carry);
        self.rt.give_buffer(carry);
        self.await_first_request(index);
    }

    /// The peer finished sending before it was introduced. Who never said a word only looked whether the port is open.
    pub(crate) fn introduction_ended(&mut self, index: u32) {
        if self.clients[index as usize].carry.is_empty() {
            self.close_client(index);
        } else {
            self.introduction_failed(index);
        }
    }

    /// There is no header, or not in time.
    pub(crate) fn introduction_failed(&mut self, index: u32) {
        self.books.proxy_protocol_failed();
        self.close_client(index);
    }
}
