//! Rules that differ from their author's in one place: a test suite is as good as the mutants that it notices.
//!
//! Not tried: changes that make no difference to any known call; and dropping one name of a list: a rule would need a test
//! for each name, and a misspelt one is found by `check`.

use crate::lint::are_alike;
use crate::rules::condition::Condition;
use crate::rules::pattern::Pattern;
use crate::rules::{Exception, Row, Rule, Table};

/// A rule that was changed in one place.
#[derive(Debug)]
pub(super) struct Mutant {
    /// What was done to it.
    pub(super) change: String,
    /// Where, as a JSON pointer from the rule.
    pub(super) pointer: String,
    /// What became of it.
    pub(super) rule: Rule,
}

/// Every mutant of a rule.
pub(super) fn mutants(rule: &Rule) -> Vec<Mutant> {
    let mut mutants = Vec::new();
    let mut add = |(change, pointer, table): (String, String, Table)| {
        mutants.push(Mutant { change, pointer, rule: Rule { when: table, ..rule.clone() } });
    };
    of_table(&rule.when, "row", "/when").into_iter().for_each(&mut add);
    for (index, exception) in rule.unless.iter().enumerate() {
        let with = |changed: Option<Exception>| {
            let mut unless = rule.unless.clone();
            unless.splice(index..=index, changed);
            Rule { unless, ..rule.clone() }
        };
        let pointer = format!("/unless/{index}");
        let change = format!("drop exception {index} ({})", exception.reason);
        mutants.push(Mutant { change, pointer: pointer.clone(), rule: with(None) });
        let name = format!("exception {index}, row");
        for (change, pointer, when) in of_table(&exception.when, &name, &format!("{pointer}/when")) {
            // A table without rows is the exception dropped: that one has been.
            if !when.0.is_empty() {
                mutants.push(Mutant { change, pointer, rule: with(Some(Exception { when, ..exception.clone() })) });
            }
        }
    }
    mutants
}

/// The changed tables, each with what was changed and where.
fn of_table(table: &Table, name: &str, pointer: &str) -> Vec<(String, String, Table)> {
    let mut changed = Vec::new();
    for (index, row) in table.0.iter().enumerate() {
        let with = |row: Option<Row>| {
            let mut rows = table.0.clone();
            rows.splice(index..=index, row);
            Table(rows)
        };
        let pointer = format!("{pointer}/{index}");
        changed.push((format!("drop {name} {index}"), pointer.clone(), with(None)));
        for (position, cell) in row.0.iter().enumerate() {
            let written = &cell.field.written;
            let pointer = format!("{pointer}/{}", written.replace('~', "~0").replace('/', "~1"));
            // A row without cells would match everything; the row dropped has been tried.
            if row.0.len() > 1 {
                let mut cells = row.0.clone();
                cells.remove(position);
                let change = format!("drop the cell \"{written}\" of {name} {index}");
                changed.push((change, pointer.clone(), with(Some(Row(cells)))));
            }
            for (what, condition) in of_condition(&cell.condition) {
                // No test could tell them apart but by a call that does not exist.
                if are_alike(&cell.field, &cell.condition, &condition) {
                    continue;
                }
                let mut cells = row.0.clone();
                cells[position].condition = condition;
                let change = format!("{what} in the cell \"{written}\" of {name} {index}");
                changed.push((change, pointer.clone(), with(Some(Row(cells)))));
            }
        }
    }
    changed
}

/// The conditions that one cell may become. A list's anchors are widened together: one test of one name is enough.
fn of_condition(condition: &Condition) -> Vec<(&'static str, Condition)> {
    let mut changed = Vec::new();
    for (what, anchor) in [("widen the anchor ^", '^'), ("widen the anchor $", '$')] {
        changed.extend(widen(condition, anchor).map(|condition| (what, condition)));
    }
    changed.extend(loosen(condition).map(|condition| ("search for what \"is\" exact", condition)));
    changed.extend(recount(condition).map(|condition| ("let one value more or fewer pass \"count\"", condition)));
    if let Condition::Not(inner) = condition {
        changed.push(("drop \"not\"", (**inner).clone()));
    }
    if let Condition::Item(rows) = condition {
        for (index, row) in rows.iter().enumerate() {
            for position in (0..row.0.len()).filter(|_| row.0.len() > 1) {
                let mut rows = rows.clone();
                rows[index].0.remove(position);
                changed.push(("drop a cell of \"item\"", Condition::Item(rows)));
            }
        }
    }
    changed
}

