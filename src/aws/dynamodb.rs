//! The ledger's store in DynamoDB: one table, whose items hold their JSON's members as attributes.

use std::fmt::Write as _;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    AttributeValue, CancellationReason, KeysAndAttributes, Put as DynamoPut, ReturnValue, TransactWriteItem,
};
use serde_json::{Map, Number, Value};

use super::FunctionSettings;
use super::clients::Clients;
#[cfg(feature = "lambda")]
use crate::ledger::MemoryStore;
use crate::ledger::{Attributes, COUNT, Expect, ItemKey, Put, Store, StoreError, StoredItem};
use crate::time::Timestamp;

const PARTITION: &str = "partition";
const SORT: &str = "sort";
const VERSION: &str = "version";
/// In seconds since 1970, as DynamoDB's time to live wants it. Source:
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/time-to-live-ttl-before-you-start.html>.
const EXPIRES: &str = "expires";

/// How often a table that is too busy is asked, beside the SDK's own retry, which does not know partial answers and cancelled
/// transactions.
const TRIES: u32 = 5;

/// The ledger's table in DynamoDB. `template.yaml` creates it, and its rights are those that the calls here need.
#[derive(Debug)]
pub struct DynamoStore {
    /// The table's name.
    table: String,
    settings: Arc<FunctionSettings>,
    clients: Arc<Clients>,
}

impl DynamoStore {
    pub(super) fn new(table: &str, settings: Arc<FunctionSettings>, clients: Arc<Clients>) -> Self {
        Self { table: table.to_owned(), settings, clients }
    }

    /// The store in this table, with clients of its own.
    pub fn from_settings(table: &str, settings: FunctionSettings) -> Self {
        Self::new(table, Arc::new(settings), Arc::default())
    }

    fn client(&self) -> Result<&Client, StoreError> {
        self.clients.dynamodb(&self.settings).map_err(|error| StoreError(error.to_string()))
    }

    async fn put_one(&self, put: Put) -> Result<bool, StoreError> {
        let (condition, version) = condition(put.expect);
        let sent = self
            .client()?
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item_of(put)))
            .set_condition_expression(condition.map(str::to_owned))
            .set_expression_attribute_names(condition.map(|_| names(&[("#v", VERSION)])))
            .set_expression_attribute_values(version)
            .send()
            .await;
        match sent {
            Ok(_) => Ok(true),
            Err(error)
                if matches!(error.code(), Some("ConditionalCheckFailedException" | "TransactionConflictException")) =>
            {
                Ok(false)
            }
            Err(error) => Err(store_error(&error)),
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
        let (mut update, mut names) = ("SET #e = :e".to_owned(), names(&[("#e", EXPIRES)]));
        let mut values = HashMap::from([(":e".to_owned(), seconds(expires)), (":now".to_owned(), seconds(now))]);
        for (number, (name, value)) in attributes.iter().enumerate() {
            let kept = if is_alive { format!("if_not_exists(#a{number}, :a{number})") } else { format!(":a{number}") };
            let _ = write!(update, ", #a{number} = {kept}");
            names.insert(format!("#a{number}"), name.clone());
            values.insert(format!(":a{number}"), written(value.clone()));
        }
        let condition = if is_alive { "attribute_not_exists(#e) OR #e > :now" } else { "#e <= :now" };
        let sent = self
            .client()?
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key_of(key)))
            .update_expression(update)
            .condition_expression(condition)
            .set_expression_attribute_names(Some(names))
            .set_expression_attribute_values(Some(values))
            .return_values(ReturnValue::AllNew)
            .send()
            .await;
        match sent {
            Ok(answer) => {
                let kept = answer.attributes.and_then(read).map(|(_, item)| (*item.attributes).clone());
                kept.map(Some).ok_or_else(|| StoreError("an update tells nothing of its item".to_owned()))
            }
            Err(error) if error.code() == Some("ConditionalCheckFailedException") => Ok(None),
            Err(error) => Err(store_error(&error)),
        }
    }

    async fn put_together(&self, puts: Vec<Put>) -> Result<bool, StoreError> {
        let mut items = Vec::with_capacity(puts.len());
        for put in puts {
            let (condition, version) = condition(put.expect);
            let put = DynamoPut::builder()
                .table_name(&self.table)
                .set_item(Some(item_of(put)))
                .set_condition_expression(condition.map(str::to_owned))
                .set_expression_attribute_names(condition.map(|_| names(&[("#v", VERSION)])))
                .set_expression_attribute_values(version)
                .build()
                .map_err(|error| StoreError(error.to_string()))?;
            items.push(TransactWriteItem::builder().put(put).build());
        }
        for attempt in 0..TRIES {
            let sent = self.client()?.transact_write_items().set_transact_items(Some(items.clone())).send().await;
            let Err(error) = sent else { return Ok(true) };
            match cancelled(&error) {
                Some(Cancelled::ByCondition) => return Ok(false),
                Some(Cancelled::Busy) => pause(attempt).await,
                None => return Err(store_error(&error)),
            }
        }
        Err(StoreError("the table is too busy".to_owned()))
    }
}

