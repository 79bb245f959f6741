//! What an organization calls its accounts, and the unit of each: asked of AWS Organizations from the command line.
//!
//! <https://docs.aws.amazon.com/organizations/latest/APIReference/Welcome.html>.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Value, json};

use super::FunctionSettings;
use super::api::{ApiError, ApiInput, AwsApi};
use super::service::ApiService;
use crate::cloudtrail::accounts::{AccountFacts, INSIDE, MAX_CHARACTERS};
use crate::cloudtrail::{account_number, partition_of};
use crate::text::one_line;

/// Units within each other that are entered. AWS allows five.
/// <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html>
const DEEPEST: usize = 32;

/// Asks AWS Organizations, with the rights of its management account or of a delegated administrator.
#[derive(Debug)]
pub struct Organization {
    api: AwsApi,
    /// Where AWS Organizations is, and what a signature names.
    region: &'static str,
}

/// The accounts of an organization.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct OrganizationAccounts {
    /// By their [numbers](account_number).
    pub accounts: BTreeMap<u64, AccountFacts>,
    /// Those that are not active: suspended, being closed, or not yet there. Nobody can do anything in them.
    pub inactive: BTreeSet<u64>,
    /// How many units there are, also those that hold no account.
    pub units: usize,
}

/// An account, a unit or a root, as the answers have it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    id: String,
    #[serde(default)]
    name: String,
    /// Of an account: `ACTIVE` and others.
    state: Option<String>,
    /// What AWS told before there was `State`; both are there for now.
    status: Option<String>,
}

impl Organization {
    /// Asks with these settings: of them, the region, the credentials, the endpoints and the further roots are used. The region
    /// only says in which partition the organization is.
    pub fn new(settings: FunctionSettings) -> Self {
        let region = home(settings.access.region.as_deref().unwrap_or_default());
        Self { api: AwsApi::new(settings), region }
    }

    /// The management account, which every account of an organization may ask for.
    /// <https://docs.aws.amazon.com/organizations/latest/APIReference/API_DescribeOrganization.html>
    ///
    /// # Errors
    /// AWS refused, as it does where the account is in no organization, or did not answer.
    pub async fn management_account(&self) -> Result<String, ApiError> {
        const OPERATION: &str = "DescribeOrganization";
        let input = ApiInput::Json(json!({}));
        let answer = self.api.ask(&ApiService::ORGANIZATIONS, self.region, OPERATION, &input).await?;
        let account = answer.pointer("/Organization/MasterAccountId").and_then(Value::as_str);
        account.map(str::to_owned).ok_or(ApiError::Unexpected(OPERATION))
    }

    /// All accounts, also those that are suspended: the calls of their last days may still be on their way.
    ///
    /// The tree of units is walked from its root, and each is asked for its accounts: two requests for each unit and 20 accounts,
    /// where asking each account for its unit would be one for each.
    ///
    /// # Errors
    /// AWS did not answer everything: nothing is told by halves.
    pub async fn accounts(&self) -> Result<OrganizationAccounts, ApiError> {
        let mut found = OrganizationAccounts::default();
        let roots = self.list("ListRoots", "Roots", None).await?;
        let mut parents: Vec<(String, Vec<String>)> = roots.into_iter().map(|root| (root.id, Vec::new())).collect();
        while let Some((parent, units)) = parents.pop() {
            let unit = (!units.is_empty()).then(|| shown(&units.join(&INSIDE.to_string())));
            for account in self.list("ListAccountsForParent", "Accounts", Some(&parent)).await? {
                let number = account_number(&account.id);
                let number = number.ok_or(ApiError::Unexpected("ListAccountsForParent"))?;
                if account.state.or(account.status).is_some_and(|state| state != "ACTIVE") {
                    found.inactive.insert(number);
                }
                // A name of spaces alone is none.
                let name = Some(shown(&account.name)).filter(|name| !name.is_empty()).unwrap_or(account.id);
                found.accounts.insert(number, AccountFacts { name, unit: unit.clone() });
            }
            if units.len() < DEEPEST {
                let inside =
                    self.list("ListOrganizationalUnitsForParent", "OrganizationalUnits", Some(&parent)).await?;
                found.units += inside.len();
                parents.extend(inside.into_iter().map(|unit| (unit.id, [&units[..], &[unit.name]].concat())));
            }
        }
        Ok(found)
    }

    /// All pages of a list.
    async fn list(&self, operation: &'static str, member: &str, parent: Option<&str>) -> Result<Vec<Listed>, ApiError> {
        let (mut all, mut next): (Vec<Listed>, Option<String>) = (Vec::new(), None);
        loop {
            let mut body = json!({});
            if let Some(parent) = parent {
                body["ParentId"] = json!(parent);
            }
            if let Some(token) = &next {
                body["NextToken"] = json!(token);
            }
            let input = ApiInput::Json(body);
            let mut answer = self.api.ask(&ApiService::ORGANIZATIONS, self.region, operation, &input).await?;
            let page = answer.get_mut(member).map_or_else(|| json!([]), Value::take);
            let page: Vec<Listed> = serde_json::from_value(page).map_err(|_| ApiError::Unexpected(operation))?;
            all.extend(page);
            // A page may be empty, and others follow.
            let token = answer.get("NextToken").and_then(Value::as_str).map(str::to_owned);
            if token.is_some() && token == next {
                return Err(ApiError::Unexpected(operation));
            }
            next = token;
            if next.is_none() {
                return Ok(all);
            }
        }
    }
}

/// The region of the organizations of a partition, which is known by any of its regions.
/// <https://docs.aws.amazon.com/general/latest/gr/ao.html>
pub(crate) fn home(region: &str) -> &'static str {
    match partition_of(region) {
        "aws-us-gov" => "us-gov-west-1",
        "aws-cn" => "cn-northwest-1",
        "aws-eusc" => "eusc-de-east-1",
        _ => "us-east-1",
    }
}

/// A name on one line: people of the organization chose it.
fn shown(name: &str) -> String {
    one_line(name, MAX_CHARACTERS).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::home;

    #[test]
    fn each_partition_has_one_region_of_its_own() {
        for (region, of) in [
            ("", "us-east-1"),
            ("eu-west-1", "us-east-1"),
            ("us-gov-east-1", "us-gov-west-1"),
            ("cn-north-1", "cn-northwest-1"),
        ] {
            assert_eq!(home(region), of, "{region}");
        }
    }
}
