//! Which known calls the cells of a row accept.

use super::catalogue::{Catalogue, CatalogueCall, Service};
use super::logic::{accepts, is_of_texts};
use super::view::{Leaf, LeafCondition, RowView};
use crate::rules::condition::{Condition, Literal};
use crate::text::enumerated;

pub(super) const SERVICE: &[&str] = &["eventSource"];
pub(super) const EVENT: &[&str] = &["eventName"];
pub(super) const REGION: &[&str] = &["awsRegion"];
pub(super) const IDENTITY: &[&str] = &["userIdentity", "type"];

/// The services that a row's cells on `eventSource` accept; all, where it has none or they accept no known one.
pub(super) fn services<'v>(row: &'v RowView<'_>) -> &'v [&'static Service] {
    row.services.get_or_init(|| {
        let catalogue = Catalogue::get();
        let accepted: Vec<&Service> = match row.cell(SERVICE) {
            None => Vec::new(),
            // What a cell names exactly need not be searched for.
            Some(cell) => {
                if let Some(names) = exact(&cell.cell.condition) {
                    let mut named: Vec<&Service> =
                        names.into_iter().filter_map(|name| catalogue.services.get(name)).collect();
                    named.sort_by_key(|service| service.name);
                    named.dedup_by_key(|service| service.name);
                    named.retain(|service| row_accepts(row, SERVICE, service.name));
                    named
                } else {
                    let condition = &cell.cell.condition;
                    let literals = condition.required_literals().filter(|_| is_of_texts(condition));
                    let accepts = |name: &str| row_accepts(row, SERVICE, name);
                    let names = catalogue.service_names().accepted(literals.as_deref(), accepts);
                    names.into_iter().filter_map(|name| catalogue.services.get(name)).collect()
                }
            }
        };
        if accepted.is_empty() { catalogue.services.values().collect() } else { accepted }
    })
}

/// The texts that a condition accepts and no others.
fn exact(condition: &Condition) -> Option<Vec<&str>> {
    if let Condition::Is(literals) = condition { literals.iter().map(Literal::as_text).collect() } else { None }
}

/// Whether every cell of the row that asks for this field accepts this value, as far as can be known.
pub(super) fn row_accepts(row: &RowView<'_>, field: &[&str], value: &str) -> bool {
    let cells = row.cells.iter().filter(|cell| cell.is(field));
    cells.into_iter().all(|cell| accepts(&cell.cell.condition, value).unwrap_or(true))
}

/// Whether the row asks for one service or some.
pub(super) fn names_service(row: &RowView<'_>) -> bool {
    row.cell(SERVICE).is_some()
}

/// The known calls of these services that a leaf accepts.
pub(super) fn of_leaf<'s>(
    services: &'s [&'static Service],
    leaf: &'s Leaf<'_>,
) -> impl Iterator<Item = (&'static Service, &'static CatalogueCall)> + 's {
    let asks = leaf.condition;
    let literals = asks.literals();
    let accepts = move |name: &str| asks.accepts(name) == Some(true);
    let catalogue = Catalogue::get();
    // All of them are searched at once.
    let is_every = services.len() == catalogue.services.len();
    let of_every = if is_every { catalogue.calls_accepted(literals.as_deref(), accepts) } else { Vec::new() };
    let services = if is_every { &[] } else { services };
    let of_each = services.iter().flat_map(move |service| {
        let calls: Vec<&CatalogueCall> = match asks {
            // Most cells name a call exactly.
            LeafCondition::Exactly(name) => service.call(name).into_iter().collect(),
            _ => service.calls_accepted(literals.as_deref(), accepts),
        };
        calls.into_iter().map(|call| (*service, call))
    });
    of_every.into_iter().chain(of_each)
}

/// `CreateUser (iam), CreateUserPool (cognito-idp) and 3 more`
pub(super) fn named(calls: &[(&'static Service, &'static CatalogueCall)], with_service: bool) -> String {
    let shown: Vec<String> = calls
        .iter()
        .map(
            |(service, call)| {
                if with_service { format!("{} ({})", call.name, service.short()) } else { call.name.clone() }
            },
        )
        .collect();
    enumerated(&shown)
}
