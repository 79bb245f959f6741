//! Which country an address belongs to, and whose network, from a database in MaxMind's format
//! (<https://maxmind.github.io/MaxMind-DB/>, version 2).
//!
//! A database has megabytes and ages, so that none travels with the program: the owner of the rules puts one beside them.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use maxminddb::{Reader, path};

/// A database of countries, of networks, or of both. Clones share it.
#[derive(Clone)]
pub struct Countries(Arc<Reader<Vec<u8>>>);

/// The name of the database's file, beside `rules.json`.
pub const FILE: &str = "countries.mmdb";

/// Why bytes are not a database of countries.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct CountriesError(#[from] maxminddb::MaxMindDbError);

impl Countries {
    /// Reads a database: GeoLite2 or GeoIP2 Country, City or ASN, DB-IP Lite, or IPinfo Lite.
    ///
    /// # Errors
    /// The bytes are not such a database.
    pub fn read(bytes: Vec<u8>) -> Result<Self, CountriesError> {
        Ok(Self(Arc::new(Reader::from_source(bytes)?)))
    }

    /// The country of an address, as two capital letters of ISO 3166-1. `None` for a text that is not an address (CloudTrail
    /// also writes services' names there), and for an address that the database does not know, as it knows no private one.
    pub fn country_of(&self, address: &str) -> Option<String> {
        let address: IpAddr = address.parse().ok()?;
        let found = self.0.lookup(address.to_canonical()).ok()?;
        // MaxMind and DB-IP, then IPinfo.
        [path!["country", "iso_code"].as_slice(), path!["country_code"].as_slice()]
            .into_iter()
            .find_map(|path| found.decode_path::<String>(path).ok().flatten())
    }

    /// The autonomous system of an address: `AS3320 Deutsche Telekom AG`. `None` as with [`Countries::country_of`], and where the
    /// database holds no networks.
    pub fn network_of(&self, address: &str) -> Option<String> {
        let address: IpAddr = address.parse().ok()?;
        let found = self.0.lookup(address.to_canonical()).ok()?;
        let text = |key: &'static str| found.decode_path::<String>(&path![key]).ok().flatten();
        // GeoLite2 ASN and DB-IP ASN Lite have a number, IPinfo Lite a text with its letters.
        let number = found.decode_path::<u32>(&path!["autonomous_system_number"]).ok().flatten();
        let number = number.map(|number| format!("AS{number}")).or_else(|| text("asn"));
        let owner = text("autonomous_system_organization").or_else(|| text("as_name"));
        let parts: Vec<String> = [number, owner].into_iter().flatten().filter(|part| !part.is_empty()).collect();
        (!parts.is_empty()).then(|| parts.join(" "))
    }
}

impl PartialEq for Countries {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Countries {}

impl fmt::Debug for Countries {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Countries").field(&self.0.metadata().database_type).finish()
    }
}

/// The codes of ISO 3166-1 alpha-2 (<https://www.iso.org/obp/ui/#search>), and Kosovo's XK, which databases use too.
pub(crate) const CODES: [&str; 250] = [
    "AD", "AE", "AF", "AG", "AI", "AL", "AM", "AO", "AQ", "AR", "AS", "AT", "AU", "AW", "AX", "AZ", "BA", "BB", "BD",
    "BE", "BF", "BG", "BH", "BI", "BJ", "BL", "BM", "BN", "BO", "BQ", "BR", "BS", "BT", "BV", "BW", "BY", "BZ", "CA",
    "CC", "CD", "CF", "CG", "CH", "CI", "CK", "CL", "CM", "CN", "CO", "CR", "CU", "CV", "CW", "CX", "CY", "CZ", "DE",
    "DJ", "DK", "DM", "DO", "DZ", "EC", "EE", "EG", "EH", "ER", "ES", "ET", "FI", "FJ", "FK", "FM", "FO", "FR", "GA",
    "GB", "GD", "GE", "GF", "GG", "GH", "GI", "GL", "GM", "GN", "GP", "GQ", "GR", "GS", "GT", "GU", "GW", "GY", "HK",
    "HM", "HN", "HR", "HT", "HU", "ID", "IE", "IL", "IM", "IN", "IO", "IQ", "IR", "IS", "IT", "JE", "JM", "JO", "JP",
    "KE", "KG", "KH", "KI", "KM", "KN", "KP", "KR", "KW", "KY", "KZ", "LA", "LB", "LC", "LI", "LK", "LR", "LS", "LT",
    "LU", "LV", "LY", "MA", "MC", "MD", "ME", "MF", "MG", "MH", "MK", "ML", "MM", "MN", "MO", "MP", "MQ", "MR", "MS",
    "MT", "MU", "MV", "MW", "MX", "MY", "MZ", "NA", "NC", "NE", "NF", "NG", "NI", "NL", "NO", "NP", "NR", "NU", "NZ",
    "OM", "PA", "PE", "PF", "PG", "PH", "PK", "PL", "PM", "PN", "PR", "PS", "PT", "PW", "PY", "QA", "RE", "RO", "RS",
    "RU", "RW", "SA", "SB", "SC", "SD", "SE", "SG", "SH", "SI", "SJ", "SK", "SL", "SM", "SN", "SO", "SR", "SS", "ST",
    "SV", "SX", "SY", "SZ", "TC", "TD", "TF", "TG", "TH", "TJ", "TK", "TL", "TM", "TN", "TO", "TR", "TT", "TV", "TW",
    "TZ", "UA", "UG", "UM", "US", "UY", "UZ", "VA", "VC", "VE", "VG", "VI", "VN", "VU", "WF", "WS", "XK", "YE", "YT",
    "ZA", "ZM", "ZW",
];

#[cfg(test)]
#[path = "../../tests/support/mmdb.rs"]
pub(super) mod mmdb;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_the_country_that_the_database_says() {
        let bytes = mmdb::countries(&[("81.2.69.0/24", "GB"), ("2001:db8::/32", "DE")]);
        let countries = Countries::read(bytes).unwrap();
        assert_eq!(countries.country_of("81.2.69.160").as_deref(), Some("GB"));
        assert_eq!(countries.country_of("::ffff:81.2.69.160").as_deref(), Some("GB"));
        assert_eq!(countries.country_of("2001:db8::1").as_deref(), Some("DE"));
        for unknown in ["81.2.70.1", "10.0.0.1", "cloudformation.amazonaws.com", "AWS Internal", ""] {
            assert_eq!(countries.country_of(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn bytes_that_are_not_a_database_are_refused() {
        assert!(Countries::read(b"GeoLite2".to_vec()).is_err());
        assert!(CODES.is_sorted() && CODES.contains(&"DE"));
    }
}
