//! What is outside the function: AWS and HTTP. The only code that names an SDK type, reads the environment or the clock.

mod clients;
mod http;
mod runtime;
mod sdk;
pub mod settings;
mod transport;

pub use self::runtime::run;
pub use self::settings::Settings;
pub use self::transport::AwsTransport;
