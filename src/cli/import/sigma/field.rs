//! Sigma's names of fields as ours.

use crate::rules::field::Field;

/// The field as we write it: our alias where there is one for exactly this path. A repair of its spelling is told in `notes`.
///
/// # Errors
/// Why no record has such a field, for the report.
pub(super) fn field(written: &str, notes: &mut Vec<String>) -> Result<String, String> {
    // Splunk's way to write an array. Our paths walk arrays without being told.
    let path = written.replace("{}", "");
    match Field::parse(&path) {
        Ok(field) => Ok(field.alias().map_or(path, str::to_owned)),
        Err(error) => {
            // Sigma's field names keep their case: written in another, the rule can never match.
            let (top, rest) = path.split_at(path.find(['.', '[']).unwrap_or(path.len()));
            let repaired = Field::top_level().iter().find(|name| name.eq_ignore_ascii_case(top));
            if let Some(repaired) = repaired {
                notes.push(format!("CloudTrail has no field \"{written}\": it was read as \"{repaired}{rest}\""));
                return field(&format!("{repaired}{rest}"), notes);
            }
            Err(format!("the field \"{written}\": {}; {}", error.message, error.help))
        }
    }
}
