//! `turnpike_fuzz::chunked_body` under libFuzzer.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| turnpike_fuzz::chunked_body(input));
