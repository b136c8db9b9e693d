//! The same bytes whole and cut anywhere mean the same; random ones end in an error at worst.

use super::*;
use crate::h2::random::Random;

/// Events without where data lies; pieces of one body are joined.
fn facts(outcome: &Outcome) -> (Vec<String>, &[u8]) {
    let mut facts: Vec<String> = Vec::new();
    for event in &outcome.events {
        match event {
            Event::Data { end_stream: false, .. } => {}
            Event::Data { stream, .. } => facts.push(format!("{stream} ends")),
            event => facts.push(format!("{event:?}")),
        }
    }
    (facts, &outcome.body)
}

fn run(bytes: &[u8], cuts: &[usize], role: Role) -> Outcome {
    let mut connection = Connection::new(role, limits());
    let mut outcome = Outcome::default();
    connection.start(&mut outcome.out);
    if role == Role::Client {
        for _ in 0..3 {
            let call = crate::h2::call_of(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n").expect("a head");
            connection.open(call, "http", true, &mut outcome.out).expect("room");
        }
    }
    let mut start = 0;
    for &end in cuts {
        feed(&mut connection, &bytes[start..end], &mut outcome);
        start = end;
    }
    outcome
}

/// Frames that are mostly good.
fn conversation(random: &mut Random, role: Role) -> Vec<u8> {
    let mut wire = if role == Role::Server { Wire::client() } else { Wire::server() };
    let mut last = 1;
    for _ in 0..random.below(30) {
        let stream = (last - 2 * random.below(3).min(last as usize / 2) as u32).max(1);
        let end = random.below(2) == 0;
        let bytes: Vec<u8> = (0..random.below(300)).map(|_| random.number() as u8).collect();
        wire = match random.below(16) {
            0 | 1 => {
                last += 2;
                wire.head(last, end, &[&GET[..], &[("x", "y")]].concat())
            }
            2 => wire.head(stream, end, &[(":status", "200"), ("a", "b")]),
            3..6 => wire.data(stream, end, &bytes),
            6 => wire.frame(0, 8 | u8::from(end), stream, &[&[bytes.len() as u8 / 2][..], &bytes].concat()),
            7 => wire.window(stream, 1 + random.below(9_000) as u32),
            8 => wire.window(0, 1 + random.below(9_000) as u32),
            9 => wire.settings(&[(4, random.below(100_000) as u32), (1, random.below(5_000) as u32)]),
            10 => wire.frame(6, 0, 0, &[7; 8]),
            11 => wire.reset(stream, 8),
            12 => wire.frame(1, 0, last + 2, &block(&GET)[..9]).frame(9, 4, last + 2, &block(&GET)[9..]),
            13 => wire.frame(2, 0, stream, &[0; 5]).frame(33, 0, 0, &bytes),
            14 => wire.head(stream, true, &[("x-trailer", "z")]),
            _ => wire.frame(random.below(12) as u8, random.number() as u8, stream, &bytes),
        };
    }
    // Now and then a byte is another.
    if random.below(3) == 0 {
        let at = random.below(wire.0.len());
        wire.0[at] ^= 1 << random.below(8);
    }
    wire.0
}

#[test]
fn cuts_change_nothing() {
    for seed in 0..3_000 {
        let mut random = Random::seeded(seed);
        let role = if seed % 2 == 0 { Role::Server } else { Role::Client };
        let bytes = conversation(&mut random, role);
        let whole = run(&bytes, &[bytes.len()], role);
        let each: Vec<usize> = (1..=bytes.len()).collect();
        let most = 1 + random.below(200);
        let (mut some, mut at) = (Vec::new(), 0);
        while at < bytes.len() {
            at = (at + 1 + random.below(most)).min(bytes.len());
            some.push(at);
        }
        for cuts in [each, some] {
            let pieces = run(&bytes, &cuts, role);
            assert_eq!(facts(&whole), facts(&pieces), "seed {seed}");
            assert_eq!(whole.heads, pieces.heads, "seed {seed}");
            let frames = |outcome: &Outcome| {
                sent(&outcome.out).into_iter().filter(|sent| sent.kind != 8).collect::<Vec<_>>()
            };
            assert_eq!(frames(&whole), frames(&pieces), "seed {seed}");
        }
    }
}

#[test]
fn random_bytes_end_in_an_error_at_worst() {
    for seed in 0..5_000 {
        let mut random = Random::seeded(seed);
        let mut bytes = Wire::client().0;
        for _ in 0..random.below(20) {
            let payload: Vec<u8> = (0..random.below(40)).map(|_| random.number() as u8).collect();
            let stream = random.below(8) as u32;
            bytes = Wire(bytes).frame(random.below(11) as u8, random.number() as u8, stream, &payload).0;
        }
        bytes.extend((0..random.below(100)).map(|_| random.number() as u8));
        run(&bytes, &[bytes.len()], Role::Server);
        run(&bytes[PREFACE.len()..], &[bytes.len() - PREFACE.len()], Role::Client);
    }
}
