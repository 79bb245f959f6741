//! The ledger's store in DynamoDB: one table, whose items hold their JSON's members as attributes.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Number, Value, json};

use super::api::{ApiError, ApiInput, AwsApi, Patience, Reason};
use super::service::ApiService;
use crate::ids::hex;
#[cfg(feature = "lambda")]
use crate::ledger::MemoryStore;
use crate::ledger::{Attributes, COUNT, Expect, ItemKey, Put, Store, StoreError, StoredItem, Written};
use crate::time::Timestamp;

const PARTITION: &str = "partition";
const SORT: &str = "sort";
const VERSION: &str = "version";
/// In seconds since 1970, as DynamoDB's time to live wants it. Source:
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/time-to-live-ttl-before-you-start.html>.
const EXPIRES: &str = "expires";

/// How often a table is asked that had no time for a part of a question, or for a transaction.
const TRIES: u32 = 5;

/// The function's: an alert waits for the answer, and goes out without it.
#[cfg(feature = "lambda")]
const PATIENCE: Patience = Patience {
    request: Duration::from_millis(1500),
    whole: Some(Duration::from_secs(4)),
    busy: 3,
    unanswered: 3,
    first_wait: Duration::from_millis(50),
};

/// The ledger's table in DynamoDB. `template.yaml` creates it, and its rights are those that the calls here need.
#[derive(Debug)]
pub struct DynamoStore {
    /// The table's name.
    table: String,
    api: AwsApi,
}

impl DynamoStore {
    /// The store in this table, for a person.
    pub fn new(table: &str, api: AwsApi) -> Self {
        Self { table: table.to_owned(), api }
    }

    /// The store in this table, for an alert.
    #[cfg(feature = "lambda")]
    pub(super) fn for_alerts(table: &str, api: AwsApi) -> Self {
        Self::new(table, api.with_patience(PATIENCE))
    }

    /// An answer of DynamoDB's: an object.
    async fn ask(&self, operation: &'static str, input: Value) -> Result<Map<String, Value>, ApiError> {
        self.ask_again(operation, &ApiInput::Json(input)).await
    }

    /// The same for who may have to ask again.
    async fn ask_again(&self, operation: &'static str, input: &ApiInput) -> Result<Map<String, Value>, ApiError> {
        match self.api.ask_here(&ApiService::DYNAMODB, operation, input).await? {
            Value::Object(answer) => Ok(answer),
            _ => Err(ApiError::Unexpected(operation)),
        }
    }

    /// The write of an item, as one by itself and as a part of a transaction.
    fn input_of(&self, put: Put) -> Value {
        let (condition, version) = condition(put.expect);
        let mut input = json!({ "TableName": self.table, "Item": item_of(put) });
        if let Some(condition) = condition {
            input["ConditionExpression"] = json!(condition);
            input["ExpressionAttributeNames"] = json!({ "#v": VERSION });
            input["ReturnValuesOnConditionCheckFailure"] = json!("ALL_OLD");
        }
        if let Some(version) = version {
            input["ExpressionAttributeValues"] = json!({ ":v": number_of(version) });
        }
        input
    }

    async fn write_one(&self, put: Put) -> Result<Written, StoreError> {
        match self.ask("PutItem", self.input_of(put)).await {
            Ok(_) => Ok(Written::Whole),
            Err(ApiError::Refused { code, reasons, .. })
                if matches!(&*code, "ConditionalCheckFailedException" | "TransactionConflictException") =>
            {
                Ok(Written::Nothing { found: found(reasons, 1) })
            }
            Err(error) => Err(store_error(error)),
        }
    }

