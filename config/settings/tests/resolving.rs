//! What a user writes, and what the node hears: precedence, bounds, and messages that point.

use settings::{Destination, File, Format, Origin, Problem, Runtime, Settings, Sources, resolve};
use std::path::{Path, PathBuf};
use std::time::Duration;
use turnpike_settings as settings;

fn file(text: &str) -> Sources {
    Sources {
        file: Some(File { path: PathBuf::from("turnpike.yaml"), text: text.to_owned() }),
        ..Sources::default()
    }
}

fn resolved(text: &str) -> Settings {
    resolve(&file(text)).unwrap_or_else(|problems| panic!("{problems:?}"))
}

fn refused(text: &str) -> Vec<String> {
    resolve(&file(text)).expect_err("refused").iter().map(Problem::to_string).collect()
}

#[test]
fn nothing_said_gives_the_documented_defaults() {
    let settings = resolve(&Sources::default()).expect("defaults fit");
    assert_eq!(settings.listeners.len(), 1);
    assert_eq!(settings.listeners[0].address.to_string(), "127.0.0.1:8080");
    assert_eq!(settings.control.to_string(), "127.0.0.1:8081");
    assert_eq!(settings.region, "us-east-1");
    assert_eq!(settings.account_id, "000000000000");
    assert_eq!(settings.data_dir, Path::new("./turnpike-data"));
    assert_eq!(
        (settings.shards.count, settings.shards.cpus.as_ref(), settings.shards.spin_us),
        (None, None, 0)
    );
    assert_eq!(settings.runtime, Runtime::Auto);
    assert!(settings.resolver.servers.is_empty());
    assert_eq!(settings.resolver.ttl_min, Duration::from_secs(1));
    assert_eq!(settings.resolver.ttl_max, Duration::from_secs(3600));
    assert_eq!(settings.limits.request, vocabulary::limits::Limits::default());
    assert_eq!(settings.timeouts.idle_client.as_secs(), vocabulary::limits::IDLE_CLIENT_S);
    assert_eq!(settings.timeouts.idle_client, Duration::from_secs(310));
    assert_eq!(settings.access_log.destination, Destination::Off);
    assert_eq!(settings.access_log.format, Format::Json);
    assert!(settings.files.is_empty());
    assert_eq!(resolved(""), settings);
    assert_eq!(resolved("# nothing\n"), settings);
}

#[test]
fn the_file_says_it_all() {
    let settings = resolved(
        "files: [a.yaml, b.json]\nlisteners:\n  - address: 0.0.0.0:80\n    kind: regional\n  - {address: '[::1]:81'}\n\
         control: {address: localhost:9000}\nshards: {count: 2, cpus: [0, 3], spin_us: 0}\nruntime: portable\n\
         limits: {payload_bytes: 1GiB, header_count: 64}\ntimeouts: {drain: 0}\n\
         access_log: {destination: logs/access.log, format: clf}\naccount_id: 123456789012\nregion: eu-west-1\n\
         resolver: {servers: ['10.0.0.53:53', '[::1]:5353'], ttl_min: 5s, ttl_max: 5s}\n",
    );
    assert_eq!(settings.resolver.servers.len(), 2);
    assert_eq!(settings.resolver.servers[1].to_string(), "[::1]:5353");
    assert_eq!(settings.resolver.ttl_min, settings.resolver.ttl_max);
    assert_eq!(settings.files, [Path::new("a.yaml"), Path::new("b.json")]);
    assert_eq!(settings.listeners[1].address.to_string(), "[::1]:81");
    assert_eq!(settings.control.to_string(), "127.0.0.1:9000");
    assert_eq!(settings.shards.count, Some(2));
    assert_eq!(settings.shards.cpus, Some(vec![0, 3]));
    assert_eq!(settings.runtime, Runtime::Portable);
    assert_eq!(settings.limits.request.payload_bytes, 1 << 30);
    assert_eq!(settings.timeouts.drain, Duration::ZERO);
    assert_eq!(settings.access_log.destination, Destination::File(PathBuf::from("logs/access.log")));
    assert_eq!(settings.access_log.format, Format::Clf);
    assert_eq!(settings.account_id, "123456789012");
}

