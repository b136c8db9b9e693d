//! The examples of RFC 7541 appendix C, the errors that it asks for, and what our encoder writes, read again.

use super::dynamic_table::DynamicTable;
use super::*;
use crate::h2::random::Random;

/// Fields as owned text.
#[derive(Debug, Default, PartialEq)]
struct List(Vec<(String, String)>);

impl Sink for List {
    fn field(&mut self, field: Field<'_>) -> bool {
        let text = |bytes: &[u8]| bytes.iter().map(|&octet| char::from(octet)).collect();
        self.0.push((text(field.name), text(field.value)));
        false
    }
}

impl List {
    fn of(fields: &[(&str, &str)]) -> Self {
        List(fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    let value = |digit: u8| char::from(digit).to_digit(16).expect("a digit") as u8;
    digits.chunks(2).map(|pair| value(pair[0]) << 4 | value(pair[1])).collect()
}

fn decode(decoder: &mut Decoder, hex: &str) -> Result<List, HpackError> {
    let mut list = List::default();
    decoder.decode(&bytes(hex), &mut list)?;
    Ok(list)
}

fn table(table: &DynamicTable) -> Vec<(String, String)> {
    let mut list = List::default();
    (0..table.len()).filter_map(|age| table.get(age)).for_each(|row| {
        list.field(Field { name: row.name, value: row.value, static_name: None, vouched: false });
    });
    list.0
}

#[test]
fn single_fields_as_in_c_2() {
    let cases = [
        ("400a637573746f6d2d6b65790d637573746f6d2d686561646572", ("custom-key", "custom-header"), 55),
        ("040c2f73616d706c652f70617468", (":path", "/sample/path"), 0),
        ("100870617373776f726406736563726574", ("password", "secret"), 0),
        ("82", (":method", "GET"), 0),
    ];
    for (hex, field, size) in cases {
        let mut decoder = Decoder::default();
        assert_eq!(decode(&mut decoder, hex), Ok(List::of(&[field])));
        assert_eq!(decoder.table().size(), size);
    }
}

const REQUESTS: [&[(&str, &str)]; 3] = [
    &[(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "www.example.com")],
    &[
        (":method", "GET"),
        (":scheme", "http"),
        (":path", "/"),
        (":authority", "www.example.com"),
        ("cache-control", "no-cache"),
    ],
    &[
        (":method", "GET"),
        (":scheme", "https"),
        (":path", "/index.html"),
        (":authority", "www.example.com"),
        ("custom-key", "custom-value"),
    ],
];

const C_4: [&str; 3] = [
    "828684418cf1e3c2e5f23a6ba0ab90f4ff",
    "828684be5886a8eb10649cbf",
    "828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf",
];

#[test]
fn requests_as_in_c_3_and_c_4() {
    let c_3 = [
        "828684410f7777772e6578616d706c652e636f6d",
        "828684be58086e6f2d6361636865",
        "828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565",
    ];
    for blocks in [c_3, C_4] {
        let mut decoder = Decoder::default();
        for (at, block) in blocks.iter().enumerate() {
            assert_eq!(decode(&mut decoder, block), Ok(List::of(REQUESTS[at])));
            assert_eq!(decoder.table().size(), [57, 110, 164][at]);
        }
        let newest_first = [
            ("custom-key", "custom-value"),
            ("cache-control", "no-cache"),
            (":authority", "www.example.com"),
        ];
        assert_eq!(table(decoder.table()), List::of(&newest_first).0);
    }
}

#[test]
fn requests_are_encoded_as_in_c_4() {
    let mut encoder = Encoder::new(4_096);
    for (fields, expected) in REQUESTS.iter().zip(C_4) {
        let mut block = Vec::new();
        encoder.begin(&mut block);
        fields.iter().for_each(|(name, value)| encoder.field(name.as_bytes(), value.as_bytes(), &mut block));
        assert_eq!(block, bytes(expected));
    }
    assert_eq!(encoder.table().size(), 164);
}

const DATE: &str = "Mon, 21 Oct 2013 20:13:21 GMT";
const PLACE: (&str, &str) = ("location", "https://www.example.com");
const COOKIE: &str = "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1";

#[test]
fn responses_with_eviction_as_in_c_5_and_c_6() {
    let responses: [&[(&str, &str)]; 3] = [
        &[(":status", "302"), ("cache-control", "private"), ("date", DATE), PLACE],
        &[(":status", "307"), ("cache-control", "private"), ("date", DATE), PLACE],
        &[
            (":status", "200"),
            ("cache-control", "private"),
            ("date", "Mon, 21 Oct 2013 20:13:22 GMT"),
            PLACE,
            ("content-encoding", "gzip"),
            ("set-cookie", COOKIE),
        ],
    ];
    let c_5 = [
        "4803333032580770726976617465611d4d6f6e2c203231204f637420323031332032303a31333a323120474d54\
         6e1768747470733a2f2f7777772e6578616d706c652e636f6d",
        "4803333037c1c0bf",
        "88c1611d4d6f6e2c203231204f637420323031332032303a31333a323220474d54c05a04677a6970\
         7738666f6f3d4153444a4b48514b425a584f5157454f50495541585157454f49553b206d61782d6167653d333630303b\
         2076657273696f6e3d31",
    ];
    let c_6 = [
        "488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff\
         6e919d29ad171863c78f0b97c8e9ae82ae43d3",
        "4883640effc1c0bf",
        "88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab\
         77ad94e7821dd7f2e6c7b335dfdfcd5b3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007",
    ];
    for blocks in [c_5, c_6] {
        let mut decoder = Decoder::default();
        decoder.allow(256);
        // The examples set the size outside of the block.
        assert_eq!(decode(&mut decoder, "3fe101"), Ok(List::default()));
        for (at, block) in blocks.iter().enumerate() {
            assert_eq!(decode(&mut decoder, block), Ok(List::of(responses[at])));
            assert_eq!(decoder.table().size(), [222, 222, 215][at]);
        }
        let left = [("set-cookie", COOKIE), ("content-encoding", "gzip"), responses[2][2]];
        assert_eq!(table(decoder.table()), List::of(&left).0);
    }
    let mut encoder = Encoder::new(4_096);
    encoder.allow(256);
    let mut block = Vec::new();
    encoder.begin(&mut block);
    encoder.status(302, &mut block);
    for (name, value) in &responses[0][1..] {
        encoder.field(name.to_ascii_uppercase().as_bytes(), value.as_bytes(), &mut block);
    }
    assert_eq!(block, bytes(&["3fe101", c_6[0]].concat()));
}

#[test]
fn errors_of_a_block() {
    let cases = [
        ("80", HpackError::Index, "index zero"),
        ("be", HpackError::Index, "beyond an empty table"),
        ("7e0161", HpackError::Index, "a name beyond the table"),
        ("ff", HpackError::Integer, "cut short"),
        ("ffffffffffff0f", HpackError::Integer, "far too large"),
        ("ff8080808000", HpackError::Integer, "zeros that go on"),
        ("40", HpackError::Integer, "no name"),
        ("4001", HpackError::StringLength, "a name cut short"),
        ("400161", HpackError::Integer, "no value"),
        ("40016105", HpackError::StringLength, "a value cut short"),
        ("0481ff", HpackError::Huffman, "eight bits of padding"),
        ("048100", HpackError::Huffman, "padding of zeros"),
        ("0484ffffffff", HpackError::Huffman, "EOS"),
        ("8220", HpackError::SizeUpdate, "a size after a field"),
        ("3fe21f", HpackError::SizeUpdate, "4,097"),
    ];
    for (hex, expected, what) in cases {
        assert_eq!(decode(&mut Decoder::default(), hex), Err(expected), "{what}");
    }
    // 4,096 in two steps is fine.
    assert_eq!(decode(&mut Decoder::default(), "203fe11f82"), Ok(List::of(&[(":method", "GET")])));
}

#[test]
fn a_lowered_setting_asks_for_an_update() {
    let mut decoder = Decoder::default();
    decoder.allow(100);
    assert_eq!(decode(&mut decoder, "82"), Err(HpackError::SizeUpdate));
    assert_eq!(decode(&mut decoder, "3f4582"), Ok(List::of(&[(":method", "GET")])), "100");
    assert_eq!(decode(&mut decoder, "82"), Ok(List::of(&[(":method", "GET")])));
    // The encoder announces the smallest size that was set, then the last.
    let mut encoder = Encoder::new(4_096);
    encoder.allow(0);
    encoder.allow(1_000);
    let mut block = Vec::new();
    encoder.begin(&mut block);
    assert_eq!(block, bytes("203fc907"));
    encoder.begin(&mut block);
    assert_eq!(block.len(), 4, "once");
}

#[test]
fn an_entry_larger_than_the_table_empties_it() {
    let mut decoder = Decoder::default();
    decode(&mut decoder, "3f2140016101623e").expect_err("an update after a field");
    let mut decoder = Decoder::default();
    decode(&mut decoder, "3f214001610162").expect("64 bytes");
    assert_eq!(decoder.table().len(), 1);
    // 34 bytes evict the first; then one of 72 empties the table.
    decode(&mut decoder, "4001630164").expect("another");
    assert_eq!(table(decoder.table()), List::of(&[("c", "d")]).0);
    decode(&mut decoder, &["400163", "27", &"61".repeat(39)].concat()).expect("no error (4.4)");
    assert_eq!((decoder.table().len(), decoder.table().size()), (0, 0));
    // The name of an entry that its own field evicts.
    let mut decoder = Decoder::default();
    decode(&mut decoder, "3f214002616101627e026363").expect("name by index 62");
    assert_eq!(table(decoder.table()), List::of(&[("aa", "cc")]).0);
}

#[test]
fn a_table_keeps_twice_its_size_at_most() {
    let mut table = DynamicTable::new(1_000);
    for n in 0..5_000 {
        table.add(format!("name-{n}").as_bytes(), &[b'v'; 90][..n % 90], false);
        assert!(table.kept() <= 2_000, "{n}");
    }
    assert_eq!(table.get(0).map(|row| row.name), Some(&b"name-4999"[..]));
}

#[test]
fn secrets_are_never_indexed_and_the_rest_is_learned() {
    let mut encoder = Encoder::new(4_096);
    let mut block = Vec::new();
    encoder.field(b"Authorization", b"Bearer abc", &mut block);
    encoder.field(b"Set-Cookie", b"a=b", &mut block);
    encoder.field(b"X-Api-Key", b"k", &mut block);
    assert_eq!(encoder.table().len(), 0);
    assert_eq!((block[0], block[1]), (0x1f, 8), "never indexed, name 23");
    for n in 0..100 {
        encoder.field(b"X-Request-Id", format!("id-{n}").as_bytes(), &mut block);
        encoder.field(b"Server", b"turnpike", &mut block);
    }
    assert_eq!(encoder.table().len(), 4, "three ids, and what repeats");
    block.clear();
    encoder.field(b"Server", b"turnpike", &mut block);
    assert_eq!(block.len(), 1);
}

#[test]
fn large_fields_push_nothing_out() {
    let mut encoder = Encoder::new(4_096);
    for len in [1_017, 1_018, 5_000] {
        encoder.field(b"X-Large", &vec![b'v'; len], &mut Vec::new());
    }
    assert_eq!(encoder.table().len(), 1, "a quarter of the table at most");
}

#[test]
fn what_repeats_for_a_while_is_an_index_for_that_while() {
    let mut encoder = Encoder::new(4_096);
    for second in 0..50 {
        let date = format!("Tue, 24 Nov 2026 10:00:{second} GMT");
        for repeat in 0..3 {
            let mut block = Vec::new();
            encoder.field(b"Date", date.as_bytes(), &mut block);
            assert_eq!(block.len() == 1, repeat > 0, "second {second}, {repeat}");
        }
    }
}

#[test]
fn what_repeats_is_an_index() {
    let mut encoder = Encoder::new(4_096);
    let fields: Vec<(String, String)> =
        (0..60).map(|n| (format!("x-name-{n}"), format!("value {n}"))).collect();
    let mut lens = Vec::new();
    for _ in 0..3 {
        let mut block = Vec::new();
        fields.iter().for_each(|(name, value)| encoder.field(name.as_bytes(), value.as_bytes(), &mut block));
        lens.push(block.len());
    }
    assert!(lens[1] == 60 && lens[2] == 60, "{lens:?}");
}

#[test]
fn what_is_encoded_is_decoded() {
    let names = ["x-a", "date", ":path", "content-type", "cookie", "x-long-name-of-some-kind", "etag"];
    for seed in 0..200 {
        let mut random = Random::seeded(seed);
        let (mut encoder, mut decoder) = (Encoder::new(4_096), Decoder::default());
        for _ in 0..50 {
            if random.below(10) == 0 {
                let size = random.below(6_000);
                encoder.allow(size);
                decoder.allow(size);
            }
            let fields: Vec<(String, String)> = (0..random.below(12))
                .map(|_| {
                    let name = names[random.below(names.len())].to_owned();
                    let letters = 1 << random.below(8);
                    let value =
                        (0..random.below(9) * random.below(40)).map(|_| random.below(letters) as u8 as char);
                    (name, value.collect())
                })
                .collect();
            let mut block = Vec::new();
            encoder.begin(&mut block);
            for (name, value) in &fields {
                let value: Vec<u8> = value.chars().map(|letter| letter as u8).collect();
                encoder.field(name.as_bytes(), &value, &mut block);
            }
            let mut list = List::default();
            assert_eq!(decoder.decode(&block, &mut list), Ok(()), "seed {seed}");
            assert_eq!(list.0, fields, "seed {seed}");
            assert_eq!(table(encoder.table()), table(decoder.table()), "seed {seed}");
            assert!(decoder.table().len() > 0 || decoder.table().kept() == 0, "seed {seed}");
        }
    }
}

#[test]
fn any_block_is_decoded_without_a_panic() {
    for seed in 0..20_000 {
        let mut random = Random::seeded(seed);
        let mut decoder = Decoder::default();
        for _ in 0..3 {
            let block: Vec<u8> = (0..random.below(60)).map(|_| random.number() as u8).collect();
            if decoder.decode(&block, &mut List::default()).is_err() {
                break;
            }
        }
    }
}
