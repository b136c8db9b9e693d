//! `turnpike_fuzz::api_definition` under libFuzzer.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| turnpike_fuzz::api_definition(input));