#[test]
fn flag_over_environment_over_file_and_lists_are_taken_whole() {
    let mut sources =
        file("region: eu-west-1\nlisteners: [{address: 127.0.0.1:1}, {address: 127.0.0.1:2}]\n");
    assert_eq!(resolve(&sources).expect("fits").region, "eu-west-1");
    sources.environment = vec![
        ("TURNPIKE_REGION".to_owned(), "us-west-2".to_owned()),
        ("TURNPIKE_LISTEN".to_owned(), "127.0.0.1:3,127.0.0.1:4".to_owned()),
        ("PATH".to_owned(), "/bin".to_owned()),
    ];
    let settings = resolve(&sources).expect("fits");
    assert_eq!(settings.region, "us-west-2");
    let ports: Vec<String> = settings.listeners.iter().map(|listener| listener.address.to_string()).collect();
    assert_eq!(ports, ["127.0.0.1:3", "127.0.0.1:4"]);
    sources.flags =
        vec![("listeners[].address", "127.0.0.1:5".to_owned()), ("region", "ap-south-1".to_owned())];
    let settings = resolve(&sources).expect("fits");
    assert_eq!(settings.region, "ap-south-1");
    assert_eq!(settings.listeners.len(), 1);
    assert_eq!(settings.listeners[0].origin, Origin::Flag("listen"));
}

#[test]
fn trusted_proxies_belong_to_their_listener() {
    let settings = resolved(
        "listeners:\n  - address: 127.0.0.1:1\n  - {address: '127.0.0.1:2', trusted_proxies: [10.0.0.0/8, '::1']}\n  \
         - {address: '127.0.0.1:3', trusted_proxies: 192.0.2.1}\n",
    );
    let trusts = |listener: usize, address: &str| {
        settings.listeners[listener].trusted_proxies.contains(address.parse().expect("an address"))
    };
    assert!(settings.listeners[0].trusted_proxies.is_empty());
    assert!(trusts(1, "10.1.2.3") && trusts(1, "::1") && !trusts(1, "192.0.2.1"));
    assert!(trusts(2, "192.0.2.1") && !trusts(2, "10.1.2.3"));
}

#[test]
fn unix_sockets_have_a_path_and_a_mode() {
    let mut sources = file(
        "listeners: [{address: 'unix:run/a.sock', mode: 0600}, {address: 'unix:/run/b.sock'}, {address: '[::ffff:127.0.0.1]:1'}]",
    );
    sources.file.as_mut().expect("a file").path = PathBuf::from("/etc/turnpike/turnpike.yaml");
    let listeners = resolve(&sources).expect("fits").listeners;
    let told: Vec<(String, u32)> =
        listeners.iter().map(|listener| (listener.address.to_string(), listener.mode)).collect();
    assert_eq!(told[0], ("unix:/etc/turnpike/run/a.sock".to_owned(), 0o600));
    assert_eq!(told[1], ("unix:/run/b.sock".to_owned(), 0o660));
    assert_eq!(told[2].0, "127.0.0.1:1");
    assert_eq!(
        refused("listeners: [{address: '127.0.0.1:1', mode: 0600}]"),
        ["turnpike.yaml:1:44: `mode` is for `unix:` addresses"]
    );
    assert!(
        refused("listeners: [{address: 'unix:/a'}, {address: 'unix:/a'}]")[0].contains("listened on twice")
    );
    assert!(refused("listeners: [{address: 'unix:/a', mode: rw}]")[0].contains("octal digits"));
    assert!(refused("listeners: [{address: 'unix:'}]")[0].contains("must have a path"));
}

#[test]
fn paths_of_the_file_start_at_its_folder() {
    let mut sources = file("files: [apis/a.yaml, /srv/b.yaml]\naccess_log: {destination: access.log}\n");
    sources.file.as_mut().expect("given").path = PathBuf::from("/etc/turnpike/turnpike.yaml");
    let settings = resolve(&sources).expect("fits");
    assert_eq!(settings.files, [Path::new("/etc/turnpike/apis/a.yaml"), Path::new("/srv/b.yaml")]);
    assert_eq!(settings.access_log.destination, Destination::File(PathBuf::from("/etc/turnpike/access.log")));
    sources.flags = vec![("files[]", "c.yaml".to_owned())];
    assert_eq!(resolve(&sources).expect("fits").files, [Path::new("c.yaml")]);
}

