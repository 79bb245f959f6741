//! Whatever arrives: the reader takes what serde_json takes, what it reads it can write and read again, and an envelope of
//! any kind is opened or named as unreadable.
#![no_main]

use libfuzzer_sys::fuzz_target;
use offlimits::cloudtrail::Record;
use offlimits::cloudtrail::envelope;
use offlimits::json::Node;

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    let theirs = serde_json::from_str::<serde::de::IgnoredAny>(&text);
    match Node::parse(&text) {
        Ok(node) => {
            assert!(theirs.is_ok(), "we take what serde_json refuses");
            let compact = node.compact();
            let again = Node::parse(&compact).expect("what we write we can read");
            assert_eq!(again.compact(), compact);
            assert_eq!(again.canonical(), node.canonical());
        }
        Err(error) => assert_eq!(Some(error.to_string()), theirs.err().map(|error| error.to_string())),
    }
    let opened = envelope::open(&text);
    for record in &opened.records {
        assert!(Record::parse(&record.json).is_ok(), "what is taken for a record can be read");
    }
    let all = opened.records.len() + opened.ignored.len() + opened.unreadable.len() + opened.deliveries.len();
    // An empty list holds nothing.
    assert!(all > 0 || text.contains('['), "something is lost in silence");
});
