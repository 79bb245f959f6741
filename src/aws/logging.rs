//! The function's log: lines with a level and a time, from the level on that the deployment asks for.
//!
//! Lambda has a filter of its own, by each line's `level`, and takes a line without a level or without a time in RFC 3339 for INFO:
//! from WARN on it would drop the metrics, and our errors with them. So the template fixes it at DEBUG, and this is the filter.
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html>.

use lambda_runtime::tracing::subscriber::filter::LevelFilter;
use lambda_runtime::tracing::subscriber::fmt;
use lambda_runtime::tracing::subscriber::fmt::MakeWriter;
use tracing::{Subscriber, subscriber};

use super::settings::LogSettings;

/// Lets what this process logs go to its output. A process has one log: a second call changes nothing.
pub(super) fn start(settings: &LogSettings) {
    let _ = subscriber::set_global_default(log(settings, std::io::stdout));
}

/// The log, written to `writer`.
fn log<W>(settings: &LogSettings, writer: W) -> Box<dyn Subscriber + Send + Sync>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let lines = fmt().with_target(false).with_ansi(false).with_max_level(level(settings)).with_writer(writer);
    if settings.is_json { Box::new(lines.json().finish()) } else { Box::new(lines.finish()) }
}

/// The least severe level that is logged. Errors always are, whatever the variables say.
pub(super) fn level(settings: &LogSettings) -> LevelFilter {
    // What Lambda says counts where the deployment says nothing: a template of an older version.
    let asked = settings.level.as_ref().or(settings.lambda_level.as_ref());
    let level = asked.and_then(|level| level.parse().ok()).unwrap_or(LevelFilter::INFO);
    level.max(LevelFilter::ERROR)
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use serde_json::Value;

    use super::*;
    use crate::time::Timestamp;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn settings(level: Option<&str>, lambda_level: Option<&str>) -> LogSettings {
        LogSettings { level: level.map(str::to_owned), lambda_level: lambda_level.map(str::to_owned), is_json: true }
    }

    /// One line of each level is logged; what is written.
    fn lines(settings: &LogSettings) -> Vec<Value> {
        let written = Written::default();
        let writer = written.clone();
        subscriber::with_default(log(settings, move || writer.clone()), || {
            tracing::debug!("a detail");
            tracing::info!("news");
            tracing::warn!("a warning");
            tracing::error!(channel = "soc", "an alert is dead");
        });
        let text = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn levels(level: Option<&str>, lambda_level: Option<&str>) -> String {
        let lines = lines(&settings(level, lambda_level));
        lines.iter().map(|line| line["level"].as_str().unwrap()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn every_line_has_a_level_and_a_time() {
        let lines = lines(&settings(Some("DEBUG"), None));
        assert_eq!(lines.len(), 4);
        for line in lines {
            let time = line["timestamp"].as_str().unwrap();
            assert!(Timestamp::parse(time).is_some() && time.ends_with('Z'), "{line}");
        }
    }

    #[test]
    fn lines_below_the_level_are_dropped_and_errors_never() {
        assert_eq!(levels(Some("DEBUG"), Some("DEBUG")), "DEBUG INFO WARN ERROR");
        assert_eq!(levels(Some("INFO"), Some("DEBUG")), "INFO WARN ERROR");
        assert_eq!(levels(Some("WARN"), Some("DEBUG")), "WARN ERROR");
        assert_eq!(levels(Some("ERROR"), Some("DEBUG")), "ERROR");
        // An older template says it to Lambda alone; and what nobody understands is as if nobody had said it.
        assert_eq!(levels(None, Some("WARN")), "WARN ERROR");
        assert_eq!(levels(None, None), "INFO WARN ERROR");
        assert_eq!(levels(Some("LOUD"), None), "INFO WARN ERROR");
        assert_eq!(levels(Some("OFF"), None), "ERROR");
    }
}