    /// Keeps what an item holds if it `is_alive` or absent, and writes it anew if not; `None` if it is the other way round.
    async fn keep(
        &self,
        key: &ItemKey,
        attributes: &Attributes,
        (now, expires): (Timestamp, Timestamp),
        is_alive: bool,
    ) -> Result<Option<Attributes>, StoreError> {
        let (mut update, mut names) = ("SET #e = :e".to_owned(), json!({ "#e": EXPIRES }));
        let mut values = json!({ ":e": seconds(expires), ":now": seconds(now) });
        for (number, (name, value)) in attributes.iter().enumerate() {
            let kept = if is_alive { format!("if_not_exists(#a{number}, :a{number})") } else { format!(":a{number}") };
            let _ = write!(update, ", #a{number} = {kept}");
            names[format!("#a{number}")] = json!(name);
            values[format!(":a{number}")] = written(value.clone());
        }
        let input = json!({
            "TableName": self.table,
            "Key": key_of(key),
            "UpdateExpression": update,
            "ConditionExpression":
                if is_alive { "attribute_not_exists(#e) OR #e > :now" } else { "#e <= :now" },
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": values,
            "ReturnValues": "ALL_NEW",
        });
        match self.ask("UpdateItem", input).await {
            Ok(mut answer) => {
                let kept = answer.remove("Attributes").and_then(read).map(|(_, item)| (*item.attributes).clone());
                kept.map(Some).ok_or_else(|| StoreError("an update tells nothing of its item".to_owned()))
            }
            Err(ApiError::Refused { code, .. }) if code == "ConditionalCheckFailedException" => Ok(None),
            Err(error) => Err(store_error(error)),
        }
    }

    async fn write_together(&self, puts: Vec<Put>) -> Result<Written, StoreError> {
        let count = puts.len();
        let items: Vec<Value> = puts.into_iter().map(|put| json!({ "Put": self.input_of(put) })).collect();
        // With the same token, a transaction that is asked for again since nobody heard the answer is not made again.
        let input = ApiInput::Json(json!({ "TransactItems": items, "ClientRequestToken": token() }));
        for attempt in 0..TRIES {
            let Err(error) = self.ask_again("TransactWriteItems", &input).await else { return Ok(Written::Whole) };
            match (cancelled(&error), error) {
                (Some(Cancelled::ByCondition), ApiError::Refused { reasons, .. }) => {
                    return Ok(Written::Nothing { found: found(reasons, count) });
                }
                (Some(_), _) => pause(attempt).await,
                (None, error) => return Err(store_error(error)),
            }
        }
        Err(StoreError("the table is too busy".to_owned()))
    }
}

impl Store for DynamoStore {
    async fn get(&self, keys: &[ItemKey]) -> Result<Vec<Option<StoredItem>>, StoreError> {
        let mut found = HashMap::new();
        let keys_of = |answer: &Value| answer.pointer(&format!("/{}/Keys", self.table)).cloned();
        let mut wanted = Value::Array(keys.iter().map(key_of).collect());
        for attempt in 0..TRIES {
            let input = json!({ "RequestItems": { &self.table: { "Keys": wanted, "ConsistentRead": true } } });
            let mut answer = self.ask("BatchGetItem", input).await.map_err(store_error)?;
            let items = answer.remove("Responses").and_then(|mut tables| Some(tables.get_mut(&self.table)?.take()));
            found.extend(array(items).into_iter().filter_map(read));
            match answer.get("UnprocessedKeys").and_then(keys_of) {
                Some(left) if left.as_array().is_some_and(|left| !left.is_empty()) => wanted = left,
                _ => return Ok(keys.iter().map(|key| found.remove(key)).collect()),
            }
            pause(attempt).await;
        }
        Err(StoreError("the table is too busy".to_owned()))
    }

    async fn write(&self, mut puts: Vec<Put>) -> Result<Written, StoreError> {
        match puts.len() {
            0 => Ok(Written::Whole),
            1 => self.write_one(puts.remove(0)).await,
            _ => self.write_together(puts).await,
        }
    }

    async fn count(&self, key: ItemKey, expires: Timestamp) -> Result<u64, StoreError> {
        let input = json!({
            "TableName": self.table,
            "Key": key_of(&key),
            "UpdateExpression": "ADD #c :one SET #e = :e",
            "ExpressionAttributeNames": { "#c": COUNT, "#e": EXPIRES },
            "ExpressionAttributeValues": { ":one": number_of(1), ":e": seconds(expires) },
            "ReturnValues": "UPDATED_NEW",
        });
        let answer = self.ask("UpdateItem", input).await.map_err(store_error)?;
        let count = answer.get("Attributes").and_then(|attributes| number(attributes.get(COUNT)?));
        count.ok_or_else(|| StoreError("a counter is not a number".to_owned()))
    }

