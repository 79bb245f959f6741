//! What every store must do. In memory here; in a local DynamoDB by `tests/stack/test_ledger.py`.

use std::collections::BTreeSet;

use offlimits::ledger::{ALL, Attributes, Expect, ItemKey, MemoryStore, Put, Store};
use offlimits::time::Timestamp;
use serde_json::{Value, json};

fn put(key: (&str, &str), expect: Expect, attributes: Value) -> Put {
    let Value::Object(attributes) = attributes else { panic!("an item is an object") };
    Put { key: ItemKey::new(key.0, key.1), expect, attributes, expires: Timestamp::from_millis(2_000_000_000_000) }
}

async fn read<S: Store>(store: &S, partition: &str, sort: &str) -> Option<(u64, Attributes)> {
    let found = store.get(&[ItemKey::new(partition, sort)]).await.unwrap();
    found.into_iter().next().unwrap().map(|item| (item.version, (*item.attributes).clone()))
}

async fn sorts<S: Store>(store: &S, between: (&str, &str), backwards: bool, limit: usize) -> Vec<String> {
    let found = store.query("many", between, backwards, limit).await.unwrap();
    found.into_iter().map(|(sort, _)| sort).collect()
}

pub(crate) async fn every_store<S: Store>(store: &S) {
    // One write, on conditions.
    let attributes =
        json!({ "text": "ü", "number": 1_767_000_000_123_u64, "yes": true, "list": ["a", 1], "map": { "k": [] } });
    assert!(read(store, "p", "s").await.is_none());
    assert!(!store.put(vec![put(("p", "s"), Expect::Version(1), json!({}))]).await.unwrap());
    assert!(store.put(vec![put(("p", "s"), Expect::Absent, attributes.clone())]).await.unwrap());
    assert!(!store.put(vec![put(("p", "s"), Expect::Absent, json!({}))]).await.unwrap());
    let (version, found) = read(store, "p", "s").await.unwrap();
    assert_eq!(Value::Object(found), attributes);
    assert!(store.put(vec![put(("p", "s"), Expect::Version(version), json!({ "n": 2 }))]).await.unwrap());
    assert!(!store.put(vec![put(("p", "s"), Expect::Version(version), json!({ "n": 3 }))]).await.unwrap());
    assert_eq!(read(store, "p", "s").await.unwrap().1["n"], 2);
    // What is written unconditionally is not what anybody expects.
    let (version, _) = read(store, "p", "s").await.unwrap();
    assert!(store.put(vec![put(("p", "s"), Expect::Anything, json!({ "n": 4 }))]).await.unwrap());
    assert!(!store.put(vec![put(("p", "s"), Expect::Version(version), json!({}))]).await.unwrap());
    assert!(!store.put(vec![put(("p", "s"), Expect::Absent, json!({}))]).await.unwrap());

    // Several: all of them, or none.
    let both = |first, second| vec![put(("p", "a"), first, json!({})), put(("q", "b"), second, json!({}))];
    assert!(!store.put(both(Expect::Absent, Expect::Version(7))).await.unwrap());
    assert!(read(store, "p", "a").await.is_none());
    assert!(store.put(both(Expect::Absent, Expect::Absent)).await.unwrap());
    assert!(!store.put(both(Expect::Version(1), Expect::Absent)).await.unwrap());
    assert_eq!(read(store, "p", "a").await.unwrap().0, 1);
    let three = [ItemKey::new("q", "b"), ItemKey::new("p", "nothing"), ItemKey::new("p", "s")];
    let found = store.get(&three).await.unwrap();
    assert_eq!(found.iter().map(Option::is_some).collect::<Vec<_>>(), [true, false, true]);
    assert_eq!(found[0].as_ref().unwrap().expires, Timestamp::from_millis(2_000_000_000_000));

    // A counter.
    for expected in 1..=3 {
        assert_eq!(store.count(ItemKey::new("p", "counter"), Timestamp::from_millis(9)).await.unwrap(), expected);
    }

    // Who came first, for as long as anybody asks in time.
    let first = async |name: &str, now: u64, expires: u64| {
        let Value::Object(own) = json!({ "event": name, "at": now }) else { panic!("an object") };
        let [now, expires] = [now, expires].map(|seconds| Timestamp::from_millis(seconds * 1000));
        store.keep_first(ItemKey::new("first", "f"), own, now, expires).await.unwrap().unwrap()
    };
    assert_eq!(Value::Object(first("a", 1000, 5000).await), json!({ "event": "a", "at": 1000 }));
    assert_eq!(Value::Object(first("b", 4000, 8000).await), json!({ "event": "a", "at": 1000 }));
    assert_eq!(first("c", 7999, 9000).await["event"], "a");
    // It has expired, whether or not anybody has deleted it.
    assert_eq!(Value::Object(first("d", 9000, 12_000).await), json!({ "event": "d", "at": 9000 }));
    for now in [11_000, 999_000] {
        let names: Vec<String> = (0..20).map(|number| format!("{now}-{number}")).collect();
        let race = names.iter().map(|name| first(name, now, now + 1000));
        let kept: BTreeSet<String> =
            futures_util::future::join_all(race).await.iter().map(|kept| kept["event"].to_string()).collect();
        assert_eq!(kept.len(), 1, "{kept:?}");
    }

    // A partition, in order.
    for number in [3, 1, 2, 5, 4] {
        assert!(
            store.put(vec![put(("many", &number.to_string()), Expect::Absent, json!({ "n": number }))]).await.unwrap()
        );
    }
    assert_eq!(sorts(store, ALL, false, 100).await, ["1", "2", "3", "4", "5"]);
    assert_eq!(sorts(store, ("2", "4"), false, 100).await, ["2", "3", "4"]);
    assert_eq!(sorts(store, ("2", "4"), true, 2).await, ["4", "3"]);
    assert!(sorts(store, ("4", "2"), false, 100).await.is_empty());
    // More than DynamoDB gives in one answer (1 MB).
    let filler = "x".repeat(100_000);
    for number in 10..30 {
        assert!(
            store.put(vec![put(("many", &number.to_string()), Expect::Absent, json!({ "f": filler }))]).await.unwrap()
        );
    }
    assert_eq!(sorts(store, ALL, false, 100).await.len(), 25);
    assert_eq!(sorts(store, ALL, false, 22).await.len(), 22);

    // Of many at once one wins.
    let race = (0..20).map(|number| store.put(vec![put(("race", "r"), Expect::Absent, json!({ "n": number }))]));
    let won = futures_util::future::join_all(race).await.into_iter().filter(|won| *won.as_ref().unwrap()).count();
    assert_eq!(won, 1);
    let race = (0..20).map(|number| {
        let own = number.to_string();
        store.put(vec![put(("race", "t"), Expect::Absent, json!({})), put(("race", &own), Expect::Absent, json!({}))])
    });
    let won = futures_util::future::join_all(race).await.into_iter().filter(|won| *won.as_ref().unwrap()).count();
    assert_eq!((won, store.query("race", ("0", "9~"), false, 100).await.unwrap().len()), (1, 1));
}

#[tokio::test]
async fn the_store_in_memory_does_what_every_store_must() {
    every_store(&MemoryStore::default()).await;
}

#[cfg(feature = "lambda")]
#[tokio::test]
#[ignore = "needs a local DynamoDB: tests/stack/test_ledger.py runs it with one"]
async fn the_store_in_dynamodb_does_what_every_store_must() {
    use offlimits::aws::{DynamoStore, FunctionSettings};
    let settings = FunctionSettings::from_env();
    let table = settings.table.clone().expect("OFFLIMITS_TABLE");
    every_store(&DynamoStore::new(&table, offlimits::aws::AwsApi::new(settings))).await;
}
