//! What is outside the function: AWS and HTTP. The only code that names an SDK type, reads the environment or the clock.

//!
//! The feature `lambda` has the function's part, and `aws` has what the command line asks a deployed stack; they share the way to
//! AWS and the ledger's table.

#[cfg(feature = "lambda")]
mod accounts_table;
mod api;
mod client_error;
mod clients;
#[cfg(feature = "lambda")]
mod databases;
mod dynamodb;
mod endpoint;
#[cfg(feature = "lambda")]
mod event_rules;
mod http;
#[cfg(all(feature = "aws", feature = "cli"))]
mod laptop;
#[cfg(feature = "lambda")]
mod logging;
#[cfg(all(feature = "aws", feature = "cli"))]
mod organizations;
#[cfg(feature = "lambda")]
mod runtime;
#[cfg(feature = "lambda")]
mod sam_local;
#[cfg(feature = "lambda")]
mod sdk;
mod service;
pub mod settings;
mod signature;
#[cfg(feature = "lambda")]
mod sqs;
#[cfg(all(feature = "aws", feature = "cli"))]
mod stack_reader;
#[cfg(feature = "lambda")]
mod transport;
mod xml;

pub use self::api::{ApiError, ApiInput, AwsApi};
pub use self::dynamodb::DynamoStore;
#[cfg(all(feature = "aws", feature = "cli"))]
pub use self::laptop::LaptopTransport;
#[cfg(all(feature = "aws", feature = "cli"))]
pub(crate) use self::organizations::home as home_of_organizations;
#[cfg(all(feature = "aws", feature = "cli"))]
pub use self::organizations::{Organization, OrganizationAccounts};
#[cfg(feature = "lambda")]
pub use self::runtime::run;
pub use self::service::ApiService;
pub use self::settings::FunctionSettings;
#[cfg(all(feature = "aws", feature = "cli"))]
pub use self::stack_reader::{LogLine, StackReader};
#[cfg(feature = "lambda")]
pub use self::transport::AwsTransport;
