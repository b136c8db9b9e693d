//! `turnpike_fuzz::route_match` under libFuzzer.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| turnpike_fuzz::route_match(input));
