//! `turnpike_fuzz::management_calls` under libFuzzer.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| turnpike_fuzz::management_calls(input));