    async fn keep_first(
        &self,
        key: ItemKey,
        attributes: Attributes,
        now: Timestamp,
        expires: Timestamp,
    ) -> Result<Option<Attributes>, StoreError> {
        // Alive or absent, as it nearly always is; then expired and not deleted yet; then renewed by another meanwhile.
        for is_alive in [true, false, true] {
            let kept = self.keep(&key, &attributes, (now, expires), is_alive).await?;
            if kept.is_some() {
                return Ok(kept);
            }
        }
        Err(StoreError("others write the same item".to_owned()))
    }

    async fn query(
        &self,
        partition: &str,
        (from, to): (&str, &str),
        backwards: bool,
        limit: usize,
    ) -> Result<Vec<(String, StoredItem)>, StoreError> {
        let mut found = Vec::new();
        if from > to {
            return Ok(found);
        }
        let mut input = json!({
            "TableName": self.table,
            "ConsistentRead": true,
            "KeyConditionExpression": "#p = :p AND #s BETWEEN :from AND :to",
            "ExpressionAttributeNames": { "#p": PARTITION, "#s": SORT },
            "ExpressionAttributeValues": { ":p": text_of(partition), ":from": text_of(from), ":to": text_of(to) },
            "ScanIndexForward": !backwards,
        });
        loop {
            let left = limit.saturating_sub(found.len());
            input["Limit"] = json!(i32::try_from(left).unwrap_or(i32::MAX));
            let mut answer = self.ask("Query", input.clone()).await.map_err(store_error)?;
            found
                .extend(array(answer.remove("Items")).into_iter().filter_map(read).map(|(key, item)| (key.sort, item)));
            match answer.remove("LastEvaluatedKey") {
                Some(start) if start.is_object() && found.len() < limit => input["ExclusiveStartKey"] = start,
                _ => return Ok(found),
            }
        }
    }
}

/// The store that the deployment has.
#[cfg(feature = "lambda")]
#[derive(Debug)]
pub(super) enum AnyStore {
    Memory(MemoryStore),
    Dynamo(DynamoStore),
}

#[cfg(feature = "lambda")]
impl Store for AnyStore {
    async fn get(&self, keys: &[ItemKey]) -> Result<Vec<Option<StoredItem>>, StoreError> {
        match self {
            Self::Memory(store) => store.get(keys).await,
            Self::Dynamo(store) => store.get(keys).await,
        }
    }

    async fn write(&self, puts: Vec<Put>) -> Result<Written, StoreError> {
        match self {
            Self::Memory(store) => store.write(puts).await,
            Self::Dynamo(store) => store.write(puts).await,
        }
    }

    async fn count(&self, key: ItemKey, expires: Timestamp) -> Result<u64, StoreError> {
        match self {
            Self::Memory(store) => store.count(key, expires).await,
            Self::Dynamo(store) => store.count(key, expires).await,
        }
    }

    async fn keep_first(
        &self,
        key: ItemKey,
        attributes: Attributes,
        now: Timestamp,
        expires: Timestamp,
    ) -> Result<Option<Attributes>, StoreError> {
        match self {
            // What one copy has in memory says nothing of thirty days.
            Self::Memory(_) => Ok(None),
            Self::Dynamo(store) => store.keep_first(key, attributes, now, expires).await,
        }
    }

    async fn query(
        &self,
        partition: &str,
        between: (&str, &str),
        backwards: bool,
        limit: usize,
    ) -> Result<Vec<(String, StoredItem)>, StoreError> {
        match self {
            Self::Memory(store) => store.query(partition, between, backwards, limit).await,
            Self::Dynamo(store) => store.query(partition, between, backwards, limit).await,
        }
    }
}

/// Why a transaction was cancelled.
enum Cancelled {
    /// An item was not as expected, or another write of it was under way: to be looked at again.
    ByCondition,
    /// The table had no time for it: to be asked again.
    Busy,
}

