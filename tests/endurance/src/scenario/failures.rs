//! Backends that are down, hang, are slow, reset, break off or close pooled connections: the right status each time, and
//! nothing left behind after ten thousand of them.

use super::{GROWTH_KIB_MAX, document, node, route};
use crate::Setting;
use crate::backend::Backend;
use crate::process::{Holdings, nothing_leaked};
use std::net::{SocketAddr, TcpListener};
use support::{Client, Node};

/// Connections that ask at the same time.
const ASKERS: usize = 8;

/// What a client sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// A whole answer with this status.
    Status(u16),
    /// An answer that breaks off, and is never taken for a whole one.
    Broken,
}

/// Path, what is to be seen, and how often of a hundred rounds.
pub(super) const KINDS: [(&str, Seen, usize); 11] = [
    ("/ok/1", Seen::Status(200), 21),
    ("/slow/10", Seen::Status(200), 5),
    ("/once/1", Seen::Status(200), 15),
    ("/once_reset/1", Seen::Status(200), 8),
    ("/down/1", Seen::Status(500), 10),
    ("/hang_briefly/1", Seen::Status(504), 1),
    ("/close/1", Seen::Status(504), 10),
    ("/reset/1", Seen::Status(504), 10),
    ("/half/1", Seen::Broken, 8),
    ("/half_reset/1", Seen::Broken, 8),
    ("/babble/1", Seen::Status(504), 4),
];

pub(crate) fn run(setting: Setting<'_>) -> String {
    let backend = Backend::start();
    let down = TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("bound");
    let to = |path: &str, address: SocketAddr, timeout_ms| route(path, address, timeout_ms);
    let mut routes = vec![to("/down", down, 20_000), to("/hang_briefly", backend.address, 100)];
    let others =
        ["/ok", "/slow", "/once", "/once_reset", "/close", "/reset", "/half", "/half_reset", "/babble"];
    routes.extend(others.map(|path| to(path, backend.address, 20_000)));
    let node = node(setting.runtime, &document(&routes)).start();
    ask_all(&node, 4_000);
    support::eventually("pooled connections are closed", || backend.open() == 0);
    let before = Holdings::of(&node);
    let rounds = if setting.full { 50_000 } else { 10_000 };
    ask_all(&node, rounds);
    support::eventually("no call is left", || backend.open() == 0);
    format!("{rounds} rounds as they should be; {}", nothing_leaked(&node, before, GROWTH_KIB_MAX))
}

/// All askers together ask that often.
fn ask_all(node: &Node, rounds: usize) {
    let plan: Vec<(&str, Seen)> =
        KINDS.iter().flat_map(|&(path, seen, share)| std::iter::repeat_n((path, seen), share)).collect();
    assert_eq!(plan.len(), 100, "shares of a hundred");
    std::thread::scope(|scope| {
        for asker in 0..ASKERS {
            let (plan, address) = (&plan, node.address());
            scope.spawn(move || {
                let mut client = Client::connect(address);
                for round in (asker..rounds).step_by(ASKERS) {
                    // 37 is prime to 100: neighbours differ, and each kind comes as often as its share says.
                    let (path, expected) = plan[round * 37 % 100];
                    let seen = ask(&mut client, path);
                    assert_eq!(seen, expected, "{path}");
                    if seen == Seen::Broken || round % 10 == 0 {
                        client = Client::connect(address);
                    }
                }
            });
        }
    });
}

pub(super) fn ask(client: &mut Client, path: &str) -> Seen {
    client.send(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    client.try_response("GET").map_or(Seen::Broken, |answer| Seen::Status(answer.status()))
}
