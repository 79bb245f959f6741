//! Where an address is and whose network it belongs to, for people to read: from databases in MaxMind's format beside the rules.
//!
//! A database has megabytes, and most events match nothing. So a database is read where the first finding asks, and no start
//! reads one for this. (A rule that asks `country` has its database from the start: it may not go missing.) What cannot be read
//! costs a message a fact, and nothing else.

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

use super::countries::{self, Countries};

/// The name of the file with the networks, beside `rules.json`.
pub const NETWORKS: &str = "networks.mmdb";

/// What gives the bytes of the file of this name beside the rules.
type ReadFile = dyn Fn(&str) -> io::Result<Vec<u8>> + Send + Sync;

/// The databases beside the rules. Clones share them.
#[derive(Clone)]
pub struct Places(Arc<Databases>);

struct Databases {
    read: Box<ReadFile>,
    countries: OnceLock<Option<Countries>>,
    networks: OnceLock<Option<Countries>>,
}

/// What the databases say of an address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// Two capital letters of ISO 3166-1.
    pub country: Option<String>,
    /// The number of the autonomous system, and whose it is: `AS3320 Deutsche Telekom AG`.
    pub network: Option<String>,
}

impl Places {
    /// The databases that `read` gives the bytes of, once somebody asks. Where there is no such file, it says so by
    /// [`io::ErrorKind::NotFound`].
    pub fn new(read: impl Fn(&str) -> io::Result<Vec<u8>> + Send + Sync + 'static) -> Self {
        Self(Arc::new(Databases { read: Box::new(read), countries: OnceLock::new(), networks: OnceLock::new() }))
    }

    /// The same, where the database of countries has been read before.
    #[must_use]
    pub fn with_countries(self, countries: Option<Countries>) -> Self {
        if let Some(countries) = countries {
            // Whoever has asked before has read the same file.
            let _ = self.0.countries.set(Some(countries));
        }
        self
    }

    /// What is known of a `sourceIPAddress`; nothing of what is no address.
    pub fn of(&self, address: &str) -> Place {
        if address.parse::<IpAddr>().is_err() {
            return Place::default();
        }
        let Databases { countries, networks, .. } = &*self.0;
        let countries = countries.get_or_init(|| self.database(countries::FILE)).as_ref();
        let networks = networks.get_or_init(|| self.database(NETWORKS)).as_ref();
        Place {
            country: countries.and_then(|countries| countries.country_of(address)),
            // Some databases hold both.
            network: networks.into_iter().chain(countries).find_map(|networks| networks.network_of(address)),
        }
    }

    fn database(&self, file: &str) -> Option<Countries> {
        let bytes = match (self.0.read)(file) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(error) => {
                tracing::error!(file, reason = %error, "a database beside the rules is not read: messages tell less");
                return None;
            }
        };
        Countries::read(bytes)
            .inspect_err(|error| tracing::error!(file, reason = %error, "no such database: messages tell less"))
            .ok()
    }
}

impl fmt::Debug for Places {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Places").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::cloudtrail::countries::mmdb;

    #[test]
    fn each_database_is_read_once_and_where_an_address_asks() {
        static READ: AtomicUsize = AtomicUsize::new(0);
        let places = Places::new(|file| {
            READ.fetch_add(1, Ordering::Relaxed);
            Ok(match file {
                NETWORKS => mmdb::networks(&[("81.2.69.0/24", 20_712, "Andrews & Arnold")]),
                _ => mmdb::countries(&[("81.2.69.0/24", "GB"), ("81.2.70.0/24", "DE")]),
            })
        });
        assert_eq!(places.of("ec2.amazonaws.com"), Place::default());
        assert_eq!(READ.load(Ordering::Relaxed), 0);
        let gb = Place { country: Some("GB".into()), network: Some("AS20712 Andrews & Arnold".into()) };
        assert_eq!(places.of("81.2.69.160"), gb);
        assert_eq!(places.of("81.2.70.1"), Place { country: Some("DE".into()), network: None });
        assert_eq!(places.of("10.0.0.1"), Place::default());
        assert_eq!(READ.load(Ordering::Relaxed), 2);
        let known = Countries::read(mmdb::countries(&[("81.2.69.0/24", "FR")])).unwrap();
        let places =
            Places::new(|file| if file == NETWORKS { Err(io::ErrorKind::NotFound.into()) } else { panic!("{file}") });
        assert_eq!(places.with_countries(Some(known)).of("81.2.69.160").country.as_deref(), Some("FR"));
    }

    #[test]
    fn what_cannot_be_read_costs_a_fact_and_nothing_else() {
        for kind in [io::ErrorKind::NotFound, io::ErrorKind::PermissionDenied] {
            assert_eq!(Places::new(move |_| Err(kind.into())).of("81.2.69.160"), Place::default());
        }
        assert_eq!(Places::new(|_| Ok(b"GeoLite2".to_vec())).of("81.2.69.160"), Place::default());
    }
}