fn cancelled(error: &ApiError) -> Option<Cancelled> {
    let ApiError::Refused { code, reasons, .. } = error else { return None };
    if code == "TransactionInProgressException" {
        return Some(Cancelled::Busy);
    }
    let has = |codes: [&str; 2]| reasons.iter().any(|reason| codes.contains(&reason.code.as_str()));
    if has([Reason::CONDITION, "TransactionConflict"]) {
        return Some(Cancelled::ByCondition);
    }
    has(["ProvisionedThroughputExceeded", "ThrottlingError"]).then_some(Cancelled::Busy)
}

/// What stands in the place of each of so many items, where the table says it of all that were not as expected.
fn found(reasons: Vec<Reason>, count: usize) -> Option<Vec<Option<StoredItem>>> {
    let found = |Reason { code, item }: Reason| match code.as_str() {
        "None" => Some(None),
        Reason::CONDITION => item.and_then(read).map(|(_, item)| Some(item)),
        _ => None,
    };
    (reasons.len() == count).then(|| reasons.into_iter().map(found).collect()).flatten()
}

/// A text that no other call has: 32 hexadecimal digits, as random as the seeds of this process's hash tables.
fn token() -> String {
    let random = || RandomState::new().hash_one(0).to_be_bytes();
    hex(&[random(), random()].concat())
}

/// The condition of a write, and the version in it.
const fn condition(expect: Expect) -> (Option<&'static str>, Option<u64>) {
    match expect {
        Expect::Anything => (None, None),
        Expect::Absent => (Some("attribute_not_exists(#v)"), None),
        Expect::Version(version) => (Some("#v = :v"), Some(version)),
    }
}

fn key_of(key: &ItemKey) -> Value {
    json!({ PARTITION: text_of(&key.partition), SORT: text_of(&key.sort) })
}

fn item_of(put: Put) -> Value {
    let Put { key, expect, attributes, expires } = put;
    let mut item = key_of(&key);
    item[VERSION] = number_of(expect.next_version());
    item[EXPIRES] = seconds(expires);
    for (name, value) in attributes.into_iter().filter(|(_, value)| !value.is_null()) {
        item[name] = written(value);
    }
    item
}

fn read(item: Value) -> Option<(ItemKey, StoredItem)> {
    let Value::Object(mut item) = item else { return None };
    let mut text = |name: &str| match item.remove(name)?.get_mut("S")?.take() {
        Value::String(text) => Some(text),
        _ => None,
    };
    let key = ItemKey { partition: text(PARTITION)?, sort: text(SORT)? };
    let version = item.remove(VERSION).and_then(|value| number(&value)).unwrap_or_default();
    let expires = item.remove(EXPIRES).and_then(|value| number(&value)).unwrap_or_default();
    let attributes: Attributes = item.into_iter().map(|(name, value)| (name, plain(value))).collect();
    Some((
        key,
        StoredItem {
            version,
            expires: Timestamp::from_millis(expires.saturating_mul(1000)),
            attributes: Arc::new(attributes),
        },
    ))
}

fn array(value: Option<Value>) -> Vec<Value> {
    match value {
        Some(Value::Array(values)) => values,
        _ => Vec::new(),
    }
}

fn text_of(text: &str) -> Value {
    json!({ "S": text })
}

fn number_of(number: u64) -> Value {
    json!({ "N": number.to_string() })
}

fn seconds(time: Timestamp) -> Value {
    number_of(time.millis().div_ceil(1000))
}

fn number(value: &Value) -> Option<u64> {
    value.get("N")?.as_str()?.parse().ok()
}

/// A value as DynamoDB writes it: under the name of its type.
/// Source: <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeValue.html>
fn written(value: Value) -> Value {
    match value {
        Value::Null => json!({ "NULL": true }),
        Value::Bool(value) => json!({ "BOOL": value }),
        Value::Number(number) => json!({ "N": number.to_string() }),
        Value::String(text) => json!({ "S": text }),
        Value::Array(values) => json!({ "L": values.into_iter().map(written).collect::<Value>() }),
        Value::Object(members) => {
            json!({ "M": members.into_iter().map(|(name, value)| (name, written(value))).collect::<Map<_, _>>() })
        }
    }
}

