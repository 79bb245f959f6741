//! What is outside the function: AWS and HTTP. The only code that names an SDK type, reads the environment or the clock.

mod clients;
mod dynamodb;
mod http;
mod logging;
mod runtime;
mod sdk;
pub mod settings;
mod sqs;
mod transport;

pub use self::dynamodb::DynamoStore;
pub use self::runtime::run;
pub use self::settings::FunctionSettings;
pub use self::transport::AwsTransport;