#[test]
fn every_problem_points_at_its_place() {
    assert_eq!(
        refused("region: eu\nlistener:\n  - address: x\n"),
        ["turnpike.yaml:2:1: unknown setting `listener` (did you mean `listeners`?)"]
    );
    assert_eq!(
        refused("listeners:\n  - address: here\n"),
        [
            "turnpike.yaml:2:14: `listeners[].address` must be an IP address and a port, such as 127.0.0.1:8080 or \
             [::1]:8080, or unix:PATH, not `here`"
        ]
    );
    assert_eq!(
        refused("limits:\n  header_count: 5\n  payload: 3\n"),
        [
            "turnpike.yaml:2:17: `limits.header_count` must be between 8 and 1024, not `5`",
            "turnpike.yaml:3:3: unknown setting `limits.payload` (docs/settings.md lists them all)"
        ]
    );
    assert_eq!(
        refused("region: a\nregion: b\n"),
        ["turnpike.yaml:2:1: `region` is said twice (remove one of the two)"]
    );
    for (text, expected) in [
        ("shards:\n  count: 1\n\tcpus: auto\n", "turnpike.yaml:3:1: a tab indents this line"),
        ("region: [a\n", "turnpike.yaml:1:9: this `[` is never closed (close it with `]`)"),
        ("region: \"a\nshards: 1\n", "turnpike.yaml:1:9: the quote that opens here is not closed"),
        ("region: a\n  shards: 1\n", "turnpike.yaml:2:3: this line is indented as if"),
    ] {
        assert!(refused(text)[0].starts_with(expected), "{text:?}: {:?}", refused(text));
    }
    assert!(refused("- a\n")[0].contains("a settings file is a mapping"));
    let tls = |tls: &str| refused(&format!("listeners:\n  - address: 127.0.0.1:1\n    tls: {{{tls}}}\n"));
    assert_eq!(tls("certificate: a"), ["turnpike.yaml:3:24: a `certificate` needs its `key` beside it"]);
    assert_eq!(tls("key: a"), ["turnpike.yaml:3:16: a `key` needs its `certificate` beside it"]);
    assert_eq!(tls("ocsp: a"), ["turnpike.yaml:3:17: `ocsp` needs a `certificate` and its `key`"]);
    assert_eq!(
        tls("security_policy: TLS_1_0"),
        ["turnpike.yaml:3:28: `tls` needs a `certificate` and its `key`"]
    );
    assert!(tls("certificate: a, key: b, security_policy: TLS_1_1")[0].starts_with("turnpike.yaml:3:52: "));
    assert_eq!(
        refused("certificates:\n  - {certificate: a, key: b}\n  - {certificate: c}\n"),
        ["turnpike.yaml:3:19: a `certificate` needs its `key` beside it"]
    );
    assert_eq!(refused("timeouts: 3\n"), ["turnpike.yaml:1:11: `timeouts` holds further names, not a value"]);
    assert!(refused("listeners: 127.0.0.1:80\n")[0].contains("is a list"));
    assert_eq!(
        refused("listeners:\n  - {address: '127.0.0.1:1', trusted_proxies: [10.0.0.1/8]}\n"),
        [
            "turnpike.yaml:2:47: `listeners[].trusted_proxies` must be IP networks: `10.0.0.1/8` has bits behind its \
             prefix: write `10.0.0.0/8`, not `10.0.0.1/8`"
        ]
    );
    assert!(refused("region: {a: b}\n")[0].contains("unknown setting `region.a`"));
    assert!(refused("listeners: [{kind: regional}]\n")[0].contains("needs an `address`"));
}

#[test]
fn what_is_planned_is_refused_with_what_is_missing() {
    assert!(
        refused("limits: aws\n")[0]
            .starts_with("turnpike.yaml:1:9: `limits.profile` `aws` isn't in this version")
    );
    let crossed = refused("resolver: {ttl_min: 10s, ttl_max: 9s}\n");
    assert_eq!(crossed, ["turnpike.yaml:1:21: `resolver.ttl_min` is over `resolver.ttl_max`"]);
    assert!(refused("shards: {spin_us: 5000}\n")[0].contains("`shards.spin_us` must be between 0 and 1000"));
    assert!(
        refused("listeners: [{address: 127.0.0.1:1, kind: edge}]\n")[0]
            .contains("`edge` isn't in this version")
    );
}

#[test]
fn environment_and_flags_are_named_in_their_problems() {
    let environment = vec![("TURNPIKE_REGIONS".to_owned(), "x".to_owned())];
    let problems = resolve(&Sources { environment, ..Sources::default() }).expect_err("refused");
    assert_eq!(
        problems[0].to_string(),
        "TURNPIKE_REGIONS: no setting has this variable (did you mean `TURNPIKE_REGION`?)"
    );
    let environment = vec![("TURNPIKE_SERVICE_HOST".to_owned(), "10.0.0.1".to_owned())];
    assert!(resolve(&Sources { environment, ..Sources::default() }).is_ok(), "others may use the prefix");
    let flags = vec![("shards.count", "0".to_owned())];
    let problems = resolve(&Sources { flags, ..Sources::default() }).expect_err("refused");
    assert_eq!(problems[0].to_string(), "--shards: `shards.count` must be between 1 and 1024, not `0`");
}

#[test]
fn the_reference_page_is_the_table() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/settings.md");
    if std::env::var_os("TURNPIKE_RENEW_DOCS").is_some() {
        std::fs::write(&page, settings::reference::markdown()).expect("docs/settings.md can be written");
    }
    let written = std::fs::read_to_string(&page).expect("docs/settings.md exists");
    assert_eq!(written, settings::reference::markdown(), "renew docs/settings.md: see its head");
}