impl Store for DynamoStore {
    async fn get(&self, keys: &[ItemKey]) -> Result<Vec<Option<StoredItem>>, StoreError> {
        let mut found = HashMap::new();
        let mut wanted: Vec<_> = keys.iter().map(key_of).collect();
        for attempt in 0..TRIES {
            let request = KeysAndAttributes::builder()
                .set_keys(Some(wanted))
                .consistent_read(true)
                .build()
                .map_err(|error| StoreError(error.to_string()))?;
            let answer = self
                .client()?
                .batch_get_item()
                .request_items(&self.table, request)
                .send()
                .await
                .map_err(|e| store_error(&e))?;
            for item in answer.responses.into_iter().flat_map(HashMap::into_values).flatten() {
                found.extend(read(item));
            }
            wanted =
                answer.unprocessed_keys.into_iter().flat_map(HashMap::into_values).flat_map(|left| left.keys).collect();
            if wanted.is_empty() {
                return Ok(keys.iter().map(|key| found.remove(key)).collect());
            }
            pause(attempt).await;
        }
        Err(StoreError("the table is too busy".to_owned()))
    }

    async fn put(&self, mut puts: Vec<Put>) -> Result<bool, StoreError> {
        match puts.len() {
            0 => Ok(true),
            1 => self.put_one(puts.remove(0)).await,
            _ => self.put_together(puts).await,
        }
    }