/// The condition without an anchor; `None` where it has none.
fn widen(condition: &Condition, anchor: char) -> Option<Condition> {
    map(condition, &|condition| {
        let Condition::Pattern(pattern) = condition else { return None };
        let pattern = pattern.as_str();
        let wider = match anchor {
            '^' => pattern.strip_prefix('^'),
            _ => pattern.strip_suffix('$').filter(|rest| !rest.ends_with('\\')),
        }?;
        Pattern::new(wider).ok().filter(|_| !wider.is_empty()).map(Condition::Pattern)
    })
}

/// The condition with exact texts searched for instead; `None` where it has none.
fn loosen(condition: &Condition) -> Option<Condition> {
    map(condition, &|condition| {
        let Condition::Is(literals) = condition else { return None };
        let escaped: Vec<String> = literals.iter().map(|literal| regex::escape(literal.written())).collect();
        Pattern::new(&escaped.join("|")).ok().map(Condition::Pattern)
    })
}

/// The condition with the bounds of its counts moved by one; `None` where it counts nothing.
fn recount(condition: &Condition) -> Option<Condition> {
    map(condition, &|condition| match condition {
        Condition::Count(count) => count.wider().map(Condition::Count),
        _ => None,
    })
}

/// Applies `change` wherever it applies, within lists, `all` and `not` too; `None` where it applies nowhere.
fn map(condition: &Condition, change: &dyn Fn(&Condition) -> Option<Condition>) -> Option<Condition> {
    let each = |conditions: &[Condition]| {
        let changed: Vec<Option<Condition>> = conditions.iter().map(|condition| map(condition, change)).collect();
        changed.iter().any(Option::is_some).then(|| {
            changed.into_iter().zip(conditions).map(|(changed, old)| changed.unwrap_or_else(|| old.clone())).collect()
        })
    };
    match condition {
        Condition::Any(conditions) => each(conditions).map(Condition::Any),
        Condition::All(conditions) => each(conditions).map(Condition::All),
        Condition::Not(inner) => map(inner, change).map(|inner| Condition::Not(Box::new(inner))),
        other => change(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ruleset::RuleSet;

    fn changes(keys: &str) -> Vec<String> {
        let source = format!(r#"{{"rules":[{{"id":"R","title":"t","severity":"low",{keys}}}]}}"#);
        let compiled = RuleSet::compile(&source).unwrap();
        mutants(&compiled.rules.rules()[0]).into_iter().map(|mutant| mutant.change).collect()
    }

    #[test]
    fn every_part_of_a_rule_is_changed_once() {
        assert_eq!(
            changes(
                r#""when":{"event":"^(Create).*","user":{"not":{"is":"ci"}}},"unless":[{"when":{"role":"eu-1$"},"reason":"ours"}]"#
            ),
            [
                "drop row 0",
                "drop the cell \"event\" of row 0",
                "widen the anchor ^ in the cell \"event\" of row 0",
                "drop the cell \"user\" of row 0",
                "search for what \"is\" exact in the cell \"user\" of row 0",
                "drop \"not\" in the cell \"user\" of row 0",
                "drop exception 0 (ours)",
                "widen the anchor $ in the cell \"role\" of exception 0, row 0",
            ]
        );
    }

    #[test]
    fn changes_that_no_known_call_shows_are_not_tried() {
        assert_eq!(changes(r#""when":{"event":{"is":"StopLogging"}}"#), ["drop row 0"]);
        assert_eq!(changes(r#""when":{"event":{"is":"DeleteUser"}}"#).len(), 2);
        assert_eq!(changes(r#""when":{"outcome":"^success$"}"#), ["drop row 0"]);
    }

    #[test]
    fn only_real_anchors_are_widened() {
        assert_eq!(changes(r#""when":{"user":"a\\$"}"#), ["drop row 0"]);
        assert_eq!(changes(r#""when":{"resources":{"item":{"type":"x","ARN":"y"}}}"#).len(), 3);
    }

    #[test]
    fn the_bounds_of_counts_are_moved() {
        let moved = "let one value more or fewer pass \"count\" in the cell \"resources\" of row 0";
        for counted in [r#"{"above":5}"#, r#"{"below":5}"#] {
            let found = changes(&format!(r#""when":{{"resources":{{"count":{counted}}}}}"#));
            assert_eq!(found, ["drop row 0", moved], "{counted}");
        }
        assert_eq!(changes(r#""when":{"resources":{"count":{"is":5}}}"#), ["drop row 0"]);
    }
}