/// A value that DynamoDB has written.
fn plain(value: Value) -> Value {
    let Value::Object(typed) = value else { return Value::Null };
    match typed.into_iter().next() {
        Some((kind, Value::Bool(value))) if kind == "BOOL" => Value::Bool(value),
        // No number of ours has a fraction.
        Some((kind, Value::String(number))) if kind == "N" => {
            number.parse::<Number>().map_or(Value::String(number), Value::Number)
        }
        Some((kind, Value::String(text))) if kind == "S" => Value::String(text),
        Some((kind, Value::Array(values))) if kind == "L" => Value::Array(values.into_iter().map(plain).collect()),
        Some((kind, Value::Object(members))) if kind == "M" => {
            Value::Object(members.into_iter().map(|(name, value)| (name, plain(value))).collect())
        }
        // We write no other.
        _ => Value::Null,
    }
}

/// DynamoDB's code, or why there was no answer. No text quotes the request.
fn store_error(error: ApiError) -> StoreError {
    match error {
        ApiError::Refused { code, .. } => StoreError(code),
        other => StoreError(other.to_string()),
    }
}

/// Longer each time.
async fn pause(attempt: u32) {
    tokio::time::sleep(Duration::from_millis(20 << attempt)).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let value = json!({ "a": [1, "2", true, null, { "b": {} }], "c": 18_446_744_073_709_551_615_u64, "d": "" });
        assert_eq!(plain(written(value.clone())), value);
        assert_eq!(written(json!(7)), json!({ "N": "7" }));
        for odd in [json!({ "SS": ["a"] }), json!({}), json!(7), json!({ "S": 7 })] {
            assert_eq!(plain(odd), Value::Null);
        }
    }

    #[test]
    fn an_item_has_its_key_its_version_and_its_life() {
        let attributes: Attributes =
            [("n".to_owned(), json!(7)), ("gone".to_owned(), Value::Null)].into_iter().collect();
        let expires = Timestamp::from_millis(1_700_000_000_001);
        let key = ItemKey::new("p".to_owned(), "s");
        let put = Put { key: key.clone(), expect: Expect::Version(3), attributes, expires };
        let item = item_of(put);
        let expected = json!({
            "partition": { "S": "p" }, "sort": { "S": "s" }, "version": { "N": "4" }, "expires": { "N": "1700000001" },
            "n": { "N": "7" },
        });
        assert_eq!(item, expected);
        let (read_key, stored) = read(item).unwrap();
        assert_eq!((read_key, stored.version, stored.expires.millis()), (key, 4, 1_700_000_001_000));
        assert_eq!(stored.attributes.iter().collect::<Vec<_>>(), [(&"n".to_owned(), &json!(7))]);
    }

    #[test]
    fn no_two_calls_have_one_token() {
        let tokens: std::collections::BTreeSet<String> = (0..100).map(|_| token()).collect();
        assert_eq!((tokens.len(), tokens.first().unwrap().len()), (100, 32));
    }

    #[test]
    fn a_cancelled_transaction_is_looked_at_again_or_asked_again() {
        let refused = |code: &str, reasons: &[&str]| ApiError::Refused {
            operation: "TransactWriteItems",
            status: 400,
            code: code.to_owned(),
            message: String::new(),
            reasons: reasons.iter().map(|code| Reason { code: (*code).to_owned(), item: None }).collect(),
        };
        let cancelled = |reasons: &[&str]| super::cancelled(&refused("TransactionCanceledException", reasons));
        assert!(matches!(cancelled(&["None", "ConditionalCheckFailed"]), Some(Cancelled::ByCondition)));
        assert!(matches!(cancelled(&["TransactionConflict"]), Some(Cancelled::ByCondition)));
        assert!(matches!(cancelled(&["None", "ThrottlingError"]), Some(Cancelled::Busy)));
        assert!(cancelled(&["ItemCollectionSizeLimitExceeded"]).is_none());
        let in_progress = super::cancelled(&refused("TransactionInProgressException", &[]));
        assert!(matches!(in_progress, Some(Cancelled::Busy)));
    }
}