    async fn count(&self, key: ItemKey, expires: Timestamp) -> Result<u64, StoreError> {
        let answer = self
            .client()?
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key_of(&key)))
            .update_expression("ADD #c :one SET #e = :e")
            .set_expression_attribute_names(Some(names(&[("#c", COUNT), ("#e", EXPIRES)])))
            .expression_attribute_values(":one", AttributeValue::N("1".to_owned()))
            .expression_attribute_values(":e", seconds(expires))
            .return_values(ReturnValue::UpdatedNew)
            .send()
            .await
            .map_err(|error| store_error(&error))?;
        let count = answer.attributes.as_ref().and_then(|attributes| number(attributes.get(COUNT)?));
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
        let mut start = None;
        if from > to {
            return Ok(found);
        }
        loop {
            let left = limit.saturating_sub(found.len());
            let answer = self
                .client()?
                .query()
                .table_name(&self.table)
                .consistent_read(true)
                .key_condition_expression("#p = :p AND #s BETWEEN :from AND :to")
                .set_expression_attribute_names(Some(names(&[("#p", PARTITION), ("#s", SORT)])))
                .expression_attribute_values(":p", AttributeValue::S(partition.to_owned()))
                .expression_attribute_values(":from", AttributeValue::S(from.to_owned()))
                .expression_attribute_values(":to", AttributeValue::S(to.to_owned()))
                .scan_index_forward(!backwards)
                .limit(i32::try_from(left).unwrap_or(i32::MAX))
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(|error| store_error(&error))?;
            found.extend(answer.items.into_iter().flatten().filter_map(read).map(|(key, item)| (key.sort, item)));
            start = answer.last_evaluated_key;
            if start.is_none() || found.len() >= limit {
                return Ok(found);
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

    async fn put(&self, puts: Vec<Put>) -> Result<bool, StoreError> {
        match self {
            Self::Memory(store) => store.put(puts).await,
            Self::Dynamo(store) => store.put(puts).await,
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

fn cancelled(error: &SdkError<TransactWriteItemsError>) -> Option<Cancelled> {
    let error = error.as_service_error()?;
    if error.is_transaction_in_progress_exception() {
        return Some(Cancelled::Busy);
    }
    let TransactWriteItemsError::TransactionCanceledException(cancelled) = error else { return None };
    let codes: Vec<&str> = cancelled.cancellation_reasons().iter().filter_map(CancellationReason::code).collect();
    if codes.iter().any(|code| matches!(*code, "ConditionalCheckFailed" | "TransactionConflict")) {
        return Some(Cancelled::ByCondition);
    }
    codes
        .iter()
        .any(|code| matches!(*code, "ProvisionedThroughputExceeded" | "ThrottlingError"))
        .then_some(Cancelled::Busy)
}

/// The condition of a write, and the value in it.
fn condition(expect: Expect) -> (Option<&'static str>, Option<HashMap<String, AttributeValue>>) {
    match expect {
        Expect::Anything => (None, None),
        Expect::Absent => (Some("attribute_not_exists(#v)"), None),
        Expect::Version(version) => {
            let value = AttributeValue::N(version.to_string());
            (Some("#v = :v"), Some(HashMap::from([(":v".to_owned(), value)])))
        }
    }
}

fn key_of(key: &ItemKey) -> HashMap<String, AttributeValue> {
    HashMap::from([
        (PARTITION.to_owned(), AttributeValue::S(key.partition.clone())),
        (SORT.to_owned(), AttributeValue::S(key.sort.clone())),
    ])
}

fn item_of(put: Put) -> HashMap<String, AttributeValue> {
    let Put { key, expect, attributes, expires } = put;
    let mut item = key_of(&key);
    item.insert(VERSION.to_owned(), AttributeValue::N(expect.next_version().to_string()));
    item.insert(EXPIRES.to_owned(), seconds(expires));
    item.extend(
        attributes.into_iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| (name, written(value))),
    );
    item
}

fn read(mut item: HashMap<String, AttributeValue>) -> Option<(ItemKey, StoredItem)> {
    let mut text = |name: &str| match item.remove(name) {
        Some(AttributeValue::S(text)) => Some(text),
        _ => None,
    };
    let key = ItemKey { partition: text(PARTITION)?, sort: text(SORT)? };
    let version = item.remove(VERSION).and_then(|value| number(&value)).unwrap_or_default();
    let expires = item.remove(EXPIRES).and_then(|value| number(&value)).unwrap_or_default();
    let attributes: Attributes = item.into_iter().map(|(name, value)| (name, json(value))).collect();
    Some((
        key,
        StoredItem {
            version,
            expires: Timestamp::from_millis(expires.saturating_mul(1000)),
            attributes: Arc::new(attributes),
        },
    ))
}

fn seconds(time: Timestamp) -> AttributeValue {
    AttributeValue::N(time.millis().div_ceil(1000).to_string())
}

fn number(value: &AttributeValue) -> Option<u64> {
    value.as_n().ok()?.parse().ok()
}

fn written(value: Value) -> AttributeValue {
    match value {
        Value::Null => AttributeValue::Null(true),
        Value::Bool(value) => AttributeValue::Bool(value),
        Value::Number(number) => AttributeValue::N(number.to_string()),
        Value::String(text) => AttributeValue::S(text),
        Value::Array(values) => AttributeValue::L(values.into_iter().map(written).collect()),
        Value::Object(members) => {
            AttributeValue::M(members.into_iter().map(|(name, value)| (name, written(value))).collect())
        }
    }
}

fn json(value: AttributeValue) -> Value {
    match value {
        AttributeValue::Bool(value) => Value::Bool(value),
        // No number of ours has a fraction.
        AttributeValue::N(number) => number.parse::<Number>().map_or(Value::String(number), Value::Number),
        AttributeValue::S(text) => Value::String(text),
        AttributeValue::L(values) => Value::Array(values.into_iter().map(json).collect()),
        AttributeValue::M(members) => {
            Value::Object(members.into_iter().map(|(name, value)| (name, json(value))).collect::<Map<_, _>>())
        }
        // We write no other.
        _ => Value::Null,
    }
}

fn names(names: &[(&str, &str)]) -> HashMap<String, String> {
    names.iter().map(|(short, name)| ((*short).to_owned(), (*name).to_owned())).collect()
}

/// The error of a call: DynamoDB's code, or why there was no answer. No text quotes the request.
fn store_error<E>(error: &SdkError<E>) -> StoreError
where
    SdkError<E>: ProvideErrorMetadata + std::error::Error,
{
    StoreError(match error.code() {
        Some(code) => code.to_owned(),
        None => format!("no answer: {}", DisplayErrorContext(error)),
    })
}

/// Longer each time.
async fn pause(attempt: u32) {
    tokio::time::sleep(Duration::from_millis(20 << attempt)).await;
}
