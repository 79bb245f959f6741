//! The ledger's items as DynamoDB has them: what the code asks of the service, and what it reads from its answers. The
//! service is one that writes down what it is asked.

use std::sync::{Arc, Mutex};

use serde_json::{Map, Value, json};

use super::compare::{Hold, KEPT_OUTSIDE, check, fixture};
use super::http::{self, Asked};
use super::ledger::{SCENARIOS, played};
use super::outside::Write;
use super::product::{Fault, Item, Key, Store, settings, table};

/// A service that answers with what `answer` makes of the operation and its document.
fn service(answer: impl Fn(&str, &Value) -> Value + Send + 'static) -> (String, Arc<Mutex<Vec<Asked>>>) {
    http::service(move |asked| (200, answer(&asked.operation, &document(asked)).to_string()))
}

fn document(asked: &Asked) -> Value {
    serde_json::from_str(&asked.body).unwrap()
}

fn store(url: &str) -> impl Store + use<> {
    let variables = [
        ("AWS_REGION", "eu-west-1"),
        ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "s"),
        ("AWS_ENDPOINT_URL_DYNAMODB", url),
    ];
    table("ledger", settings(&variables))
}

/// What a write of the ledger's was asked of the service, and another answer of it.
fn written(_: &str, _: &Value) -> Value {
    json!({ "Attributes": { "count": { "N": "1" } } })
}

#[test]
fn items_are_put_as_they_were() {
    let (url, asked) = service(written);
    let store = store(&url);
    let mut now = Map::new();
    for (name, rules) in SCENARIOS {
        // By a clock of its own: the service's answers take real time.
        let paused = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let writes = paused.block_on(async { played(name, rules).await.0.writes() });
        let real = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        real.block_on(async {
            for write in writes {
                match write {
                    Write::Put(puts) => assert!(store.put(puts).await.unwrap(), "{name}"),
                    Write::Count(key, expires) => assert_eq!(store.count(key, expires).await.unwrap(), 1),
                }
            }
        });
        let requests = std::mem::take(&mut *asked.lock().unwrap());
        now.insert(name.to_owned(), requests.iter().map(shown).collect());
    }
    check("dynamodb.json", &now.into(), Hold::SameButProse, KEPT_OUTSIDE);
}

/// A request without what differs each time.
fn shown(asked: &Asked) -> Value {
    let mut document = document(asked);
    document.as_object_mut().unwrap().remove("ClientRequestToken");
    json!({ "operation": asked.operation, "document": document })
}

/// The items that a request of the fixture puts.
fn items(request: &Value) -> Vec<Value> {
    let document = &request["document"];
    let together = document["TransactItems"].as_array().into_iter().flatten().map(|one| one["Put"]["Item"].clone());
    together.chain(document.get("Item").cloned()).collect()
}

#[test]
fn items_of_then_are_read() {
    let all = fixture("dynamodb.json");
    let whole = fixture("items.json");
    let requests = all.as_object().unwrap().values().flat_map(|requests| requests.as_array().unwrap());
    let stored: Vec<Value> = requests.flat_map(items).collect();
    assert!(stored.len() > 30, "{}", stored.len());
    let answers = stored.clone();
    let (url, _) = service(move |operation, document| {
        if operation.ends_with(".Query") {
            return json!({ "Items": answers, "Count": answers.len() });
        }
        let keys = document["RequestItems"]["ledger"]["Keys"].as_array().unwrap();
        let number: usize = keys[0]["sort"]["S"].as_str().unwrap().parse().unwrap();
        // Under the key that was asked for.
        let mut item = answers[number].clone();
        item["partition"] = keys[0]["partition"].clone();
        item["sort"] = keys[0]["sort"].clone();
        json!({ "Responses": { "ledger": [item] }, "UnprocessedKeys": {} })
    });
    let store = store(&url);
    let real = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    real.block_on(async {
        let queried = store.query("p", ("!", "~"), false, 10_000).await.unwrap();
        assert_eq!(queried.len(), stored.len());
        for (number, (written, (sort, queried))) in stored.iter().zip(&queried).enumerate() {
            assert_eq!(written["sort"]["S"], sort.as_str());
            let got = one(&store, number).await.unwrap().unwrap();
            assert_eq!(&got, queried, "{written}");
            assert!(is_of(&whole, written, &got), "{written} was read as {got:?}, which is none of items.json");
        }
    });
}

async fn one(store: &impl Store, number: usize) -> Result<Option<Item>, Fault> {
    Ok(store.get(&[Key::new("p", number.to_string())]).await?.remove(0))
}

/// Whether an item that was read is one of those that the ledger had written under its key, without what is null, and to the
/// second.
fn is_of(whole: &Value, written: &Value, read: &Item) -> bool {
    let key = format!("{} | {}", written["partition"]["S"].as_str().unwrap(), written["sort"]["S"].as_str().unwrap());
    let scenarios = whole.as_object().unwrap().values();
    let mut writes = scenarios.filter_map(|scenario| scenario.get(&key)?.as_array()).flatten();
    writes.any(|write| {
        let mut attributes = write["attributes"].as_object().cloned().unwrap_or_default();
        attributes.retain(|_, value| !value.is_null());
        let version = write["expect"].as_u64().map_or(u64::from(write["expect"] == "absent"), |version| version + 1);
        attributes == *read.attributes
            && version == read.version
            && write["expires"].as_u64().unwrap().div_ceil(1000) * 1000 == read.expires.millis()
    })
}

/// What is asked in order to read.
#[test]
fn items_are_asked_for_as_they_were() {
    let (url, asked) = service(|operation, _| {
        if operation.ends_with(".Query") { json!({ "Items": [], "Count": 0 }) } else { json!({ "Responses": {} }) }
    });
    let store = store(&url);
    let real = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    real.block_on(async {
        store.get(&[Key::new("finding#1", "soc"), Key::new("group#2", "window")]).await.unwrap();
        store.query("threshold#3", ("000", "001"), true, 5).await.unwrap();
        store.query("alert#4", ("!", "~"), false, 200_000).await.unwrap();
    });
    let requests = std::mem::take(&mut *asked.lock().unwrap());
    check("dynamodb_reads.json", &requests.iter().map(shown).collect(), Hold::Same, KEPT_OUTSIDE);
}
