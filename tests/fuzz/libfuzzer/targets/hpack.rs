//! `turnpike_fuzz::hpack` under libFuzzer.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| turnpike_fuzz::hpack(input));
