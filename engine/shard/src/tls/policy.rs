//! AWS's security policies by name, and what of each is served here.
//!
//! Source: REST API developer guide, "Supported security policies". rustls has no CBC suite, no RSA key exchange and
//! nothing below TLS 1.2: a policy that allows those is served without them, and says so.

use rustls::crypto::aws_lc_rs::{cipher_suite, kx_group};
use rustls::crypto::{CryptoProvider, SupportedKxGroup};
use rustls::{SupportedCipherSuite, SupportedProtocolVersion};

/// A security policy.
#[derive(Debug)]
pub struct Policy {
    /// AWS's name.
    pub name: &'static str,
    /// TLS 1.3 only.
    strict: bool,
    /// AES-GCM only.
    fips: bool,
    /// A hybrid post-quantum group is offered first.
    post_quantum: bool,
    /// How what is served differs from AWS's; empty if it doesn't.
    pub note: &'static str,
}

const OLD: &str = "clients of TLS 1.0 and 1.1, CBC suites and RSA key exchange are refused";
const CBC: &str = "CBC suites are not offered";
const CBC_RSA: &str = "CBC suites and RSA key exchange are not offered";
const FIPS: &str = "the suites are those of FIPS 140-3, the module is not a validated one";
const FIPS_CBC: &str = "CBC suites are not offered, and the module is not a validated one";

const fn policy(name: &'static str, marks: [bool; 3], note: &'static str) -> Policy {
    let [strict, fips, post_quantum] = marks;
    Policy { name, strict, fips, post_quantum, note }
}

/// Every policy, the default first.
pub const POLICIES: &[Policy] = &[
    policy("TLS_1_2", [false, false, false], CBC_RSA),
    policy("TLS_1_0", [false, false, false], OLD),
    policy("SecurityPolicy_TLS13_1_3_2025_09", [true, false, false], ""),
    policy("SecurityPolicy_TLS13_1_3_FIPS_2025_09", [true, true, false], FIPS),
    policy("SecurityPolicy_TLS13_1_2_PFS_PQ_2025_09", [false, false, true], ""),
    policy("SecurityPolicy_TLS13_1_2_FIPS_PFS_PQ_2025_09", [false, true, true], FIPS),
    policy("SecurityPolicy_TLS13_1_2_PQ_2025_09", [false, false, true], CBC_RSA),
    policy("SecurityPolicy_TLS13_1_2_FIPS_PQ_2025_09", [false, true, true], FIPS_CBC),
    policy("SecurityPolicy_TLS13_1_2_Ext2_PQ_2025_09", [false, false, true], CBC_RSA),
    policy("SecurityPolicy_TLS13_1_2_Ext2_FIPS_PQ_2025_09", [false, true, true], FIPS_CBC),
    policy("SecurityPolicy_TLS13_1_2_2021_06", [false, false, false], CBC_RSA),
    policy("SecurityPolicy_TLS13_2025_EDGE", [true, false, false], ""),
    policy("SecurityPolicy_TLS12_PFS_2025_EDGE", [false, false, false], CBC),
    policy("SecurityPolicy_TLS12_2018_EDGE", [false, false, false], CBC_RSA),
];

impl Policy {
    /// The policy of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Policy> {
        POLICIES.iter().find(|policy| policy.name == name)
    }

    /// Versions, newest first.
    pub(super) fn versions(&self) -> Vec<&'static SupportedProtocolVersion> {
        let all = [&rustls::version::TLS13, &rustls::version::TLS12];
        all[..if self.strict { 1 } else { 2 }].to_vec()
    }

    /// Suites and groups in the server's order.
    pub(super) fn provider(&self) -> CryptoProvider {
        const ALL: [SupportedCipherSuite; 9] = [
            cipher_suite::TLS13_AES_128_GCM_SHA256,
            cipher_suite::TLS13_AES_256_GCM_SHA384,
            cipher_suite::TLS13_CHACHA20_POLY1305_SHA256,
            cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
            cipher_suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
            cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
            cipher_suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
            cipher_suite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
            cipher_suite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
        ];
        let allowed = |suite: &SupportedCipherSuite| {
            let name = format!("{:?}", suite.suite());
            (!self.strict || name.starts_with("TLS13")) && (!self.fips || name.contains("GCM"))
        };
        let mut groups: Vec<&'static dyn SupportedKxGroup> = Vec::new();
        if self.post_quantum {
            groups.push(kx_group::X25519MLKEM768);
        }
        if !self.fips {
            groups.push(kx_group::X25519);
        }
        groups.extend([kx_group::SECP256R1, kx_group::SECP384R1]);
        CryptoProvider {
            cipher_suites: ALL.into_iter().filter(allowed).collect(),
            kx_groups: groups,
            ..rustls::crypto::aws_lc_rs::default_provider()
        }
    }
}
